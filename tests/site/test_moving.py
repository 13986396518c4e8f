"""Figures that move, in a browser: what they show is what `dtwin.ref` computes from the same numbers."""

import json

import numpy as np
import pytest
from built import SITE

from dtwin import ref

CHAPTER = "chapters/07_im2col/"


def start(page, name):
    """Ask a figure to move; return its stage, and the data it was given."""
    figure = page.locator(f"[data-moving={name}]")
    source = figure.get_attribute("data-source")
    figure.locator("button").click()
    stage = figure.locator(".stage")
    stage.locator(".controls").wait_for()
    return stage, json.loads((SITE / CHAPTER / source).read_text("utf-8"))


def choose(stage, name, value):
    stage.get_by_label(name, exact=False).locator("visible=true").first.select_option(str(value))


def numbers(stage, caption):
    """The matrix with a caption, as its cells read."""
    rows = stage.locator("table", has_text=caption).locator("tr").all()
    return np.array([[float(text.replace("−", "-")) for text in row.locator("td").all_inner_texts()] for row in rows])


@pytest.mark.parametrize("stride, padding, channels", [(1, 0, 1), (1, 1, 2), (2, 1, 1), (2, 0, 2)])
def test_im2col_steps_through_the_reference(visit, stride, padding, channels):
    page = visit(CHAPTER)
    stage, data = start(page, "im2col")
    for name, value in {"channels": channels, "stride": stride, "padding": padding}.items():
        choose(stage, name, value)
    x, w = np.array(data["image"])[None, :channels], np.array(data["weight"])[:, :channels]
    assert np.array_equal(numbers(stage, "windows as columns"), ref.im2col(x, w.shape[2:], stride=stride, padding=padding)[0])
    maps = ref.conv2d(x.astype(float), w.astype(float), stride=stride, padding=padding)[0]
    for n, expected in enumerate(maps):
        assert np.array_equal(numbers(stage, f"feature map {n + 1}"), expected)
    stage.get_by_label("window").focus()
    page.keyboard.press("End")
    assert stage.locator(".sum").inner_text().endswith(f"= {maps[0].ravel()[-1]:.0f}".replace("-", "−"))
    assert not page.complaints


def test_a_kernel_of_the_reader_s_own_gives_the_reference_s_map(visit):
    page = visit(CHAPTER)
    stage, data = start(page, "kernel")
    kernel = [[0, 0.5, 0], [0, -1.25, 0], [0, 0.5, 0.25]]
    for field, value in zip(stage.get_by_role("spinbutton").all(), np.ravel(kernel)):
        field.fill(f"{value:g}")
    expected = ref.conv2d(np.array(data["photograph"])[None, None], np.array(kernel)[None, None])
    assert stage.locator(".sum").inner_text() == f"The map goes from {expected.min():.3f} to {expected.max():.3f}."
    pixels = stage.locator("canvas").nth(1).evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, n) => n % 4 === 0)"
    )
    grey = np.reshape(pixels, np.shape(data["photograph"]))[1:-1, 1:-1]
    assert np.abs(grey - (127.5 + 127.5 * expected[0, 0] / np.abs(expected).max())).max() <= 1
    assert not page.complaints


def test_a_figure_that_moves_is_a_picture_without_scripts_and_loads_nothing_before_it_is_asked(visit):
    page = visit(CHAPTER)
    assert not [url for url in page.seen if "/moving/" in url or url.endswith(".json") and "figure" in url]
    still = visit(CHAPTER, java_script_enabled=False, read=False)
    assert still.locator("[data-moving] img").count() >= 2
    assert still.locator(".moving-start").count() == 0


def test_a_figure_that_cannot_load_says_so_and_can_be_asked_again(visit):
    page = visit(CHAPTER)
    page.route("**/moving/*.js", lambda route: route.abort())
    button = page.locator("[data-moving=im2col] button")
    button.click()
    page.wait_for_function("document.querySelector('[data-moving=im2col] button').textContent.includes('again')")
    page.unroute("**/moving/*.js")
    assert button.is_enabled()
