/* Look inside a network: hide a part of a scene, turn its light, and see what becomes of the answer and of its reasons. */

import { choice, element, pad, slider, spell } from "./controls.js";
import { bytes, cam, conv2d, globalAvgPool, halves, linear, maxPool2d, relu, softmax } from "./network.js";

// dark to bright, as the still figures have it
const GLOW = [[0, 0, 4], [120, 28, 109], [237, 105, 37], [252, 255, 164]];

export function show(stage, { classes, size, suns, scenes, nets }) {
  Object.values(nets).forEach(unpack);
  const [names, views] = [Object.keys(nets), Object.keys(scenes)];
  const state = { net: names[0], scene: views[0], sun: Math.floor(suns.length / 2), side: 9, row: null, column: null, shown: null };
  const [seen, glow] = [canvas("scene"), canvas("class activation map")];
  const words = element("p", { class: "sum", "aria-live": "polite" });
  const light = slider("sun", suns.length - 1, state.sun, (sun) => draw({ sun }));
  const square = slider("square", 20, state.side, (side) => draw({ side }));
  const uncover = element("button", { type: "button" }, "Uncover");
  uncover.addEventListener("click", () => draw({ row: null, column: null }));
  const answers = classes.map((name, n) => answer(name, () => draw({ shown: n })));
  let whole; // of the scene as it is: its pixels, its answer, and the brightest place of its maps

  function draw(change) {
    Object.assign(state, change);
    const net = nets[state.net];
    if (!whole || "net" in change || "scene" in change || "sun" in change) {
      const pixels = bytes(scenes[state.scene][state.sun]);
      const { maps, chances } = look(net, pixels, size);
      const winner = chances.indexOf(Math.max(...chances));
      whole = { pixels, chances, winner, peak: Math.max(1e-6, ...cam(maps, net.head, winner)) };
    }
    if ("net" in change || "scene" in change || state.shown === null) state.shown = whole.winner;
    const hidden = cover(state, size);
    const { maps, scores, chances } = look(net, whole.pixels, size, hidden);
    const map = cam(maps, net.head, state.shown);
    paint(seen, whole.pixels, net, hidden);
    paint(glow, whole.pixels, net, hidden, map, maps.shape, whole.peak);
    answers.forEach(({ set }, n) => set(chances[n], whole.chances[n], n === state.shown));
    tell(net, scores, chances, map, hidden);
  }

  function tell(net, scores, chances, map, hidden) {
    const best = chances.indexOf(Math.max(...chances));
    const [mean, bias] = [map.reduce((total, value) => total + value, 0) / map.length, net.head.bias[state.shown]];
    const where = hidden ? `rows ${hidden.top + 1} to ${hidden.bottom} and columns ${hidden.left + 1} to ${hidden.right} hidden` : "nothing hidden";
    light.set(suns.length - 1, state.sun, degrees(suns[state.sun]));
    words.textContent =
      `Sun ${degrees(suns[state.sun])}, ${where}: the ${state.net} network says ${classes[best]}, ${percent(chances[best])}. ` +
      `The map of ${classes[state.shown]} has a mean of ${spell(mean)}; with the bias, ${spell(bias)}, that is the score, ${spell(scores[state.shown])}.`;
  }

  function canvas(name) {
    return element("canvas", { width: size, height: size, class: "coarse", role: "img", "aria-label": name });
  }

  const place = (column, row) => draw({ row: Math.floor(row * size), column: Math.floor(column * size) });
  const step = (right, down) => {
    const to = (from, by) => Math.min(size - 1, Math.max(0, (from ?? size / 2) + by));
    draw({ row: to(state.row, down), column: to(state.column, right) });
  };
  stage.append(
    element("div", { class: "controls" }, choice("network", names, state.net, (net) => draw({ net })), choice("scene", views, state.scene, (scene) => draw({ scene })), light, square, uncover),
    element("div", { class: "look" }, pad("scene; drag a square over it, or move the square by the arrow keys", [seen], place, step), glow,
      element("fieldset", {}, element("legend", {}, "answer; choose whose map"), ...answers.map(({ row }) => row))),
    words,
  );
  draw({});
}

/* Turn the weights of a network from text into numbers. */
export function unpack(net) {
  for (const layer of [...net.layers, net.head]) for (const part of ["weight", "bias"]) layer[part] = halves(layer[part]);
  return net;
}

/* The rows and columns that the square hides, or nothing. */
function cover({ row, column, side }, size) {
  if (row === null || side === 0) return null;
  const [top, left] = [row, column].map((middle) => middle - Math.floor(side / 2));
  const clip = (value) => Math.min(size, Math.max(0, value));
  return { top: clip(top), left: clip(left), bottom: clip(top + side), right: clip(left + side) };
}

/* The network's last maps, its scores, and the probabilities of the classes. */
export function look({ mean, std, layers, head }, pixels, size, hidden) {
  const values = Float32Array.from(pixels, (value, n) => {
    const [c, y, x] = [Math.floor(n / size ** 2), Math.floor(n / size) % size, n % size];
    return covered(hidden, y, x) ? 0 : (value / 255 - mean[c]) / std[c];
  });
  const maps = layers.reduce((x, layer, n) => {
    const y = relu(conv2d(x, layer, 1, (layer.shape[2] - 1) / 2));
    return n === 0 ? maxPool2d(y, 3, 2, 1) : y;
  }, { values, shape: [3, size, size] });
  const scores = linear(globalAvgPool(maps), head);
  return { maps, scores, chances: softmax(scores) };
}

function covered(hidden, y, x) {
  return hidden && y >= hidden.top && y < hidden.bottom && x >= hidden.left && x < hidden.right;
}

/* Paint a scene, its hidden square in the mean colour of the network's pictures, and a map that glows on it. */
function paint(canvas, pixels, { mean }, hidden, map, shape, peak) {
  const [context, size] = [canvas.getContext("2d"), canvas.width];
  const picture = context.createImageData(size, size);
  for (let n = 0; n < size ** 2; n++) {
    const [y, x] = [Math.floor(n / size), n % size];
    let colour = mean.map((value, c) => (covered(hidden, y, x) ? 255 * value : pixels[c * size ** 2 + n]));
    if (map) {
      const [, height, width] = shape;
      const heat = Math.min(1, Math.max(0, map[Math.floor((y * height) / size) * width + Math.floor((x * width) / size)] / peak));
      const alpha = 0.8 * heat ** 0.7;
      colour = glowing(heat).map((value, c) => alpha * value + (1 - alpha) * colour[c]);
    }
    picture.data.set([...colour, 255], 4 * n);
  }
  context.putImageData(picture, 0, 0);
}

function glowing(heat) {
  const at = Math.min(GLOW.length - 2, Math.floor(heat * (GLOW.length - 1)));
  const share = heat * (GLOW.length - 1) - at;
  return GLOW[at].map((value, c) => value + share * (GLOW[at + 1][c] - value));
}

const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

function degrees(turn) {
  return turn === 0 ? "behind the camera" : `${Math.abs(turn)}° to the ${turn < 0 ? "left" : "right"}`;
}

/* A class to choose, with a bar for its probability and a mark where it stands while nothing is hidden. */
function answer(name, onchoose) {
  const input = element("input", { type: "radio", name: "shown" });
  input.addEventListener("change", onchoose);
  const [bar, number] = [element("span", { class: "bar" }), element("span")];
  const set = (now, whole, chosen) => {
    bar.style.setProperty("--now", percent(now, 1));
    bar.style.setProperty("--whole", percent(whole, 1));
    number.textContent = percent(now);
    input.checked = chosen;
  };
  return { row: element("label", {}, input, element("span", {}, name), bar, number), set };
}
