"""The figures of a report as SVG files, for a paper: no browser and no plotly (decision 0061)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from fusearch.inference.risk_groups import RiskGroup
from fusearch.reports.figures.chart import Series, SeriesLook, chart_svg
from fusearch.reports.figures.drawing import draw
from fusearch.reports.figures.parallel_plot import parallel_svg
from fusearch.reports.figures.picture import front_svg
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.front import front_pairs
from fusearch.reports.findings.learning import Learned
from fusearch.reports.findings.parallel import parallels_of
from fusearch.reports.findings.predicted import Curve, DesignPredictions, Predicted
from fusearch.reports.findings.search_course import progress_info

__all__ = ["figure_texts"]

_Look = Literal["first", "second"]
#: Axes that the width of a page holds.
_MOST_AXES = 9
_LOOKS: tuple[_Look, ...] = ("first", "second")


def figure_texts(found: Findings) -> dict[str, str]:
    """Return each figure by the name of its file: fronts, curves of the recommended design, hypervolume, a drawing of each design shown."""
    if not found.complete:
        return {}
    pairs: list[tuple[str | None, str | None]] = [(x.name, y.name) for x, y in front_pairs(found)] or [(None, None)]
    texts = {f"front{f'-{at}' if at > 1 else ''}.svg": front_svg(found, x, y) for at, (x, y) in enumerate(pairs, start=1)}
    texts |= {f"{name}.svg": text for name, text in _predicted(found.predicted).items()}
    texts |= _learned(found.learned)
    progress = progress_info(found)
    # Corners of a step line: the volume stays until the next trial has finished.
    ends = [end for number in range(1, len(progress.trials) + 1) for end in (number, number + 1)]
    curves = [Series("all designs", ends, [value for value in progress.hypervolume for _ in range(2)], "first")]
    if progress.references is not None:
        curves.append(Series("references alone", [ends[0], ends[-1]], [progress.references] * 2, "guide"))
    texts["hypervolume.svg"] = chart_svg(curves, "Finished trials", "Hypervolume (share of the box)")
    parallels = parallels_of(found)
    parallel = parallel_svg(replace(parallels, axes=parallels.axes[:_MOST_AXES]))
    texts |= {"choices.svg": parallel} if parallel else {}
    drawn = [(record, found.graphs[record.digest]) for record in found.carded if record.digest in found.graphs]
    return texts | {f"design-{record.digest}.svg": draw(graph, modalities=found.modalities) for record, graph in drawn}


def _predicted(predicted: Predicted) -> dict[str, str]:
    if predicted.tasks:
        return {f"{name}-{task}": text for task, own in predicted.tasks.items() for name, text in _predicted(own).items()}
    designs: list[tuple[DesignPredictions, _Look]] = [*zip(predicted.designs, _LOOKS, strict=False)]
    guess, texts = Series("guess", (0, 1), (0, 1), "guide"), {}
    rocs = [_curve(design.label, design.roc, look) for design, look in designs if design.roc is not None]
    if rocs:
        texts["roc"] = chart_svg([guess, *rocs], "1 − specificity", "Sensitivity", unit=True)
    precisions = [_curve(design.label, design.precision_recall, look) for design, look in designs if design.precision_recall is not None]
    if precisions:
        texts["precision-recall"] = chart_svg(precisions, "Sensitivity (recall)", "Precision", unit=True)
    bins = [
        Series(
            design.label,
            [each.predicted for each in design.calibration],
            [each.observed for each in design.calibration],
            look,
            [each.low for each in design.calibration],
            [each.high for each in design.calibration],
            points=True,
        )
        for design, look in designs
        if design.calibration
    ]
    if bins:
        guide = Series("as often as said", (0, 1), (0, 1), "guide")
        texts["calibration"] = chart_svg([guide, *bins], predicted.said, "Share that came true", unit=True)
    clouds = [Series(design.label, *_apart(design.points), look, points=True, line=False) for design, look in designs if design.points]
    if clouds:
        ends = [end for cloud in clouds for end in (min(cloud.x), max(cloud.x))]
        guide = Series("as it is", (min(ends), max(ends)), (min(ends), max(ends)), "guide")
        texts["truth"] = chart_svg([guide, *reversed(clouds)], "Truth", "Predicted")
    risk = predicted.designs[0].risk if predicted.designs else None
    if risk is not None:
        looks: tuple[SeriesLook, ...] = ("first", "guide", "second") if len(risk.groups) > len(_LOOKS) else _LOOKS
        curves = [_steps(group, look) for group, look in zip(risk.groups, looks, strict=False)]
        texts["kaplan-meier"] = chart_svg(curves, risk.time, "Share without event")
    return texts


def _learned(learned: Learned) -> dict[str, str]:
    """Draw how the members of the recommended design learned, in the last phase of its training."""
    if learned.reason is not None or not learned.designs:
        return {}
    members = learned.designs[0][0].members
    series = [
        Series("training" if at == 0 else "", each.epochs, each.training, "guide", points=len(each.epochs) == 1)
        for at, each in enumerate(members)
    ]
    held_out = [each for each in members if each.validation]
    series += [
        Series("validation" if at == 0 else "", each.epochs, each.validation, "first", points=len(each.epochs) == 1)
        for at, each in enumerate(held_out)
    ]
    best = [(float(each.best), each.best_loss) for each in held_out if each.best is not None and each.best_loss is not None]
    if best:
        series.append(Series("best epoch", *_apart(best), "first", points=True, line=False))
    return {"learning.svg": chart_svg(series, "Epoch", "Loss")}


def _curve(label: str, curve: Curve, look: _Look) -> Series:
    return Series(label, curve.x, curve.y, look, curve.low, curve.high)


def _steps(group: RiskGroup, look: SeriesLook) -> Series:
    """Return the curve of a group with its corners; the one in the middle, a dashed guide, has no band."""
    x = [end for left, right in zip(group.x, (*group.x[1:], group.x[-1]), strict=True) for end in (left, right)]
    y, low, high = ([value for value in line for _ in range(2)] for line in (group.y, group.low, group.high))
    return Series(f"{group.name} ({group.events} of {group.rows} rows)", x, y, look, *(() if look == "guide" else (low, high)))


def _apart(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
