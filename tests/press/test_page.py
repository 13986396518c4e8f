"""The page of a chapter, as it stands on the site: what Jupyter shows, in the site's own Markdown."""

import base64
import io
import json
import random
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from press import chapter, figures, page
from press.chapter import ChapterError

CELLS = [
    """\
# %% [markdown]
# ## A section
#
# Words with a note,[^one] a convolution and another convolution, and $x^2$.
#
# > [!warning]
# > Cows ahead.
#
# - [ ] a list""",
    "import numpy as np\nfrom dtwin import plots\nfrom IPython.display import HTML, Markdown\nprint('<prin' + 'ted> & done')",
    "'a value'",
    "HTML('<table class=\"mine\"><tr><td>cell</td></tr></table>')",
    "Markdown('| a |\\n|---|\\n| **bold** |\\n\\n[to the section](#a-section)')",
    "from IPython.display import Math\nMath('z^2')",
    "text = '''\n```\nfenced\n```\n'''",
    "# %% [markdown]\n# [^one]: The note stands in another cell.\n#\n# ### A subsection",
    '# %% alt="Ones & zeros, \\"quoted\\"."\nplots.matrices([np.eye(2)])',
    "# %% [markdown]\n# **Figure.** Lines with *emphasis* and $y$.\n#\n# After the caption.",
    '# %% alt="Noise."\nplots.images([np.random.default_rng(0).random((100, 100))])',
    "# %% [markdown]\n# **Figure.** Pixels, as elsewhere [@he2016, table 6].\n#\n# ## Sources\n#\n# A lecture.",
    "from dtwin import claims\nclaims.measure('conv3-parameters', 885120)",
]


@pytest.fixture(scope="module")
def site(project):
    """The folder of a built chapter and its parsed page."""
    project.chapter("01_page", *CELLS)
    status, said = project.press()
    assert status == 0, said
    folder = project.root / "site/chapters/01_page"
    return folder, BeautifulSoup(folder.joinpath("index.html").read_text("utf-8"), "html.parser").article


@pytest.fixture
def article(site):
    return site[1]


def test_callouts_are_admonitions(article):
    (callout,) = article.select("div.admonition.warning")
    assert "Cows ahead." in callout.text and "[!" not in article.text


def test_a_footnote_reaches_across_cells(article):
    reference = article.select("sup a.footnote-ref")[0]
    assert "The note stands in another cell." in article.find(id=reference["href"][1:]).text


def test_a_citation_in_a_caption_leads_to_the_source_and_back(article):
    caption = article.find("figure", id="figure-2").figcaption
    assert caption.get_text().endswith("as elsewhere.2, table 6")
    source = article.find(id=caption.find("a", class_="footnote-ref")["href"][1:])
    assert source.get_text().startswith("\nK. He, X. Zhang, S. Ren and J. Sun, Deep residual learning for image recognition, CVPR, 2016.")
    assert article.find(id=source.find("a", class_="footnote-backref")["href"][1:]).find_parent("figcaption") is caption
    parts = [part for part in (article.find(id="sources"), article.find(class_="footnote"), article.find(class_="colophon"))]
    assert [part for part in article.find_all(True) if part in parts] == parts


def test_a_term_is_explained_once(article):
    assert [term.text for term in article.select("abbr")] == ["convolution"]
    assert article.abbr["title"]


def test_code_stands_once_in_materials_blocks(article):
    blocks = [block.get_text() for block in article.select("div.highlight > pre > code")]
    assert len(blocks) == sum(not cell.startswith("# %% [markdown]") for cell in CELLS)
    assert CELLS[1] in blocks[0] and CELLS[6] in blocks[5]
    assert article.text.count("np.random.default_rng(0)") == 1
    assert not re.search(r"In\s*\[|Out\s*\[", article.text)


def test_outputs_of_every_kind_stand_after_their_code(article):
    outputs = article.select("div.output")
    assert [output.text.strip() for output in outputs[:3]] == ["<printed> & done", "'a value'", "cell"]
    assert outputs[2].select("table.mine td")
    assert article.select("table:not(.mine) td strong")[0].text == "bold"
    assert "data-slot" not in str(article)


def test_a_formula_is_set(article):
    assert "$" not in article.find("p").text and len(article.select(".formula .katex")) == 3


@pytest.mark.parametrize("number, alt, suffix", [(1, 'Ones & zeros, "quoted".', "svg"), (2, "Noise.", "webp")])
def test_a_figure_has_two_pictures_and_a_caption(site, number, alt, suffix):
    folder, article = site
    figure = article.find("figure", id=f"figure-{number}")
    pictures = figure.select("img")
    for theme, image in zip(("light", "dark"), pictures, strict=True):
        assert image["src"].endswith(f"figure-{number}-{theme}.{suffix}#only-{theme}")
        assert image["alt"] == alt and image["loading"] == "lazy"
        content = folder.joinpath(image["src"].partition("#")[0]).read_bytes()
        width, height = picture_size(content, suffix)
        assert int(image["width"]) / int(image["height"]) == pytest.approx(width / height, rel=0.01)
    assert figure.figcaption.text.startswith(f"Figure 1.{number} ")
    assert "Figure." not in article.text


def picture_size(content, suffix):
    if suffix == "webp":
        return Image.open(io.BytesIO(content)).size
    box = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', content)
    return float(box[1]), float(box[2])


def test_a_caption_is_markdown_and_what_follows_it_stays(article):
    caption = article.find("figure", id="figure-1").figcaption
    assert caption.em.text == "emphasis" and caption.select(".formula")
    assert "After the caption." in article.text and "After the caption." not in caption.text


def test_anchors_of_the_contents_and_of_claims_exist(site, project):
    folder, article = site
    whole = BeautifulSoup(folder.joinpath("index.html").read_text("utf-8"), "html.parser")
    contents = [link["href"] for link in whole.select("nav.md-nav--secondary a[href^='#']")]
    assert "#a-section" in contents and "#a-subsection" in contents
    assert all(whole.find(id=anchor[1:]) for anchor in contents)
    ledger = BeautifulSoup(project.root.joinpath("site/ledger/index.html").read_text("utf-8"), "html.parser")
    (link,) = ledger.article.select("a[href*='#claim-']")
    assert link["href"] == "../chapters/01_page/#claim-conv3-parameters" and article.find(id="claim-conv3-parameters")


def test_the_notebook_and_the_script_are_offered(site, project):
    folder, article = site
    links = [link["href"] for link in article.select("a[download]")]
    assert links == ["01_page.ipynb", "01_page.py"]
    assert folder.joinpath("01_page.py").read_bytes() == project.root.joinpath("chapters/01_page.py").read_bytes()
    notebook = nbformat.read(folder / "01_page.ipynb", as_version=4)
    nbformat.validate(notebook)
    pictured = [kind for cell in notebook.cells for o in cell.get("outputs", ()) for kind in o.get("data", ())]
    assert {"image/svg+xml", "image/jpeg"} <= set(pictured) and not {"image/png", figures.DARK} & set(pictured)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"][0] == CELLS[1]


def test_a_picture_of_a_notebook_is_a_jpeg_on_white_of_the_same_size():
    file, size = io.BytesIO(), {"width": 4, "height": 2}
    Image.new("RGBA", (8, 4), (0, 0, 0, 0)).save(file, "png")
    png = base64.b64encode(file.getvalue()).decode()
    output = nbformat.v4.new_output("display_data", {"image/png": png, figures.DARK: {}}, metadata={"image/png": size})
    figures.light(output)
    assert set(output.data) == {"image/jpeg"} and output.metadata == {"image/jpeg": size}
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"])))
    assert picture.size == (8, 4) and picture.getpixel((3, 3)) == (255, 255, 255)


def test_search_finds_prose_and_not_outputs(site, project):
    index = json.loads(project.root.joinpath("site/search/search_index.json").read_text("utf-8"))
    text = " ".join(doc["text"] for doc in index["docs"] if doc["location"].startswith("chapters/01_page/"))
    assert "Cows ahead" in text and "After the caption" in text
    assert "printed" not in text


PICTURE = {"text/plain": "<figure>", "image/svg+xml": "<svg>", figures.DARK: {"image/svg+xml": "<svg>"}}
SIZE = {"image/svg+xml": {"width": 96, "height": 48}}
CAPTION = "# %% [markdown]\n# **Figure.** A cow."
WRONG = {
    "no alt text": (["draw()", CAPTION], PICTURE, "the figure has no alt text"),
    "an empty alt text": (['# %% alt=" "\ndraw()', CAPTION], PICTURE, "the figure has no alt text"),
    "no dark twin": (['# %% alt="A cow."\ndraw()', CAPTION], {"image/png": ""}, "the figure has no dark twin"),
    "no caption": (['# %% alt="A cow."\ndraw()', "# %% [markdown]\n# A cow."], PICTURE, "the figure has no caption"),
    "nothing after it": (['# %% alt="A cow."\ndraw()'], PICTURE, "the figure has no caption"),
    "a photograph": (['# %% alt="A cow."\ndraw()', CAPTION], {"image/jpeg": "", "text/plain": "x"}, "cannot be shown on a page: image/jpeg"),
    "a script": (["draw()"], {"application/javascript": ""}, "cannot be shown on a page: application/javascript"),
}


def ran(*data):
    outputs = [nbformat.v4.new_output("display_data", each, metadata=SIZE) for each in data]
    cell = nbformat.v4.new_code_cell(outputs=outputs)
    return nbformat.v4.new_notebook(cells=[cell], metadata={"press": {}})


def test_a_figure_that_moves_brings_its_numbers_and_its_picture(write):
    moving = {"name": "im2col", "data": {"image": [[1, 0]], "noise": random.Random(0).randbytes(50_000).hex()}}
    chapter = write('# %% alt="A cow."\ndraw()', CAPTION)
    (figure,) = page.lay_out(chapter, ran(PICTURE | {figures.MOVING: moving})).figures
    assert json.loads(figure.files["figure-1.json"]) == moving["data"]
    holder = BeautifulSoup(figure.html(), "html.parser").div
    assert (holder["data-moving"], holder["data-source"]) == ("im2col", "figure-1.json")
    assert 50 <= int(holder["data-size"]) < 60  # kB, compressed
    assert len(holder.find_all("img")) == 2
    (still,) = page.lay_out(chapter, ran(PICTURE)).figures
    assert len(still.files) == 2 and "data-moving" not in still.html()


@pytest.mark.parametrize("cells, data, message", WRONG.values(), ids=WRONG)
def test_a_figure_that_is_not_whole_is_refused(write, cells, data, message):
    with pytest.raises(ChapterError, match=f"01_tiny.py, cell 2, line 4: .*{message}"):
        page.lay_out(write(*cells), ran(data))


def test_two_figures_of_one_cell_are_refused(write):
    with pytest.raises(ChapterError, match="cell 2, line 4: shows more than one figure"):
        page.lay_out(write('# %% alt="A cow."\ndraw()', CAPTION), ran(PICTURE, PICTURE))


def test_a_figure_has_its_size_in_css_pixels(write):
    sheet = page.lay_out(write('# %% alt="A cow."\ndraw()', CAPTION), ran(PICTURE))
    (figure,) = sheet.figures
    assert (figure.width, figure.height) == (96, 48)
