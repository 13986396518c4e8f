/* What the moving figures are built from: elements, sliders, choices, and matrices as tables. */

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/* A slider over whole numbers; its `set(max, value)` moves it from outside. */
export function slider(name, max, value, oninput) {
  const input = element("input", { type: "range", min: "0", max: String(max), value: String(value) });
  input.addEventListener("input", () => oninput(Number(input.value)));
  const label = element("label", {}, `${name} `, input);
  label.set = (max, value) => Object.assign(input, { max, value });
  return label;
}

export function choice(name, values, chosen, onchange) {
  const options = values.map((value) => element("option", { value: String(value), selected: value === chosen }, String(value)));
  const select = element("select", {}, ...options);
  select.addEventListener("change", () => onchange(values[select.selectedIndex]));
  return element("label", {}, `${name} `, select);
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
