"""What was recorded at full scale, as the ledger, a chapter and the page of results show it."""

import json

import pytest
from dtwin import claims
from dtwin.full import plans
from press import ledger, results

ENTRY = """\
[{id}]
number = "C{number}"
slide = "A slide"
statement = "A cow has four legs"
source = "counted"
status = "confirmed"
published = "4"
full.run = "relu"
full.how = "legs of a herd"
full.band = [3.5, 4.5]
"""
RECORD = {
    "run": "relu", "says": "Counts legs", "claims": {"one": {"mean": 4.0, "std": 0.25, "each": [3.8, 4.2]}, "two": {"mean": 9.0}},
    "values": {"legs": {"mean": 4.0, "std": 0.25, "each": [3.8, 4.2]}}, "seeds": [0, 1], "epochs": [40], "units": 2,
    "data": [{"name": "cifar10-jpeg", "train": 50000, "test": 10000, "sha256": "abc"}], "hardware": ["A card"],
    "versions": [{"python": "3.13", "torch": "2.6"}], "commit": ["abc123"], "date": "2026-11-23", "seconds": 61.0,
}


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    entries = claims.registry("".join(ENTRY.format(id=id, number=n) for n, id in enumerate(("one", "two", "three", "four"), 1))
                              + ENTRY.format(id="plain", number=9).partition("full.")[0])
    monkeypatch.setattr(claims, "registry", lambda: entries)
    tmp_path.joinpath("relu.json").write_text(json.dumps(RECORD))
    return results.read(tmp_path)


def test_the_ledger_shows_the_recorded_value_or_that_it_was_not_run(recorded):
    lines = ledger.table({}, results.by_claim(recorded)).splitlines()
    full = [line.strip("| ").split(" | ")[-1] for line in lines if line.startswith("| **")]
    assert full[0] == ('[4 ± 0.25](results.md#relu) on cifar10-jpeg (3.5 to 4.5): '
                       '<span class="reproduced">reproduced</span>')
    assert '<span class="not-reproduced">not reproduced</span>' in full[1]
    assert full[2] == "not yet run (3.5 to 4.5)" and "not yet" not in full[4]
    assert "At full scale: legs of a herd." in lines[-5]


def test_a_row_of_a_chapter_shows_what_was_recorded_and_else_stays_as_it_was(recorded):
    row, there = '<div class="claim"><table></table></div>', results.by_claim(recorded)
    shown = results.beside(row, "one", there)
    assert shown.startswith('<div class="claim"><table></table><p class="full">At full scale 4 ± 0.25 on cifar10-jpeg (A card, ')
    assert shown.endswith('<span class="reproduced">reproduced</span></p></div>')
    assert results.beside(row, "three", there) == results.beside(row, "plain", there) == row


def test_the_page_lists_every_run_and_shows_what_was_recorded(recorded):
    table = results.table(recorded)
    assert all(f"| `{name}` | {plan.says} | " in table for name, plan in plans.PLANS.items())
    assert "| C1 C2 C3 C4 | " in table and "[2026-11-23, A card](#relu) |" in table
    (section,) = results.sections(recorded).split("\n\n## ")
    assert section.startswith("## relu\n") and "| legs | 4 ± 0.25 | 2 |" in section
    for fact in ("cifar10-jpeg, 50,000 pictures", "`abc`", "Seeds: 0, 1; epochs: 40", "A card", "abc123", "torch 2.6",
                 "2026-11-23", "61 s", "results/relu.json"):
        assert fact in section


def test_without_records_there_is_nothing_to_show(tmp_path):
    assert results.read(tmp_path / "none") == {} and results.sections({}) == ""
    assert "not yet run |" in results.table({})
