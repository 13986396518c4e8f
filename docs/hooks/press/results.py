"""What `python -m dtwin.full` recorded in docs/results, for the ledger, the rows of the chapters, and a page of its own."""

import html
import json
from pathlib import Path
from typing import NamedTuple

from dtwin import claims
from dtwin.full.plans import PLANS

HEAD = "| Run | What it does | Claims | Minutes | State |\n|---|---|---|---|---|"


class Recorded(NamedTuple):
    """The value that a claim has at full scale, and the record that it stands in."""

    value: dict
    record: dict

    def __str__(self):
        return f"{spread(self.value)} on {pictures(self.record)}"


def read(folder: Path) -> dict[str, dict]:
    """Read the records by the names of their runs."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def by_claim(records: dict[str, dict]) -> dict[str, Recorded]:
    return {id: Recorded(value, record) for record in records.values() for id, value in record["claims"].items()}


def spread(value: dict) -> str:
    return claims.spell(float(value["mean"])) + (f" ± {claims.spell(value['std'])}" if "std" in value else "")


def pictures(record: dict) -> str:
    return ", ".join(data["name"] for data in record["data"]) or "no pictures"


def cell(full: claims.Full, recorded: Recorded | None) -> str:
    """Write what the ledger says of a claim at full scale."""
    if recorded is None:
        return f"not yet run ({claims.spell_band(full.band)})"
    word = full.verdict(float(recorded.value["mean"]))
    value = f"[{spread(recorded.value)}](results.md#{full.run})"
    return f'{value} on {pictures(recorded.record)} ({claims.spell_band(full.band)}): {marked(word)}'


def marked(word: str) -> str:
    return f'<span class="{word.replace(" ", "-")}">{word}</span>'


def beside(row: str, id: str, recorded: dict[str, Recorded]) -> str:
    """Put the recorded value of a claim under its row in a chapter."""
    there = recorded.get(id)
    full = there and claims.registry()[id].full
    if full is None:
        return row
    said = (f"{there} ({', '.join(there.record['hardware'])}, {there.record['date']}); "
            f"counts as reproduced: {claims.spell_band(full.band)}: ")
    word = marked(full.verdict(float(there.value["mean"])))
    return row.removesuffix("</div>") + f'<p class="full">At full scale {html.escape(said)}{word}</p></div>'


def table(records: dict[str, dict]) -> str:
    """List the runs as Markdown, in the order of `python -m dtwin.full list`."""
    rows, registry = [], claims.registry()
    for plan in PLANS.values():
        numbers = dict.fromkeys(registry[id].number for id in plan.claims)
        record = records.get(plan.name)
        state = f"[{record['date']}, {', '.join(record['hardware'])}](#{plan.name})" if record else "not yet run"
        rows.append(f"| `{plan.name}` | {plan.says} | {' '.join(numbers)} | {plan.minutes:g} | {state} |")
    return "\n".join(["", HEAD, *rows, ""])


def sections(records: dict[str, dict]) -> str:
    """Write a section for each record: what was measured, on what, and with what."""
    return "\n\n".join(section(records[name]) for name in PLANS if name in records)


def section(record: dict) -> str:
    rows = [f"| {name} | {spread(value)} | {len(value.get('each', [0]))} |" for name, value in record["values"].items()]
    data = [f"{d['name']}, {d['train']:,} pictures to train on and {d['test']:,} to test, SHA-256 `{d['sha256']}`"
            for d in record["data"]]
    versions = "; ".join(", ".join(f"{name} {version}" for name, version in one.items()) for one in record["versions"])
    said = [
        f"{record['says']}. {'Data: ' + '; '.join(data) + '. ' if data else ''}"
        f"Seeds: {', '.join(map(str, record['seeds'])) or 'none'}; epochs: {', '.join(map(str, record['epochs'])) or 'none'}.",
        f"Run until {record['date']} on {', '.join(record['hardware'])} in {record['seconds']:,.0f} s of work "
        f"({record['units']} units), commit {', '.join(str(one) for one in record['commit'])}, with {versions}. "
        f"[The record](results/{record['run']}.json)",
    ]
    return "\n\n".join([f"## {record['run']}", *said,
                        "\n".join(["| Value | Mean ± standard deviation | Seeds |", "|---|---|---|", *rows])])
