"""The first page in a browser: the cow under her sun, and the cards of the chapters."""

import base64
import io
import re

import numpy as np
import pytest
from built import ROOT, SITE
from PIL import Image

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.py"))
SHOWN = "canvas => canvas.toDataURL('image/png')"


def shown(page):
    """What the canvas shows, (240, 360, 3)."""
    png = page.locator(".living canvas").evaluate(SHOWN).partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), float)


@pytest.fixture(scope="module")
def frames():
    """The frames of the strip: twelve suns, then distance, directions and parts."""
    strip = Image.open(io.BytesIO((SITE / "assets/cow-strip.webp").read_bytes())).convert("RGB")
    return np.asarray(strip, float).reshape(15, 240, 360, 3)


def test_the_reader_turns_the_sun_by_keyboard_and_asks_for_the_truth(visit, frames):
    page = visit("", reduced_motion="reduce")
    sun = page.locator(".living input")
    assert np.abs(shown(page) - frames[0]).mean() < 2
    sun.focus()
    page.keyboard.press("End")
    assert np.abs(shown(page) - frames[11]).mean() < 2
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert np.abs(shown(page) - (frames[10] + frames[11]) / 2).mean() < 2
    for layer, name in enumerate(("how far each point is", "which way it faces", "which part it is"), 12):
        page.locator(".living select").select_option(name)
        assert np.abs(shown(page) - frames[layer]).mean() < 2 and sun.is_disabled()
        assert name in page.locator(".living canvas").get_attribute("aria-label")
    assert not page.complaints


def test_the_sun_walks_once_by_itself_and_stands_within_five_seconds(visit):
    page = visit("")
    page.reload(wait_until="commit")  # and look from the first frame on
    page.wait_for_function("document.querySelector('.living input')?.value > 50")
    page.wait_for_function("document.querySelector('.living input').value == 0", timeout=5000)
    page.wait_for_timeout(300)
    assert page.locator(".living input").input_value() == "0"


def test_it_does_not_move_for_who_wants_no_motion_and_is_a_picture_without_scripts(visit):
    page = visit("", reduced_motion="reduce")
    page.wait_for_timeout(500)
    assert page.locator(".living input").input_value() == "0"
    still = visit("", java_script_enabled=False)
    assert still.locator(".living img").evaluate("image => image.naturalWidth") == 360
    assert still.locator(".living .controls").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_chapter_has_a_card_that_leads_to_it_and_shows_its_figure(visit, scheme):
    page = visit("", scheme=scheme, reading=True, reduced_motion="reduce")
    cards = page.locator(".card")
    assert [href.split("/")[-2] for href in cards.locator("h3 a:first-child").evaluate_all("all => all.map(a => a.href)")] == CHAPTERS
    for text in cards.all_inner_texts():
        assert re.search(r"\?\s+Runs in \d+ s\. (No claims|\d+ claims?: \d+ \w+.*)\.$", text.strip()), text
    pictures = cards.locator("img >> visible=true")
    assert pictures.count() == len(CHAPTERS)
    assert all(pictures.evaluate_all(f"all => all.map(i => i.naturalWidth > 0 && i.src.endsWith('#only-{scheme}'))"))
    last = pictures.last
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # the link of the title lies over the card
    page.wait_for_url(f"**/{CHAPTERS[-1]}/")
