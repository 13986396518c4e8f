"""The ledger holds a measured value against a registered claim, and refuses whatever is not one."""

import ast
import fractions
import math
from pathlib import Path

import numpy as np
import pytest
from dtwin import claims
from dtwin.claims import ClaimError, OutOfBand

CHAPTERS = Path(__file__).parents[2] / "chapters"
ENTRY = """\
[{id}]
number = "C1"
slide = "A slide"
statement = "A cow has <four> legs"
source = "counted"
status = "confirmed"
published = "4"
embedded.how = "legs counted"
embedded.band = [4, 4]
"""
LEGS = ENTRY.format(id="cow-legs")
QUOTED = "\n".join(line for line in ENTRY.format(id="cow-moo").splitlines() if "embedded" not in line) + "\n"


@pytest.fixture(autouse=True)
def ledger(monkeypatch):
    """Register four claims in place of the course's, for `measure` only."""
    entries = claims.registry(
        LEGS + ENTRY.format(id="cow-size").replace("[4, 4]", "[1.5, inf]")
        + ENTRY.format(id="cow-wings") + 'embedded.missed = "no wings"\n' + QUOTED)
    original = claims.registry
    monkeypatch.setattr(claims, "registry", lambda text=None: entries if text is None else original(text))
    return original


WRONG = {
    "an id twice": (LEGS + LEGS, r"claims.toml: .*cow-legs"),
    "no TOML": (LEGS + "[", "claims.toml: "),
    "a field missing": (LEGS.replace('slide = "A slide"\n', ""), "'cow-legs' is not well formed: .*slide"),
    "how without a band": (LEGS.replace("embedded.band = [4, 4]", ""), "'cow-legs' is not well formed: .*band"),
    "a measure of its own": (LEGS + "embedded.twist = 1\n", "'cow-legs' is not well formed: .*embedded.twist"),
    "a field too many": (LEGS.replace("[cow-legs]", "[cow-legs]\ntwist = 1"), "'cow-legs' is not well formed: .*twist"),
    "no band": (LEGS.replace("embedded.band = [4, 4]\n", ""), "'cow-legs' is not well formed: .*band"),
    "a value before the entries": ("legs = 4\n" + LEGS, "'legs' is not well formed"),
    "a status of its own": (LEGS.replace("confirmed", "hoped"), "status 'hoped', expected one of confirmed, derived"),
    "a band that is empty": (LEGS.replace("[4, 4]", "[5, 4]"), r"band \[5, 4\], expected \[low, high\]"),
    "a band of one": (LEGS.replace("[4, 4]", "[4]"), "'cow-legs' is not well formed"),
    "a band of words": (LEGS.replace("[4, 4]", '["few", "many"]'), "'cow-legs' is not well formed: .* real number, not str"),
    "a full scale without a run": (LEGS + 'full.how = "legs"\nfull.band = [4, 4]\n', "'cow-legs' is not well formed: .*run"),
    "a full scale without a band": (LEGS + 'full.run = "legs"\nfull.how = "legs"\n', "'cow-legs' is not well formed: .*band"),
    "a full scale with more": (LEGS + 'full.twist = 1\n', "'cow-legs' is not well formed: unknown full.twist"),
    "a band at full scale that is empty": (LEGS + 'full.run = "legs"\nfull.how = "legs"\nfull.band = [5, 4]\n',
                                           r"band \[5, 4\], expected \[low, high\]"),
    "a band without an end": (LEGS.replace("[4, 4]", "[nan, 4]"), "'cow-legs' is not well formed"),
}


@pytest.mark.parametrize("text, message", WRONG.values(), ids=WRONG)
def test_a_registry_that_is_not_well_formed_is_refused(text, message):
    with pytest.raises(ClaimError, match=message):
        claims.registry(text)


@pytest.mark.parametrize("id, message", [("cow-leg", "'cow-leg'; did you mean 'cow-legs'"), ("zzz", "'zzz'$"), (4, "id 4$")])
def test_an_unknown_claim_is_refused_with_a_suggestion(id, message):
    with pytest.raises(ClaimError, match=message):
        claims.measure(id, 4)


@pytest.mark.parametrize("value", [3, 5, 4.0001, math.nan, math.inf, -4])
def test_a_value_out_of_its_band_is_refused(value):
    with pytest.raises(OutOfBand, match="claims.measure.'cow-legs'.: measured .*, expected exactly 4"):
        claims.measure("cow-legs", value)


@pytest.mark.parametrize("value", ["4", None, [4], 4j, np.array([4])])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(TypeError, match="expected one real number, got"):
        claims.measure("cow-legs", value)


@pytest.mark.parametrize("value", [4, 4.0, np.int64(4), np.float32(4), fractions.Fraction(4)])
def test_a_value_at_the_ends_of_its_band_is_reproduced(value):
    measured = claims.measure("cow-legs", value)
    assert measured.reproduced and measured.value == 4 and type(measured.value) in (int, float)


def test_a_claim_registered_as_missed_must_miss():
    assert claims.measure("cow-wings", 0).verdict == "not reproduced"
    with pytest.raises(OutOfBand, match="claims.measure.'cow-wings'.: measured 4, expected a value outside exactly 4"):
        claims.measure("cow-wings", 4)


def test_a_quoted_claim_shows_its_source_and_no_value():
    bundle = claims.quote("cow-moo")._repr_mimebundle_()
    assert bundle["text/plain"] == "cow-moo: published 4 · quoted, not measured here"
    assert "<td>counted; confirmed</td><td>quoted</td>" in bundle["text/html"]


def test_a_claim_is_either_measured_or_quoted():
    with pytest.raises(ClaimError, match="claims.measure: 'cow-moo' has no band"):
        claims.measure("cow-moo", 4)
    with pytest.raises(ClaimError, match="claims.quote: 'cow-legs' has a band"):
        claims.quote("cow-legs")
    with pytest.raises(ClaimError, match="claims.quote: no claim has the id 'cow-mo'; did you mean 'cow-moo'"):
        claims.quote("cow-mo")


def test_the_band_at_full_scale_judges_and_is_no_part_of_what_a_chapter_depends_on():
    text = LEGS + 'full.run = "walk"\nfull.how = "legs of a herd"\nfull.band = [1.5, inf]\n'
    full = claims.registry(text)["cow-legs"].full
    assert [full.verdict(value) for value in (1.4, 1.5, 9)] == ["not reproduced", "reproduced", "reproduced"]
    assert repr(claims.registry(text)) == repr(claims.registry(LEGS)) and claims.registry(LEGS)["cow-legs"].full is None


def test_a_measurement_shows_one_row():
    bundle = claims.measure("cow-legs", 4)._repr_mimebundle_()
    assert bundle["text/plain"] == "cow-legs: published 4 · here 4 · band exactly 4 · reproduced"
    assert bundle[claims.MIME] == {"id": "cow-legs", "value": 4}
    assert 'id="claim-cow-legs"' in bundle["text/html"] and "A cow has &lt;four&gt; legs" in bundle["text/html"]


@pytest.mark.parametrize("value, spelled", [
    (885120, "885,120"), (0, "0"), (0.0, "0"), (-3, "-3"), (0.97444, "0.974"), (1234.5, "1,234"), (2e-16, "2e-16"),
    (37, "37"), (37.25, "37.2"), (0.001, "0.001"), (2_500_000.0, "2.5e+06"), (math.inf, "inf"),
])
def test_a_number_is_spelled_for_a_reader(value, spelled):
    assert claims.spell(value) == spelled


@pytest.mark.parametrize("band, spelled", [
    ((4, 4), "exactly 4"), ((0.95, math.inf), "at least 0.95"), ((-math.inf, 3), "at most 3"), ((0, 1e-12), "at most 1e-12"),
    ((0, 0), "exactly 0"), ((0.5, 2), "0.5 to 2"),
])
def test_a_band_is_spelled_for_a_reader(band, spelled):
    assert claims.spell_band(band) == spelled


def measured_in(path):
    """List the ids that a chapter hands to claims.measure or claims.quote."""
    return [
        ast.literal_eval(node.args[0])
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("claims.measure", "claims.quote")
    ]


@pytest.mark.course
def test_every_registered_claim_is_measured_or_quoted_once_and_nothing_else_is(ledger):
    measured = sorted(id for path in CHAPTERS.glob("*.py") for id in measured_in(path))
    assert measured == sorted(ledger())
