"""What a data set holds and what is wrong with it: the command `fusearch check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fusearch.amounts import amount, counted
from fusearch.data.assembly.arrays import RawModality
from fusearch.data.assembly.assembly import divide, find_faults, join_parts
from fusearch.data.assembly.decoded import mapped_file
from fusearch.data.assembly.from_manifest import read_given, weights_named
from fusearch.data.assembly.label_file import LabelFile, read_labels
from fusearch.data.assembly.modality_files import read_modality
from fusearch.data.assembly.test_cohort import add_test_cohort
from fusearch.data.check.pitfalls import find_problems
from fusearch.data.check.problem import Problem, worst_first
from fusearch.data.dataset import Dataset
from fusearch.data.given_weights import GivenWeights
from fusearch.data.kinds import Layout
from fusearch.data.loading import find_source
from fusearch.data.manifest.manifest import Manifest, load_manifest, manifest_faults
from fusearch.data.modality import Modality
from fusearch.errors import DataError, FusearchError
from fusearch.notebook import html_table, html_title

__all__ = ["CheckResult", "check_data"]

#: Faults of one modality that are told.
_FAULTS = 10

#: Raises where given weights do not fit the encoders of these modalities.
CompareWeights = Callable[[Sequence[GivenWeights], Sequence[Modality]], None]


@dataclass(frozen=True)
class CheckResult:
    """What `check_data` found.

    Attributes:
        name: Name of the data set, or the source where it could not be read.
        samples: Number of samples; 0 where the labels could not be read.
        modalities: Name -> `kind`, `shape`, `missing_rows` (samples that lack it), `missing_values` (in the others), `held_in`
            (`memory`, or `disk`, from where decoded values are mapped), `mebibytes` of its values and, where it was read from a file,
            `unlabelled_rows` (rows of no sample).
        splits: Split -> `rows`, and what the task says of their targets, such as `classes` (label -> count) or `mean` and `std`.
        problems: What is wrong, errors first.
        task: `kind`, `name`, `note` (such as which class is positive) and `chance`, what a guess reaches in some metrics.
    """

    name: str
    samples: int
    modalities: Mapping[str, Mapping[str, Any]]
    splits: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]
    task: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.name}: {counted(self.samples, 'sample')}", self._predicted()]
        for what, facts in (("modality", self.modalities), ("split", self.splits)):
            told = {name: ", ".join(f"{key} {_written(value)}" for key, value in entry.items()) for name, entry in facts.items()}
            lines += [f"{what} {name}: {entry}" for name, entry in told.items()]
        lines += [f"{each.severity}, {each.where}: {each.what}" for each in self.problems] or ["No problems found."]
        return "\n".join(filter(None, lines))

    def _predicted(self) -> str:
        """Say what is predicted, and of classes which one is positive; empty where the labels could not be read."""
        return f"{self.task['kind']} of {self.task['name']}. {self.task['note']}".strip() if self.task else ""

    def _repr_html_(self) -> str:
        problems = [{"severity": each.severity, "where": each.where, "what": each.what} for each in self.problems]
        modalities = [{"modality": name, **facts} for name, facts in self.modalities.items()]
        splits = [{"split": name, **facts} for name, facts in self.splits.items()]
        told = html_table(problems) if problems else html_title("No problems found.")
        head = html_title(f"{self.name}: {counted(self.samples, 'sample')}") + (html_title(self._predicted()) if self.task else "")
        return head + html_table(modalities) + html_table(splits) + told

    @property
    def ok(self) -> bool:
        """Whether the data set can be searched: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)

    @property
    def warnings(self) -> list[str]:
        """What does not forbid to load the data set and may mislead, one line each."""
        return [f"{problem.where}: {problem.what}" for problem in self.problems if problem.severity == "warning"]

    def to_dict(self) -> dict[str, Any]:
        """Return the document of `fusearch check --json`."""
        return {
            "name": self.name,
            "samples": self.samples,
            "modalities": {name: dict(entry) for name, entry in self.modalities.items()},
            "splits": {split: dict(entry) for split, entry in self.splits.items()},
            "problems": [asdict(problem) for problem in self.problems],
            "task": dict(self.task),
        }


def check_data(source: str | Path | Dataset, *, compare: CompareWeights | None = None) -> CheckResult:
    """Say what a data set holds and list everything that is wrong with it; data that cannot be loaded are a result too.

    Args:
        source: A manifest's path, the name of an embedded data set, or a data set.
        compare: Compares given weights with the encoders that start from them, as `fusearch check` does; None: they are not compared,
            which needs torch.

    Example:
        >>> result = check_data("wisconsin")
        >>> result.samples, result.splits["test"]["classes"], result.ok
        (569, {'benign': 53, 'malignant': 32}, True)
    """
    if isinstance(source, Dataset):
        return _describe(source, {}, _unfit(source.given_weights, source.modalities, compare))
    found = find_source(source)
    if not isinstance(found, Path):
        return _describe(found.load(), {}, [])
    faults = manifest_faults(found)
    if faults:
        return _nothing(str(source), [Problem("error", fault, found.name) for fault in faults])
    return _check_manifest(load_manifest(found), compare)


def _written(value: Any) -> str:
    """Write a fact of a modality or a split in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_written(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " x ".join(map(str, value))
    return amount(value) if isinstance(value, float) else str(value)


def _first(faults: Sequence[str]) -> list[str]:
    """Return the first faults of a file, the last of them with the number of the others: one mistake often repeats in every row."""
    shown, others = list(faults[:_FAULTS]), len(faults) - _FAULTS
    return [*shown[:-1], f"{shown[-1]} (and {others} more)"] if others > 0 else shown


def _check_manifest(manifest: Manifest, compare: CompareWeights | None) -> CheckResult:
    problems: list[Problem] = []
    try:
        labels: LabelFile | None = read_labels(manifest)
    except FusearchError as error:
        labels = None
        problems.append(Problem("error", str(error), "labels"))
    if labels is None:
        return _nothing(manifest.name, [*problems, *_missing_files(manifest)])
    modalities: dict[str, RawModality] = {}
    for name in manifest.modalities:
        try:
            modalities[name] = read_modality(manifest, name, labels)
        except DataError as error:
            problems += [Problem("error", fault, f"modalities.{name}") for fault in _first(error.faults)]
        except FusearchError as error:
            problems.append(Problem("error", str(error), f"modalities.{name}"))
    if not modalities:
        return _nothing(manifest.name, problems, len(labels.ids))
    try:
        if manifest.splits.test is not None and not problems:
            labels, modalities = add_test_cohort(manifest, labels, modalities)
        split_of, groups = divide(modalities, labels.targets, labels.task, labels.plan, labels.groups)
    except FusearchError as error:
        return _nothing(manifest.name, [*problems, Problem("error", str(error), "splits")], len(labels.ids))
    problems += find_faults(modalities, labels.ids, split_of, labels.groups)
    content = join_parts(
        manifest.name,
        modalities,
        labels.targets,
        labels.task,
        ids=labels.ids,
        split_of=split_of,
        plan=labels.plan,
        groups=groups,
        notes=labels.notes,
    )
    given = []
    for name, keys in weights_named(manifest):
        try:
            given.append(read_given(manifest, name, keys))
        except FusearchError as error:
            problems.append(Problem("error", str(error), f"encoders.{name}"))
    data = Dataset.of(content)
    return _describe(data, modalities, [*problems, *_unfit(given, data.modalities, compare)])


def _unfit(given: Sequence[GivenWeights], modalities: Sequence[Modality], compare: CompareWeights | None) -> list[Problem]:
    """Tell given weights that do not fit the encoders that start from them: a search refuses them."""
    if compare is None:
        return []
    problems = []
    read = {modality.name for modality in modalities}
    for each in given:
        try:
            if each.modality in read:  # of a modality that could not be read that is told already
                compare([each], modalities)
        except FusearchError as error:
            problems.append(Problem("error", str(error), f"encoders.{each.modality}"))
    return problems


def _missing_files(manifest: Manifest) -> list[Problem]:
    problems = []
    for name, spec in manifest.modalities.items():
        try:
            manifest.resolve(spec.file, f"modalities.{name}.file")
        except FusearchError as error:
            problems.append(Problem("error", str(error), f"modalities.{name}"))
    return problems


def _num_missing(values: npt.NDArray[Any], layout: Layout) -> int:
    """Return how many values, (N, *shape), are missing: what is behind the end of a text, a film or a graph is not."""
    if layout.channel is None:
        return 0
    gaps = np.isnan(values)
    if layout.ragged_axis is not None:
        gaps &= ~gaps.all(axis=tuple(axis for axis in range(1, gaps.ndim) if axis != 1 + layout.ragged_axis), keepdims=True)
    return int(gaps.sum())


def _describe(data: Dataset, modalities: Mapping[str, RawModality], problems: list[Problem]) -> CheckResult:
    entries: dict[str, dict[str, Any]] = {}
    for modality in data.modalities:
        present = data.present[modality.name]
        entry = entries[modality.name] = {"kind": modality.kind, "shape": list(modality.shape)}
        entry["missing_rows"] = int((~present).sum())
        entry["missing_values"] = _num_missing(data.raw[modality.name][present], modality.layout)
        mapped, size = mapped_file(data.raw[modality.name]), data.raw[modality.name].nbytes / 2**20
        entry["held_in"], entry["mebibytes"] = "memory" if mapped is None else "disk", float(f"{size:.3g}")
        if mapped is not None:
            what = f"its {size:,.3g} MiB of decoded values are mapped from {str(mapped)!r}, where they are decoded once"
            problems = [*problems, Problem("info", f"modality {modality.name!r}: {what}", f"modalities.{modality.name}")]
        if modality.name in modalities:
            entry["unlabelled_rows"] = modalities[modality.name].num_unlabelled
    return CheckResult(
        data.name,
        len(data),
        entries,
        {split: _balance(data, split) for split in ("train", "val", "test") if (data.split_of == split).any()},
        worst_first([*problems, *find_problems(data)]),
        {"kind": data.task.kind, "name": data.task.name, "note": data.task.note, "chance": data.task.chance(data.targets)},
    )


def _balance(data: Dataset, split: Literal["train", "val", "test"]) -> dict[str, Any]:
    targets = data.targets[data.rows(split)]
    return {"rows": len(targets), **data.task.summary(targets)}


def _nothing(name: str, problems: list[Problem], samples: int = 0) -> CheckResult:
    return CheckResult(name, samples, {}, {}, worst_first(problems))
