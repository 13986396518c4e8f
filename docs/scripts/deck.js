/* The slides of a chapter: reveal.js, in the colours the reader chose for the site. */
import Reveal from "../assets/reveal/reveal.mjs";
import Notes from "../assets/reveal/notes.mjs";

const printing = new URLSearchParams(location.search).has("print-pdf");

function chosen() {
  if (printing) return "default";
  // Material keeps the choice under the path of the site
  const kept = localStorage.getItem(`${new URL("..", import.meta.url).pathname}.__palette`);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return JSON.parse(kept)?.color.scheme ?? (dark ? "slate" : "default");
}

function dress(scheme) {
  document.body.dataset.mdColorScheme = scheme;
  const theme = scheme === "slate" ? "dark" : "light";
  // a slide must not wait for its picture
  for (const image of document.querySelectorAll(`img[src$="#only-${theme}"]`)) image.loading = "eager";
}

dress(chosen());
const deck = new Reveal({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  transition: "none",
  navigationMode: "linear",
  hash: true,
  hashOneBasedIndex: true,
  slideNumber: "c/t",
  scrollActivationWidth: 0,
  pdfMaxPagesPerSlide: 1,
  keyboardCondition: (event) => event.key !== "?", // reveal.js looks for it where American keyboards have it
  plugins: [Notes],
});
document.addEventListener("keydown", (event) => event.key === "?" && deck.toggleHelp());
deck.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, () => {
  dress(document.body.dataset.mdColorScheme === "slate" ? "default" : "slate");
});
deck.addKeyBinding({ keyCode: 69, key: "E", description: "Export: print, or save as PDF" }, () => location.assign("?print-pdf"));
await deck.initialize();
if (printing) {
  const seen = [...document.images].filter((image) => image.loading === "eager");
  await Promise.all(seen.map((image) => image.decode()));
  print();
}
