/* The cow of the first page: the reader turns the hours, or asks what is known of the picture. */

import { choice, element, slider } from "./moving/controls.js";

const LAYERS = ["the picture", "how far each point is", "which way it faces", "which part it is"];
const STEPS = 20; // between two suns of the strip
const SWEEP = 4000; // milliseconds of the one walk of the sun that nobody asked for

export async function show(figure) {
  const still = figure.querySelector("img");
  const strip = element("img", { src: still.src.replace(".webp", "-strip.webp") });
  await Promise.all([still.decode(), strip.decode()]);
  const [wide, tall] = [still.naturalWidth, still.naturalHeight];
  const suns = strip.naturalHeight / tall - LAYERS.length + 1;
  const last = (suns - 1) * STEPS;
  const canvas = element("canvas", { width: wide, height: tall, role: "img" });
  const context = canvas.getContext("2d");
  const state = { hour: 0, layer: 0 };

  function frame(number, share) {
    context.globalAlpha = share;
    context.drawImage(strip, 0, number * tall, wide, tall, 0, 0, wide, tall);
  }

  function draw(change) {
    Object.assign(state, change);
    const { hour, layer } = state;
    const sun = Math.floor(hour / STEPS);
    frame(layer ? suns + layer - 1 : sun, 1);
    if (!layer && hour % STEPS) frame(sun + 1, (hour % STEPS) / STEPS);
    canvas.setAttribute("aria-label", layer ? `${still.alt} Shown is ${LAYERS[layer]}.` : still.alt);
  }

  const light = slider("sun", last, state.hour, (hour) => stop() || draw({ hour }));
  const layers = choice("show", LAYERS, LAYERS[0], (name) => {
    stop();
    light.querySelector("input").disabled = name !== LAYERS[0];
    draw({ layer: LAYERS.indexOf(name) });
  });
  let moving = 0;
  const stop = () => cancelAnimationFrame(moving);

  function sweep(start, now) {
    const share = Math.min(1, (now - start) / SWEEP);
    draw({ hour: Math.round(last * (1 - Math.abs(1 - 2 * share))) }); // there and back
    light.set(last, state.hour);
    if (share < 1) moving = requestAnimationFrame((later) => sweep(start, later));
  }

  draw({});
  still.replaceWith(canvas);
  figure.querySelector("figcaption").before(element("div", { class: "controls" }, light, layers));
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) moving = requestAnimationFrame((now) => sweep(now, now));
}
