// Formulas in, HTML with MathML out: [[tex, display], …] on standard input, [{html} or {error}, …] on standard output.
import { readFileSync } from "node:fs";
import katex from "katex";

const formulas = JSON.parse(readFileSync(0, "utf8"));
const results = formulas.map(([tex, displayMode]) => {
  try {
    const html = katex.renderToString(tex, { displayMode, strict: "error", throwOnError: true });
    return { html: html.replace(/<annotation .*?<\/annotation>/s, "") }; // the source once more, which nobody is read
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(results));
