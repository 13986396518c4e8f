"""The ledger page: every registered claim, what its source published, and what this build measured."""

import re

from dtwin import claims

from . import results

HEAD = "| Claim | Published | This build | Counts as reproduced | Verdict | Full scale |\n|---|---|---|---|---|---|"


def table(measured: dict[str, tuple[str, float]], recorded: dict[str, results.Recorded]) -> str:
    """Write the ledger as a Markdown table; `measured` holds page and value of each claim by its id."""
    ordered = sorted(claims.registry().values(), key=lambda claim: place(claim.number))
    rows = [row(claim, *measured.get(claim.id, (None, None)), recorded.get(claim.id)) for claim in ordered]
    return "\n".join(['<div class="ledger" markdown="1">\n', HEAD, *rows, "\n</div>"])


def place(number: str) -> list[str | int]:
    """Return what sorts the numbers of claims as a reader counts: C9 before C10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", number)]


def row(claim: claims.Claim, page: str | None, value: float | None, recorded: results.Recorded | None) -> str:
    here, verdict = "—", "not measured"
    if page is not None:
        word = claims.Measurement(claim, value).verdict
        here = f"[{'quoted' if claim.band is None else claims.spell(value)}]({page}#claim-{claim.id})"
        verdict = f'<span class="{word.replace(" ", "-")}">{word}</span>'
    full = claim.full
    notes = [f"{claim.source}; {claim.status}", *([f"Here: {claim.how}"] if claim.how else []), f"{claim.missed[:1].upper()}{claim.missed[1:]}",
             *([f"At full scale: {full.how}", full.missed] if full else [])]
    said = f"**{claim.number}** {claim.statement} <small>{' '.join(f'{note}.' for note in notes if note)}</small>"
    band = "—" if claim.band is None else claims.spell_band(claim.band)
    cells = (said, claim.published, here, band, verdict, results.cell(full, recorded) if full else "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
