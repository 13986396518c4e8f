/* How much of the picture a unit sees: choose a network, a layer, and a unit. */

import { choice, element, pad, slider } from "./controls.js";
import { receptiveField } from "./operators.js";

export async function show(stage, { picture, nets }) {
  const names = Object.keys(nets);
  const state = { net: names[0], layer: 0, row: 0.5, column: 0.5 };
  const photograph = new Image();
  photograph.src = picture;
  await photograph.decode();
  const [canvas, field, unit] = [element("canvas"), element("div", { class: "field" }), element("div", { class: "unit" })];
  const seen = pad("picture; drag, or press the arrow keys, to choose the unit", [canvas, field, unit], place, step);
  const words = element("p", { class: "sum", "aria-live": "polite" });
  const layers = slider("layer", 0, 0, (layer) => draw({ layer }));

  function draw(change) {
    Object.assign(state, change);
    const net = nets[state.net];
    state.layer = Math.min(state.layer, net.layers.length - 1);
    const { name, units } = net.layers[state.layer];
    layers.set(net.layers.length - 1, state.layer, name);
    if (canvas.width !== net.side) paint(net.side);
    const { length, step, start } = receptiveField(net.layers.slice(0, state.layer + 1));
    const at = [state.row, state.column].map((share) => Math.min(units - 1, Math.floor(share * units)));
    const first = at.map((number) => start + number * step);
    const clip = (value) => Math.min(net.side, Math.max(0, value));
    const [top, left, bottom, right] = [...first.map(clip), ...first.map((value) => clip(value + length))];
    frame(field, net.side, top, left, bottom, right);
    const middle = first.map((value) => value + (length - step) / 2);
    frame(unit, net.side, ...middle, ...middle.map((value) => value + step));
    words.textContent =
      `${name} of ${state.net} has ${units} × ${units} units, and each sees ${length} × ${length} pixels, ${step} further on than its neighbour. ` +
      `Of the ${net.side} × ${net.side} pixels there are, unit ${at[0] + 1}, ${at[1] + 1} sees rows ${top + 1} to ${bottom} and columns ${left + 1} to ${right}.`;
  }

  function paint(side) {
    Object.assign(canvas, { width: side, height: side, className: side < 100 ? "coarse" : "" });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(photograph, 0, 0, side, side);
  }

  function place(column, row) {
    draw({ row, column });
  }

  function step(right, down) {
    const { units } = nets[state.net].layers[state.layer];
    const to = (share, by) => (Math.min(units - 1, Math.max(0, Math.floor(share * units) + by)) + 0.5) / units;
    draw({ row: to(state.row, down), column: to(state.column, right) });
  }

  stage.append(element("div", { class: "controls" }, choice("network", names, state.net, (net) => draw({ net })), layers), seen, words);
  draw({});
}

/* Lay a box over a picture of `side` pixels, by the pixels it covers. */
function frame(box, side, top, left, bottom, right) {
  const share = (pixels) => `${(100 * pixels) / side}%`;
  Object.assign(box.style, { top: share(top), left: share(left), height: share(bottom - top), width: share(right - left) });
}
