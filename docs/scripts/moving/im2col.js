/* im2col, one window at a time: the window, its column, the product with the kernels, and the place of the result. */

import { choice, element, matrix, slider, spell } from "./controls.js";
import { conv2d, im2col, outputSize } from "./operators.js";

export function show(stage, { image, weight }) {
  const state = { channels: 1, stride: 1, padding: 0, window: 0 };
  const kernel = [weight[0][0].length, weight[0][0][0].length];
  const picture = element("div");
  const sum = element("p", { class: "sum", "aria-live": "polite" });
  const windows = slider("window", 0, 0, (value) => draw({ window: value }));

  function draw(change) {
    Object.assign(state, change);
    const { channels, stride, padding } = state;
    const x = image.slice(0, channels);
    const w = weight.map((one) => one.slice(0, channels));
    const [rows, columns] = outputSize(x, kernel, stride, padding);
    state.window = Math.min(state.window, rows * columns - 1);
    windows.set(rows * columns - 1, state.window);
    const [row, column] = [Math.floor(state.window / columns), state.window % columns];
    const inside = (r, c) => r >= row * stride && r < row * stride + kernel[0] && c >= column * stride && c < column * stride + kernel[1];
    const edge = (r, c) => r < padding || c < padding || r >= x[0].length + padding || c >= x[0][0].length + padding;
    const matrixOfWindows = im2col(x, kernel, stride, padding);
    const maps = conv2d(x, w, stride, padding);
    const here = (_, c) => (c === state.window ? "now" : "");
    const windowsTable = matrix(matrixOfWindows, "windows as columns", here);
    picture.replaceChildren(
      side(x.map((channel, n) =>
        matrix(padded(channel, padding), x.length > 1 ? `image, channel ${n + 1}` : "image", (r, c) => `${inside(r, c) ? "now" : ""} ${edge(r, c) ? "edge" : ""}`))),
      side([matrix(w.map((one) => one.flat(2)), "kernels as rows", () => "kernel"), windowsTable]),
      side(maps.map((map, n) => matrix(map, `feature map ${n + 1}`, (r, c) => (r === row && c === column ? "now" : "")))),
    );
    const under = matrixOfWindows.map((values) => values[state.window]);
    const terms = w[0].flat(2).map((value, k) => `${spell(value)} · ${spell(under[k])}`);
    sum.textContent = `First kernel: ${terms.join(" + ")} = ${spell(maps[0][row][column])}`;
    const { offsetLeft, offsetWidth } = windowsTable.querySelector("td.now");
    windowsTable.parentElement.scrollLeft = offsetLeft - (windowsTable.parentElement.clientWidth - offsetWidth) / 2;
  }

  const settings = [
    choice("channels", image.map((_, n) => n + 1), state.channels, (channels) => draw({ channels })),
    choice("stride", [1, 2], state.stride, (stride) => draw({ stride })),
    choice("padding", [0, 1], state.padding, (padding) => draw({ padding })),
  ];
  stage.append(element("div", { class: "controls" }, windows, ...settings), picture, sum);
  draw({});
}

/* Tables side by side, each in a box of its own that scrolls where it is too wide. */
function side(tables) {
  return element("div", { class: "matrices" }, ...tables.map((table) => element("div", {}, table)));
}

function padded(channel, padding) {
  const border = Array(padding).fill(0);
  const empty = Array(padding).fill(Array(channel[0].length + 2 * padding).fill(0));
  return [...empty, ...channel.map((row) => [...border, ...row, ...border]), ...empty];
}
