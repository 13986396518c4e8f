"""The slides of every chapter, as a projector shows them."""

import re

import pytest
from built import ROOT

DECKS = sorted(f"chapters/{path.stem}/deck/" for path in (ROOT / "chapters").glob("[0-9][0-9]_*.py"))
DECK = "chapters/07_im2col/deck/"
UNFIT = """() => {
  const unfit = [];
  for (const section of document.querySelectorAll(".slides > section")) {
    const slide = section.querySelector(".slide"), frame = slide.getBoundingClientRect(), scale = frame.width / 1280;
    if (!section.classList.contains("present") || !scale) unfit.push("a slide that is not shown");
    for (const part of slide.querySelectorAll("h1, h2, .shown, p, li, td, dd, pre, img, figcaption, .katex-html")) {
      const {left, top, right, bottom, width, height} = part.getBoundingClientRect();
      if (!width) continue;
      const outside = left < frame.left || top < frame.top || right > frame.right + 1 || bottom > frame.top + 690 * scale;
      const unseen = part.matches("img") && (height < 160 * scale || !part.naturalWidth);
      if (outside || unseen) unfit.push(`${slide.innerText.slice(0, 40)}: ${part.outerHTML.slice(0, 90)}`);
    }
    document.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", keyCode: 39}));
  }
  return unfit;
}"""


@pytest.fixture
def show(chromium, address):
    """Open a deck in a window of a given size."""
    contexts = []

    def show(path, width=1280, height=720, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(address + path)
        page.wait_for_selector(".reveal.ready")
        return page

    yield show
    for context in contexts:
        context.close()


def heading(page):
    return page.locator("section.present :is(h1, h2)").inner_text()


def wait_for(page, number):
    page.wait_for_function("n => document.querySelectorAll('.slides > section')[n - 1].classList.contains('present')", arg=number)


@pytest.mark.course
@pytest.mark.parametrize("path", DECKS)
def test_a_deck_of_the_course_has_more_than_ten_slides(show, path):
    assert show(path).locator(".slides > section").count() > 10


@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("path", DECKS)
def test_every_slide_fits_and_shows_its_figures(show, path, width, height):
    page = show(path, width, height)
    page.wait_for_function("[...document.images].every(image => image.loading === 'lazy' || image.complete)")
    page.evaluate("document.fonts.ready")
    assert page.locator(".slides > section").count() > 3
    assert page.evaluate(UNFIT) == []


@pytest.mark.course
def test_keys_and_addresses_lead_to_slides(show):
    page = show(f"{DECK}#/7")
    wait_for(page, 7)
    seventh = heading(page)
    for key, number in (("ArrowRight", 8), ("ArrowLeft", 7), ("Space", 8), ("PageUp", 7), ("Home", 1), ("PageDown", 2)):
        page.keyboard.press(key)
        wait_for(page, number)
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('section:last-of-type').classList.contains('present')")
    page.wait_for_url(re.compile(rf"#/{page.locator('.slides > section').count()}$"))
    page.goto(page.url.partition("#")[0] + "#/7")
    wait_for(page, 7)
    assert heading(page) == seventh


@pytest.mark.course
def test_overview_help_and_colours_are_a_key_away(show):
    page = show(DECK)
    page.keyboard.press("o")
    page.wait_for_selector(".reveal.overview")
    page.keyboard.press("Escape")
    page.wait_for_selector(".reveal:not(.overview)")
    page.keyboard.press("Shift+?")
    assert "Slide overview" in page.locator(".r-overlay-help").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"


@pytest.mark.course
def test_arrows_on_the_screen_and_swipes_turn_slides(show):
    page = show(DECK, has_touch=True)
    page.click(".controls .navigate-right")
    wait_for(page, 2)
    swipe = "([type, x]) => document.querySelector('.reveal').dispatchEvent(new PointerEvent(type, {pointerType: 'touch', clientX: x, clientY: 300, bubbles: true}))"
    for event in (["pointerdown", 900], ["pointermove", 300], ["pointerup", 300]):
        page.evaluate(swipe, event)
    wait_for(page, 3)


@pytest.mark.course
def test_slides_wear_the_colours_chosen_for_the_site(show):
    page = show(DECK, color_scheme="dark")
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"
    page.goto(page.url.partition("deck/")[0])
    page.click("form[data-md-component=palette] label >> visible=true")
    page.click(".masthead >> text=Slides")
    page.wait_for_selector(".reveal.ready")
    assert page.get_attribute("body", "data-md-color-scheme") == "default"


@pytest.mark.course
def test_a_deck_prints_one_slide_a_page(show):
    page = show(DECK)
    count = page.locator(".slides > section").count()
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.keyboard.press("e")
    page.wait_for_function("window.printed")
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == count
    assert set(re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)) == {b"0 0 960 540"}


@pytest.mark.course
def test_a_screen_reader_meets_one_slide_at_a_time(show):
    page = show(f"{DECK}#/7")
    wait_for(page, 7)
    shown = page.evaluate("[...document.querySelectorAll('.slides > section')].filter(s => !s.hidden && s.ariaHidden !== 'true').length")
    assert shown == 1
    assert heading(page) in page.locator(".aria-status[aria-live]").text_content()
