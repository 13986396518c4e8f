"""The ledger: every claim of the lecture, the value its source published, and the band in which our measurement must lie."""

import difflib
import html
import math
import numbers
import os
import tomllib
from dataclasses import dataclass, field
from importlib import resources

MIME = "application/vnd.dtwin.claim+json"
STATUSES = ("confirmed", "derived", "partly confirmed", "recalled")


class ClaimError(Exception):
    """The registry is not well formed, or a claim is unknown."""


class OutOfBand(AssertionError):
    """A measured value lies outside the band that its claim registered."""


@dataclass(frozen=True)
class Full:
    """The same claim at full scale: which run of `dtwin.full` decides it, what that measures, and what reproduces it."""

    run: str
    how: str
    band: tuple[float, float]
    missed: str = ""

    def verdict(self, value: float) -> str:
        low, high = self.band
        return "reproduced" if low <= value <= high else "not reproduced"


@dataclass(frozen=True)
class Claim:
    """One registered claim: what is said, where, and what counts as reproduced.

    `number` is its place in the lecture's list of claims, `status` says how well the published value was checked
    against its source, `how` says what is measured here, and `band` is the closed interval that counts as reproduced.
    `missed` says what was seen instead where the claim does not reproduce. A claim that is only quoted has no band.
    `full` is what a graphics card is needed for; no chapter shows it, so that it is no part of what a chapter depends on.
    """

    id: str
    number: str
    slide: str
    statement: str
    source: str
    status: str
    published: str
    how: str = ""
    band: tuple[float, float] | None = None
    missed: str = ""
    full: Full | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Measurement:
    """A claim together with the value measured for it; a notebook shows it as one row."""

    claim: Claim
    value: float | None

    @property
    def reproduced(self) -> bool:
        low, high = self.claim.band
        return low <= self.value <= high

    @property
    def verdict(self) -> str:
        if self.claim.band is None:
            return "quoted"
        if _other_pictures():
            return "not judged"
        return "reproduced" if self.reproduced else "not reproduced"

    def __str__(self):
        claim = self.claim
        if claim.band is None:
            return f"{claim.id}: published {claim.published} · quoted, not measured here"
        return (
            f"{claim.id}: published {claim.published} · here {spell(self.value)} · "
            f"band {spell_band(claim.band)} · {self.verdict}"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        claim = self.claim
        cells = {"Claim": claim.statement, "Published": claim.published}
        if claim.band is None:
            cells |= {"Source": f"{claim.source}; {claim.status}"}
        else:
            cells |= {"Here": spell(self.value), "Counts as reproduced": spell_band(claim.band)}
        cells |= {"Verdict": self.verdict}
        head = "".join(f"<th>{name}</th>" for name in cells)
        row = "".join(f"<td>{html.escape(text)}</td>" for text in cells.values())
        table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
        kind = self.verdict.replace(" ", "-")
        return {
            "text/plain": str(self),
            "text/html": f'<div class="claim {kind}" id="claim-{claim.id}">{table}</div>',
            MIME: {"id": claim.id, "value": self.value},
        }


def measure(id: str, value) -> Measurement:
    """Hold a measured value against the claim registered as `id`, and show both in one row.

    A claim registered as missed must miss: when it comes out after all, the registry has to say so. Where DTWIN_DATASET
    names other pictures than the pasture, the value is shown and not judged.

    Raises:
        ClaimError: no claim has that id, or it is only quoted.
        TypeError: the value is not one real number.
        OutOfBand: the value lies outside the claim's band, or inside that of a claim registered as missed.
    """
    claim = _find("measure", id)
    if claim.band is None:
        raise ClaimError(f"claims.measure: {id!r} has no band; register `embedded`, or show it with claims.quote")
    if not isinstance(value, numbers.Real):
        raise TypeError(f"claims.measure({id!r}): expected one real number, got {type(value).__name__}")
    value = int(value) if isinstance(value, numbers.Integral) else float(value)
    measurement = Measurement(claim, value)
    if measurement.reproduced == bool(claim.missed) and not _other_pictures():
        wish = f"{'a value outside ' if claim.missed else ''}{spell_band(claim.band)}"
        raise OutOfBand(f"claims.measure({id!r}): measured {value!r}, expected {wish}")
    return measurement


def quote(id: str) -> Measurement:
    """Show the claim registered as `id` with its source, where nothing can be measured here.

    Raises:
        ClaimError: no claim has that id, or it has a band to be measured against.
    """
    claim = _find("quote", id)
    if claim.band is not None:
        raise ClaimError(f"claims.quote: {id!r} has a band; hold a value against it with claims.measure")
    return Measurement(claim, None)


def _other_pictures():
    return os.environ.get("DTWIN_DATASET", "") not in ("", "pasture")


def _find(function, id):
    claims = registry()
    if id not in claims:
        near = difflib.get_close_matches(str(id), claims, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ClaimError(f"claims.{function}: no claim has the id {id!r}{hint}")
    return claims[id]


def registry(text: str | None = None) -> dict[str, Claim]:
    """Return the registered claims by id, read from `claims.toml` or from TOML text of the same form.

    Raises:
        ClaimError: an id stands twice, a field is missing or unknown, a status is unknown, or a band is no interval.
    """
    if text is None:
        text = resources.files("dtwin").joinpath("claims.toml").read_text("utf-8")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClaimError(f"claims.toml: {error}") from None
    return {id: _claim(id, table) for id, table in tables.items()}


def _claim(id: str, table: dict) -> Claim:
    try:
        embedded = _measured("embedded", table.pop("embedded", None), {"how", "band", "missed"})
        full = _measured("full", table.pop("full", None), {"run", "how", "band", "missed"})
        claim = Claim(id=id, **table, **embedded, full=Full(**full) if full else None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ClaimError(f"claims.toml: claim {id!r} is not well formed: {error}") from None
    if claim.status not in STATUSES:
        raise ClaimError(f"claims.toml: claim {id!r} has status {claim.status!r}, expected one of {', '.join(STATUSES)}")
    for band in (claim.band, claim.full and claim.full.band):
        if band and not band[0] <= band[1]:
            raise ClaimError(f"claims.toml: claim {id!r} has the band {list(band)}, expected [low, high]")
    return claim


def _measured(scale: str, table: dict | None, known: set[str]) -> dict:
    """The fields of a table `embedded` or `full`, its band as two numbers; of none, none."""
    if table is None:
        return {}
    if table.keys() - known:
        raise TypeError(f"unknown {scale}.{f', {scale}.'.join(table.keys() - known)}")
    low, high = (end for end in table["band"] if not math.isnan(end))
    return {**table, "how": table["how"], "band": (low, high)}


def spell(value: float) -> str:
    """Write a number for a reader: integers with separators, others to about three digits, very small ones to two."""
    if isinstance(value, int) or value == 0:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:.2g}"


def spell_band(band: tuple[float, float]) -> str:
    """Write a band for a reader: exactly, at most, at least, or from to."""
    low, high = band
    if low == high:
        return f"exactly {spell(low)}"
    if math.isinf(high):
        return f"at least {spell(low)}"
    if math.isinf(low) or low == 0:
        return f"at most {spell(high)}"
    return f"{spell(low)} to {spell(high)}"
