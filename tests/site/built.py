"""Where the site is, and what pages it has."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"


def pages() -> list[str]:
    """List the pages of the site by address, the one for addresses that are not there among them."""
    found = sorted(SITE.rglob("*.html"))
    return [path.relative_to(SITE).as_posix().removesuffix("index.html") for path in found]
