/* What is wider than its column scrolls; here it can be reached and scrolled with the keyboard too. */

const WIDE = ".output, .formula, .md-typeset__scrollwrap, pre > code";

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries)
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
});

// a frame later Material has put its own frames around the tables
document$.subscribe(() => requestAnimationFrame(() => document.querySelectorAll(WIDE).forEach((wide) => widths.observe(wide))));
