"""What a strategy decided, and why, as its run folder tells it. No drawing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusearch.amounts import counted
from fusearch.layout import DECISION_ARRAYS
from fusearch.reports.wording import interval_text, number, sentence_case
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Cloud", "Told", "cloud_info", "read_strategy", "strategy_sentences"]

_DIVERSITIES = {
    "correlation": "1 − correlation",
    "q_statistic": "1 − Q statistic",
    "disagreement": "disagreement",
    "double_fault": "1 − double fault",
    "kappa": "1 − kappa",
}


@dataclass(frozen=True, eq=False)
class Told:
    """What a run folder tells about its strategy.

    Attributes:
        name: Of the strategy.
        record: What it decided; its keys depend on the strategy.
        arrays: Larger things that it saw.
    """

    name: str
    record: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cloud:
    """All subsets in the plane of diversity (horizontal) and evaluation, thinned to what an eye can tell apart.

    Attributes:
        points: One (diversity, evaluation) for each cell of a fine grid that holds any subset.
        front: (diversity, evaluation, names) of each subset on the front, from left to right.
        chosen: (diversity, evaluation, names) of the chosen one.
        total: How many subsets were scored.
    """

    points: tuple[tuple[float, float], ...]
    front: tuple[tuple[float, float, str], ...]
    chosen: tuple[float, float, str]
    total: int


def read_strategy(trials: Trials) -> Told | None:
    """Return what the strategy of a run decided, with what it saw; None for a run without one, or one that has not decided yet."""
    if trials.decision is None or trials.path is None:
        return None
    arrays: dict[str, Any] = {}
    if (trials.path / DECISION_ARRAYS).is_file():
        import numpy as np

        with np.load(trials.path / DECISION_ARRAYS) as held:
            arrays = {key: held[key] for key in held.files}
    return Told(trials.decision["strategy"], trials.decision, arrays)


def cloud_info(told: Told, *, cells: tuple[int, int] = (320, 200)) -> Cloud | None:
    """Place all subsets of an ensemble strategy; None for another strategy.

    Args:
        told: What the run folder tells.
        cells: Columns and rows of the grid that thins the points.
    """
    if "subsets" not in told.record or "evaluation" not in told.arrays:
        return None
    import numpy as np

    points = np.column_stack([told.arrays["diversity"], told.arrays["evaluation"]]).astype(np.float64)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    places = np.floor((points - low) / np.where(span > 0, span, 1.0) * cells).astype(np.int64)
    _, kept = np.unique(places, axis=0, return_index=True)
    subsets = told.record["subsets"]

    def place(entry: Mapping[str, Any]) -> tuple[float, float, str]:
        return entry["diversity"], entry["evaluation"], ", ".join(entry["members"])

    return Cloud(
        tuple((float(x), float(y)) for x, y in points[np.sort(kept)]),
        tuple(sorted(place(entry) for entry in subsets["front"])),
        place(subsets["chosen"]),
        len(points),
    )


def diversity_label(told: Told) -> str:
    """Return the axis title of the diversity that was used."""
    name = str(told.record.get("diversity", "correlation"))
    return f"Diversity ({_DIVERSITIES.get(name, name)})"


def strategy_sentences(told: Told) -> list[str]:
    """Say what was decided and why."""
    return _ensemble(told) if "subsets" in told.record else _timing(told) if "path" in told.record else []


def _ensemble(told: Told) -> list[str]:
    subsets, networks = told.record["subsets"], told.record["networks"]
    chosen = subsets["chosen"]
    failed = [network for network in networks if network["reason"] is not None]
    how = "all of them" if subsets["method"] == "exhaustive" else f"{subsets['subsets']:,} of them, found by NSGA-II,"
    end = "joined by an untrained majority vote" if told.name == "late-ensemble" else "joined at their class scores and trained on together"
    members = _and(chosen["members"])
    sentences = [
        (
            f"{counted(len(networks) - len(failed), 'unimodal network')} allow {counted(subsets['allowed'], 'subset')}; {how} were scored "
            "on validation predictions, by the accuracy of their vote and by how differently they err."
        ),
        (
            f"Nearest to the best of both, after scaling each to 0 to 1, is {members}: vote accuracy {number(chosen['evaluation'])}, "
            f"diversity {number(chosen['diversity'])}, squared distance {number(chosen['distance'])}."
        ),
    ]
    sentences.append(
        f"{sentence_case(counted(len(chosen['members']), 'network'))}, {end}." if len(chosen["members"]) > 1 else "It stays as it is."
    )
    if failed:
        sentences.append(f"Left out, as they failed: {_and([network['name'] for network in failed])}.")
    return sentences


def _timing(told: Told) -> list[str]:
    record = told.record
    on = record["chosen"]["on"]
    stages = f"after stage{'s' * (len(on) > 1)} {_and([str(stage) for stage in on])}" if on else "nowhere"
    kept = [step for step in record["path"] if step["kept"] is not None]
    sentences = [
        (
            f"The encoders have {counted(len(record['stages']), 'stage')} at which `{record['operator']}` may fuse. "
            f"{sentence_case(counted(len(kept), 'step'))} lowered the validation loss{_controlled(record['path'])}; "
            f"at the end the streams exchange {stages}, with a loss of {number(record['chosen']['loss'])}."
        )
    ]
    others = [(_role(role), entry["loss"]) for role, entry in record["comparisons"].items() if entry["loss"] is not None]
    sentences.append("For comparison: " + ", ".join(f"{role} {number(loss)}" for role, loss in others) + ".")
    sentences.append("Each step goes on from the weights of the last, so later designs on the path have been trained for longer.")
    last = record["path"][-1] if record["path"] else {}
    if last.get("control", {}).get("loss") is not None and last["kept"] is None:
        tried = [entry for entry in last["tried"] if entry["loss"] is not None]
        best = min(tried, key=lambda entry: entry["loss"], default=None)
        fused = "no fusion could be trained" if best is None else f"with its best fusion {number(best['loss'])}{_chance(best.get('gain'))}"
        sentences.append(f"In the last step the same design, trained on for as long, had {number(last['control']['loss'])}; {fused}.")
    return sentences


def _controlled(path: Sequence[Mapping[str, Any]]) -> str:
    """Say what a fusion had to beat; the runs of version 0.1.0 had no control."""
    if not any("control" in step for step in path):
        return ""
    tested = any(entry.get("gain") for step in path for entry in step["tried"])
    return " by more than training on alone" + (" and by more than chance" if tested else "")


def _chance(gain: Mapping[str, Any] | None) -> str:
    """Say why a fusion of less loss was not kept."""
    if gain is None or gain["difference"] <= 0:
        return ""
    bought = interval_text(gain["interval"], signed=True)
    return f", which is {gain['outcome']} over the better of the designs without it (90 % interval of what it buys {bought})"


def _role(role: str) -> str:
    names = {"none": "no fusion but the last", "all": "all fusions on", "late": "late mean"}
    return names.get(role, f"{role} alone")


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
