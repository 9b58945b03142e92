"""The page `docs/published.md`, made from the catalogue: `python -m fusearch.cli.published_page`, and its figure with the word `figure`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fusearch.reports.figures.bars import bars_svg
from fusearch.search_space.published import AGREEMENTS, FEATURES, PUBLISHED, Count, other_sheets, review_statistics
from fusearch.search_space.published.bound_table import bound_rows
from fusearch.tasks import REFUSED

__all__ = ["published_page", "statistics_figure"]

#: Groups of counts that the figure shows; the others are in the table.
_DRAWN = ("studies by number of fusions", "fusions by class of operator", "studies by type", "studies by synchrony")

_INTRODUCTION = """# The 54 published networks

The systematic review of Guarrasi et al. (Image and Vision Computing 2025) prints 54 networks of intermediate fusion as formulas. They come
with the package as printed, and as they were built, read from the papers' figures and code. This page is made by `make reference`.

    fusearch list designs --kind tabular --class attention     # filters: kind, task, class of operators, label
    fusearch list designs --data lgg.yaml                      # which fit your data, and why the others do not
    fusearch show mmdynamics                                   # paper, formulas, why they differ, task, losses, headline result
    fusearch show mmdynamics --data lgg.yaml --drawing mm.svg  # bound to your data: parameters, MACs, a drawing
    fusearch search lgg.yaml --start published --out runs/lgg  # try each that fits, after the references
    fusearch list statistics                                   # the counts below

Two of the studies were run on their own data under a protocol without a leak: [results beside the published ones](published_results.md).

In Python, `fusearch.PUBLISHED["mmdynamics"].bind(data.modalities)` is the design over your data, `.facts` what is known of the study, and
`fusearch.fitting_designs(data.modalities)` gives all that fit, with a reason for each other one. A network is bound **by kind and, within
a kind, in order**: its first table becomes your first table. Modalities that are left over stay out of the design; to choose, pass those
that it shall have. Encoders are fusearch's own for the kind, with the paper's number of stages. A headline result is the paper's claim
under the paper's protocol and was not measured here; where the protocol is not recorded, `show` says so."""


def published_page() -> str:
    """Return the page as Markdown.

    Example:
        >>> "## The review's counts" in published_page()
        True
    """
    return "\n".join([_INTRODUCTION, "", *_counts(), *_differences(), *_left_out(), *_bound(), *_distance()])


def statistics_figure() -> str:
    """Return the figure of the page as SVG."""
    groups = {group: {count.name: count.count for count in review_statistics() if count.group == group} for group in _DRAWN}
    return bars_svg(groups, "The 54 studies of the review by number of fusions, class of operator, type and synchrony")


def _counts() -> Iterator[str]:
    yield from (
        "## The review's counts",
        "",
        "Recomputed from the printed formulas by the rules of the labels: the review's own numbers come out.",
        "",
    )
    yield from ("![Studies by number of fusions, class of operator, type and synchrony](published.svg)", "", "| | | |", "|---|---|---:|")
    last = ""
    for count in review_statistics():
        yield _count_line(count, count.group if count.group != last else "")
        last = count.group
    listed = ", ".join(f"{number} (`{PUBLISHED[number].key}`)" for number in other_sheets())
    printed, derived = next(iter(other_sheets().values()))
    yield from ("", f"The sheets of studies {listed} print the type {printed}; by the rules their formulas are {derived}.", "")


def _count_line(count: Count, group: str) -> str:
    return f"| {group} | {count.name} | {count.count} |"


def _differences() -> Iterator[str]:
    yield from ("## What differs from print", "", "| differs in | what that means | studies |", "|---|---|---|")
    for name, meaning in AGREEMENTS.items():
        keys = ", ".join(f"`{study.key}`" for study in PUBLISHED.values() if study.agreement == name)
        yield f"| {name} | {meaning} | {keys} |"
    yield from ("", "`fusearch show KEY` says more of each.", "")


def _left_out() -> Iterator[str]:
    yield from ("## What is left out", "", "Of what the studies train beside their task:", "")
    yield from (f"- `{study.key}` (no. {study.number}): {study.left_out}" for study in PUBLISHED.values() if study.left_out)
    yield ""


def _bound() -> Iterator[str]:
    yield from (
        "## All 54, bound",
        "",
        "Each as built, bound to made-up data of its kinds and counts, whose modalities are called by kind and number.",
        "",
        "| no. | key | data | task | fusions | labels | print differs in |",
        "|---:|---|---|---|---|---|---|",
    )
    for row in bound_rows():
        study, labels = row.study, row.design.labels
        words = ", ".join([labels.type, "synchronous" if labels.synchronous else "asynchronous", labels.level])
        key = f"[`{study.key}`](https://doi.org/{study.doi.removeprefix('https://doi.org/')})" if study.doi else f"`{study.key}`"
        yield f"| {study.number} | {key} | {row.kinds} | {study.facts.task_kind} | `{row.fusions}` | {words} | {study.agreement} |"
    refused = {kind: [f"`{study.key}`" for study in PUBLISHED.values() if study.facts.task_kind == kind] for kind in REFUSED}
    for kind, keys in refused.items():
        yield from ("", f"{', '.join(keys)}: not trained for {kind}, its own task, but for that of your data; {REFUSED[kind]}.")
    yield ""


def _distance() -> Iterator[str]:
    yield from (
        "## The nearest published design",
        "",
        "The report names, for each design on the front, the published one at the least distance. It is the mean of ten features,",
        "each from 0 (alike) to 1; names, sizes and encoders do not count, so that designs over different data can be compared.",
        "",
    )
    yield from (f"- {name}" for name in FEATURES)
    yield from (
        "",
        "A *collection* differs by one minus what both have over what either has; a *ratio* by the difference over the larger number.",
        "",
    )


if __name__ == "__main__":
    sys.stdout.write(statistics_figure() if sys.argv[1:] == ["figure"] else published_page())
