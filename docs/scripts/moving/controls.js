/* What the moving figures are built from: elements, sliders, choices, and matrices as tables. */

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/* A slider over whole numbers; its `set(max, value, text)` moves it from outside, `text` being what the value means. */
export function slider(name, max, value, oninput) {
  const input = element("input", { type: "range", min: "0", max: String(max), value: String(value) });
  input.addEventListener("input", () => oninput(Number(input.value)));
  const label = element("label", {}, `${name} `, input);
  label.set = (max, value, text = String(value)) => {
    Object.assign(input, { max, value });
    input.setAttribute("aria-valuetext", text);
  };
  return label;
}

export function choice(name, values, chosen, onchange) {
  const options = values.map((value) => element("option", { value: String(value), selected: value === chosen }, String(value)));
  const select = element("select", {}, ...options);
  select.addEventListener("change", () => onchange(values[select.selectedIndex]));
  return element("label", {}, `${name} `, select);
}

/* A picture on which a place is chosen: a drag calls `place` with shares of its width and height, from 0 to just under 1,
   an arrow key calls `step` with how far to the right and down. */
export function pad(name, picture, place, step) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const made = element("div", { class: "pad", tabindex: "0", role: "application", "aria-label": name }, ...picture);
  const follow = (event) => {
    const box = made.getBoundingClientRect();
    const share = (from, length) => Math.min(1 - 1e-9, Math.max(0, from / length));
    place(share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height));
  };
  made.addEventListener("pointerdown", (event) => {
    made.setPointerCapture(event.pointerId);
    follow(event);
  });
  made.addEventListener("pointermove", (event) => event.buttons && follow(event));
  made.addEventListener("keydown", (event) => {
    if (!steps[event.key]) return;
    event.preventDefault();
    step(...steps[event.key]);
  });
  return made;
}

/* A number as a reader writes it, with a true minus sign. */
export function spell(number, digits = 2) {
  return String(Number(number.toFixed(digits))).replace("-", "−");
}

/* A matrix as a table with a caption; `mark(row, column)` gives the class of a cell. */
export function matrix(values, caption, mark = () => "") {
  const body = element("tbody", {}, ...values.map((row, r) => element("tr", {}, ...row.map((value, c) => element("td", { class: mark(r, c) }, spell(value))))));
  return element("table", { class: "matrix" }, element("caption", {}, caption), body);
}
