// Lighthouse on the first page and three chapters of site/, served compressed on the loopback address.
// Bounds: 95 in each category, largest paint under 3 s throttled to a fast 3G phone and 1 s without, shift under 0.05.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const SITE = join(import.meta.dirname, "../../../site");
const PAGES = ["", "chapters/06_mlp/", "chapters/07_im2col/", "chapters/12_seeing_inside/"];
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".webp": "image/webp", ".woff2": "font/woff2" };
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"];

const server = createServer((request, response) => {
  let path = join(SITE, normalize(decodeURIComponent(new URL(request.url, "http://site").pathname)));
  if (path.endsWith("/")) path = join(path, "index.html");
  if (!existsSync(path)) return response.writeHead(404).end();
  const body = readFileSync(path);
  const packed = !/\.(webp|woff2)$/.test(path);
  const head = { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Cache-Control": "max-age=600" };
  response.writeHead(200, packed ? { ...head, "Content-Encoding": "gzip" } : head).end(packed ? gzipSync(body) : body);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const address = `http://127.0.0.1:${server.address().port}/`;
const chrome = await launch({ chromeFlags: FLAGS });

async function look(page, options) {
  const { lhr } = await lighthouse(address + page, { port: chrome.port, logLevel: "error", onlyCategories: CATEGORIES, ...options });
  const failed = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== "informative");
  return {
    scores: CATEGORIES.map((name) => Math.round(100 * lhr.categories[name].score)),
    paint: lhr.audits["largest-contentful-paint"].numericValue / 1000,
    shift: lhr.audits["cumulative-layout-shift"].numericValue,
    bytes: lhr.audits["total-byte-weight"].numericValue,
    failed: failed.map(({ id }) => id),
  };
}

let good = true;
try {
  for (const page of PAGES) {
    const phone = await look(page, {}); // Lighthouse's own: a phone at 1.6 Mbit/s and 150 ms, four times slower than this machine
    const desk = await look(page, { throttlingMethod: "provided", formFactor: "desktop", screenEmulation: { disabled: true } });
    const within = Math.min(...phone.scores) >= 95 && phone.paint < 3 && desk.paint < 1 && Math.max(phone.shift, desk.shift) < 0.05;
    good &&= within;
    const [kB, shift] = [Math.round(phone.bytes / 1000), Math.max(phone.shift, desk.shift).toFixed(3)];
    console.log(`${page || "home"}: ${phone.scores.join(", ")}; largest paint ${phone.paint.toFixed(2)} s on a phone, ${desk.paint.toFixed(2)} s here; shift ${shift}; ${kB} kB`);
    if (!within) console.log(`  below: ${phone.failed.join(", ")}`);
  }
} finally {
  chrome.kill();
  server.close();
}
process.exitCode = good ? 0 : 1;
