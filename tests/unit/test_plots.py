"""The figure kit: two themes from one call, the same bytes twice, nothing left open, and clear complaints."""

import functools
import io
import json
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from dtwin import plots

PHOTO = np.linspace(0, 1, 3 * 80 * 90).reshape(3, 80, 90)
PHOTOS = np.linspace(0, 1, 4 * 3 * 32 * 32).reshape(4, 3, 32, 32)
LAYER = np.eye(9, dtype=int) * 4
KINDS = {
    "images": lambda: plots.images([PHOTO, PHOTO[0]], ["colour", "grey"], signed=[False, True]),
    "small images": lambda: plots.images(np.eye(6).reshape(6, 1, 2, 3), columns=4, signed=True),
    "neighbours": lambda: plots.neighbours(PHOTOS, [0, 2], {"near": [[1], [3]], "far": [[2], [1]]}, [0, 0, 1, 1]),
    "overlays": lambda: plots.overlays(PHOTOS[:3], [None, np.eye(32), -np.eye(32)], "abc", [None, None, np.eye(32) > 0], 2),
    "maps": lambda: plots.maps(PHOTOS[0], {"a": [np.eye(4)] * 3, "b": [np.eye(2)]}, ["one", "two", "three"]),
    "matrices": lambda: plots.matrices([np.eye(2), -np.eye(2), [[0.25]]], ["a", "b", "c"], ["×", "="]),
    "im2col": lambda: plots.im2col(np.arange(9).reshape(3, 3), [[1, 0], [2, -1]]),
    "tied": lambda: plots.tied(LAYER, (3, 3)),
    "curves": lambda: plots.curves({"one": np.eye(3, 5), "two": np.arange(5)}, "epoch", "loss"),
    "curves over x": lambda: plots.curves({"one": [1, 10, 100]}, "n", "s", x=[1, 2, 4], log="xy"),
    "bars": lambda: plots.bars({"left": [1, 2], "right": [3, 4.5]}, ["a", "b"], form="{:.1f}"),
}
kinds = pytest.mark.parametrize("kind", KINDS)


@functools.cache
def drawn(kind):
    return KINDS[kind]()


@kinds
def test_the_same_figure_has_the_same_bytes_twice(kind):
    first, second = drawn(kind), KINDS[kind]()
    assert (first.light, first.dark) == (second.light, second.dark)


def test_another_process_draws_the_same_bytes():
    code = "from dtwin import plots; print(plots.bars({'a': [1, 2]}, ['x', 'y']).light.decode(), end='')"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == plots.bars({"a": [1, 2]}, ["x", "y"]).light.decode() and other.stderr == ""


@kinds
def test_the_dark_picture_differs_and_holds_the_dark_ink(kind):
    drawing = drawn(kind)
    assert drawing.light != drawing.dark
    if drawing.mime == "image/svg+xml":
        light, dark = drawing.light.decode(), drawing.dark.decode()
        assert any(colour in dark for colour in (plots.DARK.ink, plots.DARK.faint))
        assert plots.LIGHT.ink not in dark and plots.DARK.ink not in light


@kinds
def test_a_figure_leaves_nothing_open(kind):
    drawn(kind)
    assert plt.get_fignums() == [] and plots.theme() is plots.LIGHT


def test_the_ground_is_transparent():
    assert Image.open(io.BytesIO(drawn("images").light)).convert("RGBA").getpixel((0, 0))[3] == 0
    frame = drawn("curves").light.decode().split('id="patch_1"')[1].split("</g>")[0]
    assert "fill: none" in frame


@kinds
def test_the_bundle_is_what_the_site_reads(kind):
    drawing = drawn(kind)
    data, metadata = drawing._repr_mimebundle_()
    assert set(data) == {"text/plain", drawing.mime, plots.DARK_KEY}
    assert set(data[plots.DARK_KEY]) == {drawing.mime}
    assert metadata[drawing.mime]["width"] == round(96 * plots.WIDTH) == 662
    assert "0x" not in data["text/plain"] and drawing.name in data["text/plain"]
    json.dumps(data)


def test_a_figure_that_moves_is_its_still_and_plain_data():
    still = drawn("matrices")
    figure = plots.moving("im2col", still, image=np.eye(2, dtype=int), settings={"stride": (1, np.int64(2))}, name="a")
    data, metadata = figure._repr_mimebundle_()
    expected, sizes = still._repr_mimebundle_()
    moving = data.pop("application/vnd.dtwin.moving+json")
    assert moving == {"name": "im2col", "data": {"image": [[1, 0], [0, 1]], "settings": {"stride": [1, 2]}, "name": "a"}}
    assert json.loads(json.dumps(moving)) == moving
    assert data.pop("text/plain").startswith(expected.pop("text/plain"))
    assert data == expected and metadata == sizes


def test_what_cannot_move_is_refused():
    with pytest.raises(ValueError, match="moving: got a ndarray, expected a Drawing"):
        plots.moving("im2col", np.eye(2))
    with pytest.raises(ValueError, match="moving: got a set, expected arrays, numbers or strings"):
        plots.moving("im2col", drawn("matrices"), image={1, 2})


def test_bars_may_all_be_zero():
    assert plots.bars({"t": [0, 0.0]}, ["a", "b"]).mime == "image/svg+xml"  # a warning would be an error


def test_lines_become_svg_and_photographs_png_at_twice_the_size():
    assert drawn("curves").mime == drawn("small images").mime == "image/svg+xml"
    photo = drawn("images")
    assert photo.mime == "image/png" and photo.light.startswith(b"\x89PNG")
    width, height = (int.from_bytes(photo.light[at:at + 4], "big") for at in (16, 20))
    assert (width, height) == pytest.approx([2 * side for side in photo.size], abs=2)


@kinds
def test_a_vector_figure_is_small(kind):
    drawing = drawn(kind)
    assert drawing.mime == "image/png" or len(drawing.light) < 60_000


def test_a_logarithmic_axis_of_few_steps_names_each():
    axis = plots.curves.__wrapped__({"one": [1, 2, 3]}, "n", "s", x=[250, 1000, 4000], log="x").axes[0].xaxis
    assert [label.get_text() for label in axis.get_ticklabels()] == ["250", "1,000", "4,000"]
    assert not len(axis.get_minorticklocs())


def luminance(colour):
    channels = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [plots.LIGHT, plots.DARK], ids=["light", "dark"])
def test_colours_stand_out_from_the_page(theme):
    assert contrast(theme.ink, theme.paper) > 7
    assert contrast(theme.muted, theme.paper) > 4.5
    # lines need 3 : 1, and so do the names written in their colour at least
    assert min(contrast(colour, theme.paper) for colour in theme.series) > 4


def test_a_chapter_can_bring_its_own_figure_made_with_pyplot():
    @plots.figure
    def own(colour):
        fig, ax = plt.subplots()
        ax.plot([0, 1], color=colour)
        return fig

    drawing = own("C1")
    assert plots.LIGHT.series[1] in drawing.light.decode() and plots.DARK.series[1] in drawing.dark.decode()
    assert plt.get_fignums() == [] and repr(drawing).startswith("<figure own")


def test_a_figure_that_fails_says_so_at_once_and_leaves_nothing_behind():
    @plots.figure
    def broken():
        plt.figure()
        raise RuntimeError("no data")

    settings = dict(mpl.rcParams)
    with pytest.raises(RuntimeError, match="no data"):
        broken()
    assert plt.get_fignums() == [] and plots.theme() is plots.LIGHT and dict(mpl.rcParams) == settings


def test_a_decorated_function_must_return_a_figure():
    with pytest.raises(TypeError, match="plots.figure: got NoneType, expected a matplotlib Figure"):
        plots.figure(lambda: None)()


@pytest.mark.parametrize("call, message", [
    (lambda: plots.images([]), r"plots.images: got no pictures, expected at least one"),
    (lambda: plots.images([np.zeros((2, 4, 4))]), r"plots.images: got shape \(2, 4, 4\), expected \(H, W\)"),
    (lambda: plots.images([np.zeros((0, 4))]), r"plots.images: got shape \(0, 4\)"),
    (lambda: plots.images([PHOTO], ["a", "b"]), r"plots.images: got 2 labels, expected 1"),
    (lambda: plots.images([PHOTO], signed=[True, True]), r"plots.images: got 2 in signed, expected 1"),
    (lambda: plots.neighbours(PHOTOS[:, 0], [0], {"a": [[1]]}, [0] * 4), r"plots.neighbours: got shape \(4, 32, 32\)"),
    (lambda: plots.neighbours(PHOTOS, [0], {"a": [[1]]}, [0]), r"shape \(4, 3, 32, 32\) and 1 labels, expected \(N, 3"),
    (lambda: plots.neighbours(PHOTOS, [0], {"a": [[1], [2]]}, [0] * 4), r"got 1 queries and found \[\(2, 1\)\]"),
    (lambda: plots.overlays([], []), "plots.overlays: got no pictures, expected at least one"),
    (lambda: plots.overlays(PHOTOS, [None]), "plots.overlays: got 1 maps, expected 4, one for each picture"),
    (lambda: plots.overlays(PHOTOS[:1], [None], []), "plots.overlays: got 0 labels, expected 1"),
    (lambda: plots.overlays(PHOTOS[:1], [np.eye(4)]), r"plots.overlays: got shapes \(3, 32, 32\), \(4, 4\), expected a"),
    (lambda: plots.overlays(PHOTOS[:1], [None], masks=[np.eye(4)]), r"got shapes \(3, 32, 32\), \(4, 4\), expected a pic"),
    (lambda: plots.maps(PHOTOS, {"a": [np.eye(4)]}), r"plots.maps: got shape \(4, 3, 32, 32\), expected a picture"),
    (lambda: plots.maps(PHOTO, {"a": [PHOTO]}), r"plots.maps: got shapes \[\(3, 80, 90\)\], expected maps \(h, w\)"),
    (lambda: plots.maps(PHOTO, {}), r"plots.maps: got shapes \[\], expected maps"),
    (lambda: plots.maps(PHOTO, {"a": [np.eye(4)] * 2}, ["one"]), "plots.maps: got 1 titles, expected 2, one for each"),
    (lambda: plots.neighbours(PHOTOS, [0], {}, [0] * 4), r"got 1 queries and found \[\], expected indices of one shape"),
    (lambda: plots.matrices([PHOTO]), r"plots.matrices: got \[\(3, 80, 90\)\], expected matrices"),
    (lambda: plots.matrices([np.eye(2)], labels=[]), r"plots.matrices: got 0 labels, expected 1"),
    (lambda: plots.matrices([np.eye(2)], between=["="]), r"plots.matrices: got 1 signs, expected 0"),
    (lambda: plots.im2col(np.eye(9), np.eye(2)), r"plots.im2col: got 64 windows, expected one to six"),
    (lambda: plots.im2col(np.eye(2), np.eye(3)), r"plots.im2col: got 0 windows, expected one to six"),
    (lambda: plots.im2col(np.zeros(4), np.eye(2)), r"plots.im2col: got shapes \(4,\) and \(2, 2\)"),
    (lambda: plots.tied(LAYER, (1, 3)), r"plots.tied: got shape \(9, 9\), expected a matrix of weight numbers 0 to 3"),
    (lambda: plots.curves({}, "x", "y"), r"plots.curves: got no curves, expected at least one"),
    (lambda: plots.curves({"a": np.zeros((1, 2, 3))}, "x", "y"), r"plots.curves: got shape \(1, 2, 3\) for 'a'"),
    (lambda: plots.curves({"a": [1, 2]}, "x", "y", x=[1]), r"plots.curves: got 2 steps for 'a', expected 1, as in x"),
    (lambda: plots.curves({"a": [1]}, "x", "y", log="z"), r"plots.curves: got log='z', expected \"\", \"x\""),
    (lambda: plots.bars({}, []), r"plots.bars: got no panels, expected at least one"),
    (lambda: plots.bars({"t": [1, 2]}, ["a"]), r"plots.bars: got shape \(2,\) for 't', expected \(1,\)"),
    (lambda: plots.bars({"t": [1, -2]}, ["a", "b"]), r"plots.bars: got -2 for 't', expected values from 0"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
