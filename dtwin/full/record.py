"""The record of a run: NAME.json, whose values the ledger shows."""

import json
import math
import statistics
from pathlib import Path

from ..data.store import lock, replacing


def record(plan, data, done, values, claims):
    """All that is kept of a run, out of what its units recorded and its summary.

    Raises:
        ValueError: the summary has values for other claims than the ledger registers for this run.
    """
    if set(claims) != set(plan.claims):
        raise ValueError(f"{plan.name}: got values for the claims {sorted(claims)}, expected {sorted(plan.claims)}")

    def all_of(key):
        return sorted({json.dumps(unit[key]) for unit in done})

    def settings(key):
        found = [value for unit in done if (value := unit["setting"].get(key)) is not None]
        return sorted({one for value in found for one in (value if isinstance(value, list) else [value])})

    return {
        "run": plan.name, "says": plan.says, "data": data,
        "claims": {id: spread(value) for id, value in claims.items()},
        "values": {name: spread(value) for name, value in values.items()},
        "seeds": settings("seed"), "epochs": settings("epochs"), "units": len(done),
        "hardware": [json.loads(one) for one in all_of("hardware")],
        "versions": [json.loads(one) for one in all_of("versions")],
        "commit": [json.loads(one) for one in all_of("commit")],
        "date": max(unit["date"] for unit in done),
        "seconds": round(sum(unit["seconds"] for unit in done), 1),
    }


def spread(value):
    """A number as {mean}, several as {mean, std, each}: the standard deviation is that of a sample; "inf" is text."""
    if not isinstance(value, (list, tuple)):
        return {"mean": _plain(value)}
    each = [float(one) for one in value]
    several = len(each) > 1 and all(map(math.isfinite, each))
    return {"mean": _plain(statistics.fmean(each)), **({"std": statistics.stdev(each)} if several else {}),
            "each": [_plain(one) for one in each]}


def _plain(number):
    return float(number) if math.isfinite(number) else str(float(number))  # JSON knows no infinity


def write(folder, content):
    """Write a record to its file unless the same stands there; returns the path."""
    path = Path(folder) / f"{content['run']}.json"
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with lock(path.with_suffix(".lock")):
        if not path.exists() or path.read_text("utf-8") != text:
            with replacing(path) as file:
                file.write(text.encode())
    return path
