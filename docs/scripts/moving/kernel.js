/* A photograph and its feature map under a kernel that the reader edits. */

import { choice, element } from "./controls.js";
import { conv2d } from "./operators.js";

export function show(stage, { photograph, kernels }) {
  const names = Object.keys(kernels);
  const map = element("canvas", { width: photograph[0].length, height: photograph.length, role: "img", "aria-label": "feature map" });
  const kept = element("canvas", { width: photograph[0].length, height: photograph.length, role: "img", "aria-label": "photograph" });
  const range = element("p", { class: "sum", "aria-live": "polite" });
  const side = kernels[names[0]].length;
  const inputs = Array.from({ length: side * side }, (_, n) => {
    const name = `kernel, row ${Math.floor(n / side) + 1}, column ${(n % side) + 1}`;
    const input = element("input", { type: "number", step: "0.1", "aria-label": name });
    input.addEventListener("input", draw);
    return input;
  });

  function set(name) {
    kernels[name].flat().forEach((value, n) => (inputs[n].value = value));
    draw();
  }

  function draw() {
    const flat = inputs.map((input) => Number(input.value));
    const kernel = Array.from({ length: side }, (_, r) => flat.slice(r * side, (r + 1) * side));
    const [values] = conv2d([photograph], [[kernel]], 1, Math.floor(side / 2));
    const inner = values.slice(1, -1).map((row) => row.slice(1, -1)).flat();
    const [low, high] = [Math.min(...inner), Math.max(...inner)];
    const sum = flat.reduce((total, value) => total + value);
    // a kernel that adds up to nothing answers to differences alone: zero is the middle grey
    const [black, white] = sum > 1e-9 ? [0, sum] : [-1, 1].map((sign) => sign * Math.max(-low, high, 1e-9));
    paint(map, values, black, white);
    range.textContent = `The map goes from ${low.toFixed(3)} to ${high.toFixed(3)}.`;
  }

  const grid = element("div", { class: "kernel-grid", style: `--side: ${side}` }, ...inputs);
  stage.append(element("div", { class: "controls" }, choice("kernel", names, names[0], set)), element("div", { class: "matrices" }, kept, grid, map), range);
  paint(kept, photograph, 0, 1);
  set(names[0]);
}

function paint(canvas, values, black, white) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  values.flat().forEach((value, n) => {
    const grey = (255 * (value - black)) / (white - black);
    picture.data.set([grey, grey, grey, 255], 4 * n);
  });
  context.putImageData(picture, 0, 0);
}
