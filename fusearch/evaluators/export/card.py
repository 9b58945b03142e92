"""The model card of a bundle (Mitchell et al. 2019, "Model cards for model reporting"): what it is, on what, how good, how to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fusearch.amounts import amount, counted
from fusearch.evaluators.export.model_files import ONNX, PT2
from fusearch.evaluators.export.module_folder import MODULE_SOURCE
from fusearch.plain_markdown import as_code, as_words

__all__ = ["write_card"]

CARD = """\
# Model card: {name} from {modalities}

## What it is

Predicts {target} ({predicts}). {note}
{networks}

```
{design[formula]}
```

In the notation of Guarrasi et al. 2025:

```
{design[formula_review]}
```

Level: {labels[level]}. Type: {labels[type]}. Training: {training}. Digest: {design[digest]}.

## Trained on

Data set {source} (fingerprint `{data[fingerprint]}`): the {data[training_rows]} samples of its train and val splits.
Its test split was not used. Length of training: {epochs}.

## How good it is

{table}

{metrics[note]}

{decision}{confirmed}

## Intended use and caveats

For research on data that resemble the training data: the same measurements, units, devices and population. It is no medical device.
Not examined: other cohorts, subgroups, drift over time, calibration elsewhere. A sample may lack modalities; how far to trust a prediction
without one depends on how often training samples lacked it.

## How to run it

{program}{holds}: raw
values in (float32, NaN for a missing value), {task[says]} out.
Largest difference from the network on real rows: {differences}; allowed: {metrics[tolerance]:g}.

## Made with

{versions}
"""

#: Costs whose name does not say their unit -> how the card calls them.
_UNITS = {"memory": "memory (bytes)"}


def write_card(design: Mapping[str, Any], metrics: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        design: Content of `design.json`.
        metrics: Content of `metrics.json`.
        inputs: Content of `inputs.json`.
    """
    return CARD.format(
        design=design,
        data=design["data"],
        task=design["task"],
        labels=design["labels"],
        metrics=metrics,
        name=as_words(design["task"]["name"]),
        target=as_code(design["task"]["name"]),
        predicts=as_words(design["task"]["predicts"]),
        note=as_words(design["task"]["note"]),
        source=as_code(design["data"]["name"]),
        modalities=", ".join(inputs["modalities"]),
        networks=_networks(design),
        training=design["graph"]["training"],
        epochs=_epochs(design),
        table=_metrics_table(metrics),
        decision=_decisions(metrics, inputs),
        confirmed=_confirmed(metrics["confirmed"]),
        program=_program(inputs) if ONNX in metrics["file_differences"] else "",
        holds=_holds(metrics["file_differences"]),
        differences=", ".join(f"`{file}` {value:.1g}" for file, value in metrics["file_differences"].items()),
        versions=", ".join(f"{name} {version}" for name, version in design["versions"].items()),
    )


def _networks(design: Mapping[str, Any]) -> str:
    designs = len(design.get("members", ())) or 1
    of = "one fusion design" if designs == 1 else f"each of {designs} designs"
    numbers = sorted({each["seeds"] for each in design.get("members", (design,))}, reverse=True)
    networks = f"{' or '.join(map(str, numbers))} network{'s' * (numbers[0] != 1)} of {of}"
    if designs == 1 and numbers == [1]:
        return f"{networks}. The model file also holds imputation, scaling and one-hot encoding."
    how = "" if numbers == [1] else ", each trained with a seed of its own"
    says = design["task"]["says"]
    return f"{networks}{how}; their {says}\nare averaged inside the model file, which also holds imputation, scaling and one-hot encoding."


def _metrics_table(metrics: Mapping[str, Any]) -> str:
    rows = [f"| {_UNITS.get(name, name)} | {amount(row['mean'])} | {_number(row['spread'])} |" for name, row in metrics["search"].items()]
    return "\n".join(["| metric | mean over members | spread |", "|---|---|---|", *rows])


def _confirmed(confirmed: Mapping[str, Any] | None) -> str:
    if confirmed is None:
        return "This design has not been evaluated on the test split."
    values = ", ".join(f"{name} {value:.4g}" for name, value in confirmed["values"].items())
    return f"On the test split ({confirmed['samples']} samples, look {confirmed['look']}): {values}."


def _decisions(metrics: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Say how probabilities become a class, and the classes of several tasks, where that was fitted."""
    told = (
        []
        if metrics.get("correction") is None
        else [_decision(metrics["correction"], inputs["outputs"], "The class that `predict.py` names")]
    )
    for task in inputs.get("tasks", ()):
        correction = metrics.get("corrections", {}).get(task["name"])
        named = f"The class of {as_code(task['name'])} that `predict.py` names"
        told += [] if correction is None else [_decision(correction, task["classes"], named)]
    return "".join(told)


def _decision(correction: Mapping[str, Any], classes: Sequence[str], named: str) -> str:
    labels = [as_words(name) for name in classes]
    weights = ", ".join(f"{label} {weight:.3g}" for label, weight in zip(labels, correction["weights"], strict=True))
    how = (
        f"the one with the largest probability times a weight ({weights})"
        if correction["threshold"] is None
        else f"{labels[1]} from a probability of {correction['threshold']:.3g} on, else {labels[0]}"
    )
    scores = f"{correction['score']:.4g} instead of {correction['plain']:.4g}"
    return f"{named} is {how}. This was fitted for {correction['metric']} on held-out rows: {scores} there.\n\n"


def _inputs_list(inputs: Mapping[str, Any]) -> str:
    known = as_code(inputs["id"] or "id")
    joined = f"Rows are matched by the column {known}." if inputs["id"] else f"Rows are matched by a column {known}, or by their order."
    lines = [f"{joined} A file left out, a row that is not there, or a row of empty cells is a missing modality."]
    for name, modality in inputs["modalities"].items():
        option, shape = f"- `{modality['option']}`", " x ".join(map(str, modality["shape"]))
        if "numeric" in modality:
            columns = [as_code(column) for column in modality["numeric"]]
            columns += [f"{as_code(column)} ({as_words(', '.join(levels))})" for column, levels in modality["categorical"].items()]
            lines.append(f"{option}: a CSV file with the columns {_shorten(columns)}")
        elif "model" in modality:
            lines.append(f"{option}: {_symbols(modality)}, read through the language model in `texts/`")
        elif "symbols" in modality:
            lines.append(f"{option}: {_symbols(modality)}, of which {shape} are read")
        elif "time" in modality or ("rate" in modality and "channels" in modality):
            lines.append(f"{option}: {_series(modality, known)}")
        elif "node" in modality:
            lines.append(f"{option}: {_graphs(modality, known)}")
        elif "rate" in modality:
            length = f"{modality['seconds']:g} s at {modality['rate']} Hz"
            lines.append(
                f"{option}: a CSV file whose column {as_code(modality['column'])} names a WAV or FLAC file a row; {length} are read"
            )
        elif "column" in modality:
            named = f"{as_code(modality['column'])} names a file a row ({modality['reader']})"
            lines.append(f"{option}: a CSV file whose column {named}, as {shape} values")
        else:
            lines.append(f"{option}: {name} as an NPY or NPZ array (rows x {shape}); ids in an array {known}")
    return "\n".join([lines[0], "", *lines[1:]])


def _series(modality: Mapping[str, Any], known: str) -> str:
    channels = _shorten([as_code(channel) for channel in modality["channels"]])
    if "time" in modality:
        what = f"a CSV file with a row for each step: {known}, {as_code(modality['time'])}, rising, and {channels}"
        return f"{what}; {modality['shape'][0]} steps are read"
    what = f"a CSV file whose column {as_code(modality['column'])} names an EDF file a row, with {channels}"
    return f"{what}; {modality['seconds']:g} s at {modality['rate']:g} Hz are read"


def _graphs(modality: Mapping[str, Any], known: str) -> str:
    measured = _shorten([as_code(feature) for feature in modality["features"]])
    nodes = f"with a row for each node: {known}, {as_code(modality['node'])}, its name, and {measured}"
    edges = f"a row for each edge: {known}, `source`, `target`, and `weight` where edges have some; it may have none"
    if modality["edges"] is None:
        return f"a workbook with two sheets, {as_code(modality['sheet'])} {nodes}; {as_code(modality['edges_sheet'])} with {edges}"
    return f"a CSV file {nodes}; beside it {as_code(modality['edges'])} with {edges}"


def _symbols(modality: Mapping[str, Any]) -> str:
    if "column" not in modality:
        return f"a FASTA file of {as_words(modality['alphabet'])} letters, whose records are named by the ids"
    what = f"a sequence of {as_words(modality['alphabet'])} letters" if "alphabet" in modality else "a text"
    what = what if "root" not in modality else "a text file"
    return f"a CSV file whose column {as_code(modality['column'])} {'holds' if 'root' not in modality else 'names'} {what} a row"


def _shorten(columns: Sequence[str], most: int = 20) -> str:
    more = f" and {len(columns) - most} more (see `inputs.json`)" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more


def _epochs(design: Mapping[str, Any]) -> str:
    epochs: Mapping[str, int] = design["epochs"]
    if design["graph"]["training"] == "convex" and "members" not in design:
        return "none, its weights were solved for"
    if list(epochs) == ["fusion"]:
        return f"{counted(epochs['fusion'], 'epoch')}, the median of the best epochs of its members"
    return ", ".join(f"{counted(count, 'epoch')} of {phase}" for phase, count in epochs.items()) or "no epoch: it has nothing to train"


def _program(inputs: Mapping[str, Any]) -> str:
    """Say how `predict.py` is run; it runs the ONNX file."""
    options = " ".join(f"{modality['option']} {name}.{_suffix(modality)}" for name, modality in inputs["modalities"].items())
    command = f"```\npip install -r requirements.txt\npython predict.py {options} --out predictions.csv\n```"
    return f"{command}\n\n{_inputs_list(inputs)}\n{_files(inputs)}\n"


#: File -> how it is loaded.
_LOADED = {
    ONNX: f"`{ONNX}` (ONNX Runtime)",
    PT2: f"`{PT2}` (`torch.export.load`; a dictionary in the order of `inputs.json`)",
    MODULE_SOURCE: f"`{MODULE_SOURCE}` (plain torch as source: `from model import load`)",
}


def _holds(files: Mapping[str, float]) -> str:
    """Say which files hold the model, in the order of the table above."""
    named = [how for file, how in _LOADED.items() if file in files]
    if len(named) == 1:
        return f"{named[0]} holds the model"
    return f"{', '.join(named[:-1])} and {named[-1]} hold the same model"


def _files(inputs: Mapping[str, Any]) -> str:
    """Say what is written of masks."""
    masks = inputs.get("masks")
    if masks is None:
        return ""
    values = ", ".join(f"{value}: {as_words(label)}" for label, value in zip(masks["classes"], masks["values"], strict=True))
    like = (
        ""
        if masks["like"] is None
        else f", like the file of `{masks['like']}` (NIfTI on its positions, a picture as PNG and NPY as NPY of its size, else NPY)"
    )
    grid = " x ".join(map(str, masks["grid"]))
    return f"""
Writes a mask a sample into `predictions_masks`{like}, with the values {values}; the model says them on {grid} positions. `predictions.csv`
names them and counts the positions of each class.
"""


def _suffix(modality: Mapping[str, Any]) -> str:
    if "symbols" in modality and "column" not in modality:
        return "fasta"
    if "node" in modality and modality["edges"] is None:
        return "xlsx"
    return "csv" if {"numeric", "column", "time", "node"} & set(modality) else "npz"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"
