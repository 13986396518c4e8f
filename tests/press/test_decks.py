"""Decks: what of a page lands on which slide."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from press import decks

HEAD = '<head><title>1 A chapter</title><link href="../../assets/favicon.svg" rel="icon"/><script>x</script></head>'
FIGURE = (
    '<figure id="figure-1"><img src="figure-1-light.svg#only-light" alt="A cow." width="662" height="{height}">'
    "<figcaption><strong>Figure 1.1</strong> A cow on the meadow. {more}</figcaption></figure>"
)
CLAIM = (
    '<div class="output"><div class="claim reproduced" id="claim-x"><table><thead><tr><th>Claim</th><th>Published</th>'
    "<th>Verdict</th></tr></thead><tbody><tr><td>Cows &lt; horses</td><td>12</td><td>reproduced</td></tr></tbody></table>"
    "</div></div>"
)
CODE = '<div class="highlight"><pre><code>a = 1\nb = 2\n</code></pre></div>'
MORE = f"Words that say more than a slide should {'and go on, and on, and on, ' * 8}until nobody in the room reads them. "


def deck(body):
    page = f"<html>{HEAD}<body><article><h1>A chapter</h1>{body}</article></body></html>"
    return BeautifulSoup(decks.deck(page, 1, "The course"), "html.parser")


def slides(body):
    """Return each slide but the opening as its heading and its pieces."""
    cut = deck(body).select("section")[1:]
    return [(slide.h2.text, [piece.decode_contents() for piece in slide.select_one(".shown").find_all(recursive=False)]) for slide in cut]


def test_a_deck_opens_with_the_questions_of_its_chapter():
    opening = deck("<p>A cow stands there. Who sees it: you? Or I?</p><p>Nobody.</p><h2>One</h2><p>Yes.</p>").section
    assert opening.h1.text == "A chapter"
    assert [p.text for p in opening.select(".question")] == ["Who sees it: you?", "Or I?"]
    assert opening.select_one(".course").text == "The course · Chapter 1"


def test_a_deck_without_questions_opens_with_its_first_sentence():
    opening = deck("<p>A cow, e.g. this one, stands there. " + MORE + "</p>").section
    assert [p.text for p in opening.select(".question")] == ["A cow, e.g. this one, stands there."]


def test_a_paragraph_gives_its_first_sentence_to_the_slide_and_all_to_the_notes():
    section = deck("<h2>One</h2><p>A <em>cow</em> (see 1.2) stands. " + MORE + "</p>").select("section")[1]
    assert section.select_one(".shown").decode_contents() == "<p>A <em>cow</em> (see 1.2) stands.</p>"
    assert section.select_one("aside.notes").text == "A cow (see 1.2) stands. " + MORE


def test_a_figure_closes_its_slide_and_keeps_the_first_sentence_of_its_caption():
    (first, figure), (second, words) = slides(
        f"<h2>One</h2><p>Look.</p>{FIGURE.format(height=300, more=MORE)}<h2>Two</h2><p>Done.</p>"
    )
    assert (first, second) == ("One", "Two") and words == ["Done."] and figure[0] == "Look."
    picture = BeautifulSoup(figure[1], "html.parser")
    assert picture.figcaption.text == "Figure 1.1 A cow on the meadow."
    assert picture.a["href"] == "../#figure-1" and picture.img["src"] == "../figure-1-light.svg#only-light"


@pytest.mark.parametrize("height, kind", [(300, None), (600, ["beside"])])
def test_a_tall_figure_stands_beside_its_words(height, kind):
    assert deck(f"<h2>One</h2>{FIGURE.format(height=height, more='')}").figure.get("class") == kind


def test_words_move_on_with_the_figure_they_lead_to():
    leads = [f"<p>Sentence {n} is as long as one line and a half on a slide of this deck, or a little more than that.</p>" for n in range(3)]
    (_, before), (_, after) = slides(f"<h2>One</h2>{''.join(leads)}{FIGURE.format(height=300, more='')}")
    assert [text[:10] for text in before] == ["Sentence 0", "Sentence 1"]
    assert after[0].startswith("Sentence 2") and len(after) == 2


def test_words_after_the_last_figure_are_for_the_notes():
    (section,) = deck(f"<h2>One</h2>{FIGURE.format(height=300, more='')}<p>An afterthought.</p>").select("section")[1:]
    assert "afterthought" not in section.select_one(".shown").text
    assert "An afterthought." in section.aside.text


def test_before_a_formula_stands_the_sentence_that_leads_to_it():
    ((_, shown),) = slides(f'<h2>One</h2><p>{MORE} The sum is</p><div class="formula">x</div><p>where nothing follows.</p>')
    assert shown == ["The sum is", "x"]


def test_claims_and_corrections_are_shown_and_other_notes_are_not():
    notes = "".join(f'<div class="admonition note"><p>Note</p><p>{text}</p></div>' for text in ("<strong>Erratum.</strong> No.", "Aside."))
    ((_, (claim, correction)),) = slides(f"<h2>One</h2>{CLAIM}{notes}")
    claim = BeautifulSoup(claim, "html.parser")
    assert claim.p.text == "Cows < horses"
    assert [(term.dt.text, term.dd.text) for term in claim.select("dl > div")] == [("Published", "12"), ("Verdict", "reproduced")]
    assert correction == "<p><strong>Erratum.</strong> No.</p>"


def test_many_claims_take_several_slides():
    found = slides(f"<h2>One</h2>{CLAIM * 5}")
    assert [len(pieces) for _, pieces in found] == [3, 2]


def test_code_and_printed_text_stay_on_the_page_unless_tagged():
    marked = [f'<div data-deck="slide">{CODE}</div>', f'<div data-deck="aside">{CLAIM}</div>']
    ((_, pieces),) = slides(f'<h2>One</h2><p>Words.</p>{CODE}<div class="output"><pre>1</pre></div>{"".join(marked)}')
    assert [BeautifulSoup(piece, "html.parser").text.strip() for piece in pieces] == ["Words.", "a = 1\nb = 2"]
    assert "--lines: 2" in str(deck(f'<h2>One</h2><div data-deck="slide">{CODE}</div>').select_one(".highlight"))


def test_a_tagged_paragraph_is_shown_whole():
    ((_, pieces),) = slides(f'<h2>One</h2><div data-deck="slide"><p>{MORE}</p></div>')
    assert pieces == [MORE]


def test_what_a_tag_marks():
    cell = nbformat.v4.new_code_cell(metadata={"tags": ["slide-code"]})
    assert decks.marked("text", cell, "slide") == "text"
    assert decks.marked("text", cell, "slide-code").split() == ["<div", 'data-deck="slide"', 'markdown="1">', "text", "</div>"]


def test_exercises_are_asked_and_solutions_are_for_the_notes():
    solution = f"<details><summary>Solution</summary><p>Because.</p>{CODE}</details>"
    exercise = f"<h2>Exercises</h2><p>Check them.</p><h3>Exercise 1. Why ★</h3><p><strong>Think.</strong> {MORE}</p>{solution}"
    (section,) = deck(f"{exercise}<h2>Sources</h2><p>A book.</p>").select("section")[1:]
    assert section.h2.text == "Exercise 1. Why ★"
    assert MORE in section.select_one(".shown").text
    assert "Because." in section.aside.text and "a = 1" not in section.aside.text


def test_links_lead_from_one_folder_deeper():
    tree = deck('<h2>One</h2><p>See <a href="../02_b/#x">b</a>, <a href="#y">y</a>, <a href="https://c.org/">c</a>.</p>')
    assert [a["href"] for a in tree.select("section")[1].select(".shown a")] == ["../../02_b/#x", "../#y", "https://c.org/"]
    assert tree.find("link", rel="icon")["href"] == "../../../assets/favicon.svg"
    assert [script["src"] for script in tree.find_all("script")] == ["../../../scripts/deck.js"]
