/* What is wider than its column scrolls; here it can be reached and scrolled with the keyboard too. */

const WIDE = ".output, .formula, .md-typeset__scrollwrap, pre > code";

function reach(wide) {
  if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  else wide.removeAttribute("tabindex");
}

const widths = new ResizeObserver((entries) => entries.forEach(({ target }) => reach(target)));

// a typeface that comes late changes what is in a box, not the box
document.fonts.addEventListener("loadingdone", () => {
  for (const wide of document.querySelectorAll(WIDE)) if (wide.checkVisibility({ contentVisibilityAuto: true })) reach(wide);
});

// a frame later Material has put its own frames around the tables
document$.subscribe(() => requestAnimationFrame(() => document.querySelectorAll(WIDE).forEach((wide) => widths.observe(wide))));
