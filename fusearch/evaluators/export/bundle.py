"""From a run to a folder that predicts without fusearch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fusearch.data import Dataset
from fusearch.data.files.checksums import write_checksums
from fusearch.errors import ExportError, suggestion
from fusearch.evaluators.export.card import write_card
from fusearch.evaluators.export.carried import write_program
from fusearch.evaluators.export.choice import load_choice_data
from fusearch.evaluators.export.confirmation import looks_so_far
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.documents import describe_design, describe_metrics, requirements
from fusearch.evaluators.export.fitted import fit_picked
from fusearch.evaluators.export.inputs import describe_inputs, raw_shapes, raw_values
from fusearch.evaluators.export.model_files import ONNX, PT2, ROWS_CHECKED, TOLERANCE, check_files, rows_to_check, write_files
from fusearch.evaluators.export.module_folder import MODULE, MODULE_SOURCE, check_module, write_module
from fusearch.evaluators.export.new_folder import new_folder
from fusearch.evaluators.export.text_networks import write_text_networks
from fusearch.inference import correction_of, corrections_of_tasks
from fusearch.inference.picked import read_pick
from fusearch.run import Run

__all__ = ["FORMATS", "export"]

#: What a bundle may hold, and where it lies.
FORMATS = {"onnx": ONNX, "pt2": PT2, "module": MODULE_SOURCE}


def export(
    run: Run | str | Path,
    out: str | Path,
    *,
    data: Dataset | str | Path | None = None,
    pick: str = "simplest",
    seeds: int = 3,
    formats: Sequence[str] = ("onnx", "pt2"),
    device: torch.device | str = "auto",
) -> Path:
    """Train the picked design on train + val and write a folder that predicts without fusearch.

    The folder holds `model.onnx` and `model.pt2` (raw values in, predictions out, for any number of samples), language models of texts
    under `texts/` where there are any, `predict.py` with `files/`, `requirements.txt` and `inputs.json`, `design.json`, `metrics.json` and
    `model_card.md`, and `SHA256SUMS` (decision 0107). Both model files are compared with the network on real rows
    before the folder appears; it appears whole or not at all.

    Args:
        run: The run, or its folder.
        out: The folder to make.
        data: The data set of the run, or where it is now, where it cannot be loaded again from where it was.
        pick: The design, as for `Run.pick`: `simplest`, `knee`, `best:METRIC` or a digest; or `team`, the mean of a few different designs
            (`fusearch.inference`), as one model.
        seeds: Networks to train; their outputs are averaged. A linear model that is solved is one.
        formats: What the model is written as: `onnx`, with the program `predict.py`; `pt2`; `module`, a folder with readable source that
            needs torch alone (decision 0104), of one design.
        device: Where to train: `cpu`, `cuda`, `cuda:1`, ...; `auto`: a GPU where there is one, for designs that are
            large enough for it to be faster.

    Returns:
        `out`.

    Raises:
        ExportError: `out` exists or cannot be written, a format is not known or cannot hold this design, or a model file does not
            reproduce the network.
        RunError: The run has no such design, or its data have changed.

    Example:
        >>> (export("runs/demo", "runs/demo/export", seeds=1) / "predict.py").is_file()
        True
    """
    _check(formats)
    run = run if isinstance(run, Run) else Run(run)
    trials = run.read()
    data = load_choice_data(run, data)
    picked = read_pick(trials, pick)
    if "module" in formats and len(picked.records) > 1:
        digests = ", ".join(record.digest for record in picked.records)
        raise ExportError(f"format module: a team is several designs, expected one of them: {digests}")
    with new_folder(out) as draft:
        fitted = fit_picked(run, picked, data, seeds=seeds, device=device)
        model, choices = fitted.model, fitted.choices
        read = {modality.name for choice in choices for modality in choice.modalities}
        modalities = tuple(modality for modality in data.modalities if modality.name in read)
        shapes, raw = raw_shapes(data, modalities), rows_to_check(raw_values(data, modalities, data.rows("search")[:ROWS_CHECKED]))
        differences: dict[str, float] = {}
        if {"onnx", "pt2"} & set(formats):  # one is made of the other
            write_files(model, shapes, draft)
            differences = check_files(model, raw, draft)
        for name in {"onnx", "pt2"} - set(formats) if differences else ():
            (draft / FORMATS[name]).unlink()
            del differences[FORMATS[name]]
        if "module" in formats and isinstance(model, DeployedModel):
            write_module(model, choices[0].candidate, shapes, draft / MODULE)
            differences[FORMATS["module"]] = check_module(model, raw, draft / MODULE)
        records = [choice.record for choice in choices]
        correction, of_tasks = correction_of(trials, records), corrections_of_tasks(trials, records)
        inputs = describe_inputs(data, modalities, correction, of_tasks)
        design = describe_design(choices, data, seeds=[len(each.networks) for each in fitted.models])
        metrics = describe_metrics(
            choices,
            picked.values,
            candidates=trials.counts["complete"] + trials.counts["raced"],
            confirmed=_confirmed(run, design["candidate"]),
            file_differences=differences,
            tolerance=TOLERANCE,
            correction=correction,
            of_tasks=of_tasks,
        )
        for name, document in (("inputs.json", inputs), ("design.json", design), ("metrics.json", metrics)):
            _write_json(draft / name, document)
        (draft / "model_card.md").write_text(write_card(design, metrics, inputs), encoding="utf-8")
        if "onnx" in formats:  # what the program runs
            write_text_networks(data, modalities, draft)
            (draft / "requirements.txt").write_text(requirements(inputs), encoding="utf-8")
            write_program(draft)
        write_checksums(draft)
    return Path(out)


def _check(formats: Sequence[str]) -> None:
    for name in formats:
        if name not in FORMATS:
            raise ExportError(f"format {name!r}: {suggestion(name, FORMATS)}")
    if not formats:
        raise ExportError(f"no format is given, expected some of {', '.join(FORMATS)}")


def _confirmed(run: Run, candidate: str) -> dict[str, Any] | None:
    """Return what the first look at the test split found for this design."""
    for look in looks_so_far(run):
        for design in look["designs"]:
            if design["candidate"] == candidate:
                return {"look": look["look"], "samples": look["samples"], "values": design["values"]}
    return None


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
