"""Figures that move, in a browser: what they show is what `dtwin.ref` computes from the same numbers."""

import json
import re

import numpy as np
import pytest
import torch
from built import SITE

from dtwin import receptive, ref, twin

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


@pytest.mark.parametrize("name, side, depth, keys, unit", [
    ("AlexNet", 224, 1, "", (27, 27)), ("AlexNet", 224, 7, "ArrowUp ArrowLeft", (5, 5)), ("VGG-19", 224, 12, "ArrowDown", (15, 14)),
    ("ResNet-34", 224, 20, "ArrowLeft ArrowLeft ArrowLeft", (7, 4)), ("ResNet-20", 32, 6, "ArrowRight ArrowUp", (15, 17)),
    ("Plain-20", 32, 19, 9 * "ArrowRight ", (4, 7)),
])
def test_a_unit_s_receptive_field_is_that_of_the_network(visit, name, side, depth, keys, unit):
    page = visit(CHAPTER)
    stage, _ = start(page, "receptive")
    choose(stage, "network", name)
    stage.get_by_label("layer").fill(str(depth - 1))
    stage.get_by_role("application").focus()
    for key in keys.split():
        page.keyboard.press(key)
    with torch.device("meta"):
        layers = receptive.layers(getattr(twin.nets, name.lower().replace("-", ""))(), (3, side, side))[:depth]
    length, step, first = receptive.field(layers)
    said = [int(number) for number in re.findall(r"\d+", stage.locator(".sum").inner_text().split(" has ")[1])]
    first = first + step * np.array(unit)
    seen = np.clip([first, first + length], 0, side)
    assert said == [layers[-1].units] * 2 + [length] * 2 + [step, side, side, *np.array(unit) + 1, *np.ravel(seen.T + [[1, 0]])]
    assert stage.get_by_label("layer").get_attribute("aria-valuetext") == layers[-1].name
    picture, field = (stage.locator(place).bounding_box() for place in ("canvas", ".field"))
    shares = [[(field[at] - picture[at]) / picture["width"], (field[at] + field[size] - picture[at]) / picture["width"]]
              for at, size in (("y", "height"), ("x", "width"))]
    assert np.array(shares) * side == pytest.approx(seen.T, abs=0.02 * side)
    assert not page.complaints


def test_a_drag_and_a_finger_choose_the_unit(visit):
    page = visit(CHAPTER, has_touch=True)
    stage, _ = start(page, "receptive")
    stage.get_by_label("layer").fill("7")
    picture = stage.get_by_role("application")
    box = picture.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + box["height"] - 5)
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    assert "unit 6, 1 sees rows 95 to 224 and columns 1 to 129." in stage.locator(".sum").inner_text()
    picture.tap(position={"x": box["width"] - 3, "y": 3})
    assert "unit 1, 6 sees" in stage.locator(".sum").inner_text()


def test_a_figure_that_moves_is_a_picture_without_scripts_and_loads_nothing_before_it_is_asked(visit):
    page = visit(CHAPTER)
    assert not [url for url in page.seen if "/moving/" in url or url.endswith(".json") and "figure" in url]
    still = visit(CHAPTER, java_script_enabled=False, read=False)
    assert still.locator("[data-moving] img").count() == 2 * still.locator("[data-moving]").count() >= 6
    assert still.locator(".moving-start").count() == 0


def test_a_figure_that_cannot_load_says_so_and_can_be_asked_again(visit):
    page = visit(CHAPTER)
    page.route("**/moving/*.js", lambda route: route.abort())
    button = page.locator("[data-moving=im2col] button")
    button.click()
    page.wait_for_function("document.querySelector('[data-moving=im2col] button').textContent.includes('again')")
    page.unroute("**/moving/*.js")
    assert button.is_enabled()
