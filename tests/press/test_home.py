"""The first page: what stands on a card, and the cow's pictures."""

import io
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from dtwin.data import pasture
from PIL import Image
from press import chapter, home, page

CHAPTERS = chapter.find(Path(__file__).parents[2] / "chapters")
CELLS = ['# %% alt="A cow."\ncow', "# %% [markdown]\n# **Figure.** A cow."]


def sheet_of(made, picture, kind="image/svg+xml"):
    """The sheet of a chapter whose first code cell shows a picture."""
    output = nbformat.v4.new_output("display_data", {kind: picture, page.figures.DARK: {kind: picture}})
    output.metadata = {kind: {"width": 96, "height": 48}}
    run = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[output]) for source in made.code])
    run.metadata["press"] = {"seconds": 12.4}
    return page.lay_out(made, run)


@pytest.mark.parametrize("made", CHAPTERS, ids=[made.slug for made in CHAPTERS])
def test_every_chapter_asks_one_question(made):
    assert made.question.endswith("?") and len(made.question) < 110


def test_a_card_has_picture_title_question_cost_and_verdicts(write):
    made = write(*CELLS)
    made.notebook.cells[0].metadata["question"] = "Is it a cow?"
    sheet = sheet_of(made, "<svg>")
    assert home.card(sheet).split("\n\n") == [
        '<div class="card" markdown="1">',
        "".join(f"![](chapters/01_tiny/figure-1-{t}.svg#only-{t}){{ .thumbnail loading=lazy width=320 height=160 }}" for t in ("light", "dark")),
        "### [1 A tiny chapter](chapters/01_tiny.ipynb)",
        "Is it a cow?",
        "<small>Runs in 12 s. No claims.</small>",
        "</div>\n",
    ]
    known = home.claims.registry().values()
    claim = next(claim for claim in known if claim.band)
    quoted = next(claim for claim in known if not claim.band)
    good, bad = claim.band[0], claim.band[0] - 1
    assert home.verdicts(replace(sheet, claims={claim.id: good})) == "1 claim: 1 reproduced."
    assert home.verdicts(replace(sheet, claims={quoted.id: None, claim.id: bad})) == "2 claims: 1 not reproduced, 1 quoted."


def test_a_picture_of_pixels_is_made_small_and_a_drawing_stays(write):
    file = io.BytesIO()
    Image.new("RGBA", (1320, 600)).save(file, "png")
    png = page.figures.base64.b64encode(file.getvalue()).decode()
    thumbnails = home.thumbnails(sheet_of(write(*CELLS), png, "image/png"))
    assert list(thumbnails) == ["card-figure-1-light.webp", "card-figure-1-dark.webp"]
    assert all(Image.open(io.BytesIO(picture)).size == (480, 218) for picture in thumbnails.values())
    assert home.thumbnails(sheet_of(write(*CELLS), "<svg>")) == {"figure-1-light.svg": b"<svg>", "figure-1-dark.svg": b"<svg>"}
    assert home.thumbnails(replace(sheet_of(write(*CELLS), "<svg>"), figures=())) == {}


def test_the_cow_is_drawn_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "draw", lambda: (b"cow", b"strip"))
    assert home.living(tmp_path) == {"cow.webp": b"cow", "cow-strip.webp": b"strip"}
    monkeypatch.setattr(home, "draw", lambda: pytest.fail("drawn again"))
    assert home.living(tmp_path)["cow.webp"] == b"cow"
    monkeypatch.setattr(home, "sources", lambda path: "another pasture")
    with pytest.raises(pytest.fail.Exception):
        home.living(tmp_path)


def test_the_strip_has_a_frame_for_each_sun_and_each_truth(monkeypatch):
    monkeypatch.setattr(home, "SUNS", home.SUNS[[0, 9]])
    monkeypatch.setattr(home, "COW", replace(home.COW, samples=1))
    cow, strip = (np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), float) for picture in home.draw())
    frames = strip.reshape(5, *cow.shape)
    view = pasture.render(replace(home.COW, sun_azimuth=float(home.SUNS[0])))
    image = view.image.transpose(1, 2, 0)[home.ROWS]
    assert np.abs(cow - image).mean() < np.abs(frames[0] - image).mean() < np.abs(frames[1] - image).mean() / 2
    near, _, parts = frames[2:, ::4, ::4]
    depth, part = view.depth[home.ROWS][::4, ::4], view.parts[home.ROWS][::4, ::4]
    assert np.corrcoef(near.mean(-1).ravel(), 1 / depth.ravel())[0, 1] > 0.98
    assert parts[part > 0].mean() > 2 * parts[part == 0].mean()
