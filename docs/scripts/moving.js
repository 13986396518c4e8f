/* Figures that move: each waits as a picture until the reader asks for more, and loads its script and numbers then. */

function offer(figure) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "moving-start";
  button.textContent = figure.dataset.size >= 100 ? `Try it yourself (loads ${figure.dataset.size} kB)` : "Try it yourself";
  button.addEventListener("click", async () => {
    button.disabled = true;
    const still = [...figure.childNodes];
    try {
      const [script, answer] = await Promise.all([import(`./moving/${figure.dataset.moving}.js`), fetch(figure.dataset.source)]);
      const data = await answer.json();
      const stage = document.createElement("div");
      stage.className = "stage";
      figure.replaceChildren(stage);
      await script.show(stage, data);
      stage.querySelector("input, select, button").focus();
    } catch (error) {
      figure.replaceChildren(...still);
      button.disabled = false;
      button.textContent = "It could not be loaded. Try again";
      throw error;
    }
  });
  figure.append(button);
}

document$.subscribe(() => {
  document.querySelectorAll("[data-moving]").forEach(offer);
  const living = document.querySelector("figure.living");
  if (living) import("./living.js").then((script) => script.show(living));
});
