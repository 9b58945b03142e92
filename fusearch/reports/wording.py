"""How the report writes names and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = [
    "deviation",
    "difference",
    "duration",
    "interval_text",
    "metric_label",
    "number",
    "quantity",
    "role_label",
    "sentence_case",
    "short_number",
    "signed_number",
    "with_spread",
]

_METRICS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "f1_macro": "macro F1",
    "mcc": "MCC",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "concordance": "concordance (C-index)",
    "integrated_brier": "integrated Brier score",
    "dynamic_auc": "time-dependent AUC",
    "mean_auroc": "mean AUROC",
    "mean_auprc": "mean AUPRC",
    "mean_f1": "mean F1",
    "mean_log_loss": "mean log loss",
    "parameters": "parameters",
    "macs": "MACs",
    "memory": "activation memory (bytes)",
    "latency_ms": "latency (ms)",
    "peak_memory_mb": "peak memory (MB)",
    "train_seconds": "training time (s)",
}

#: What follows the number of a cost in a sentence.
_UNITS: Mapping[str, str] = {
    "parameters": "parameters",
    "macs": "MACs",
    "memory": "bytes of activations",
    "latency_ms": "ms latency",
    "peak_memory_mb": "MB peak memory",
    "train_seconds": "s of training",
}

_ROLES: Mapping[str, str] = {
    "best_unimodal": "the best single modality",
    "linear": "the linear model",
    "early": "early fusion",
    "penultimate": "penultimate concatenation",
    "late": "late fusion",
    "stacked": "stacked late fusion",
}

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def metric_label(name: str) -> str:
    """Return the name of a metric or cost as a reader writes it; an unknown one keeps its name, one of several tasks has it in front."""
    task, dot, own = name.partition(".")
    if dot and task.isidentifier() and not task.startswith("worst_missing_") and "_without" not in task:
        return f"{task}: {metric_label(own)}"
    return _METRICS.get(name, name.replace("_", " "))


def role_label(role: str) -> str:
    """Return the role of a reference design in words."""
    return _ROLES.get(role, role.replace("_", " "))


def sentence_case(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def number(value: float | None) -> str:
    """Write a number so that it can be read at a glance: `0.903`, `12.4`, `412`, `12.4 k`, `1.20 M`.

    Numbers below 10 keep three decimals, so that a column of scores lines up, and below 0.001 four (`0.0001`); what would read as zero
    even so is `2.5 × 10⁻⁵`. Whole numbers from 2 to 999 stay whole.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value == math.inf else "−∞" if value == -math.inf else "not a number"
    size = abs(value)
    sign = "−" if value < 0 else ""
    if size == int(size) and size < 1000:
        return f"{sign}{int(size)}" if size >= 2 or size == 0 else f"{sign}{size:.3f}"
    if size < 5e-5:
        digits, power = f"{size:.2g}".split("e")
        return f"{sign}{digits}\u00a0×\u00a010{str(int(power)).translate(_RAISED)}"
    if size < 9.5e-4:
        return f"{sign}{size:.4f}"
    if size < 10:
        return f"{sign}{size:.3f}"
    for scale, prefix in _PREFIXES:
        if size >= scale * 0.9995:
            return f"{sign}{_three_digits(size / scale)}\u202f{prefix}"
    return f"{sign}{_three_digits(size)}"


def short_number(value: float) -> str:
    """Write a round number without needless zeros, as ticks need it: `0.05`, `5`, `10 k`, `2 M`."""
    for scale, prefix in _PREFIXES:
        if abs(value) >= scale:
            return f"{value / scale:g}\u202f{prefix}"
    return f"{value:g}"


def _three_digits(value: float) -> str:
    return f"{value:#.3g}".removesuffix(".")


def quantity(name: str, value: float) -> str:
    """Write a metric or cost inside a sentence: `392 k MACs`, `0.50 ms latency`, `log loss 0.301`."""
    if name in _UNITS:
        return f"{number(value)} {_UNITS[name]}"
    return f"{metric_label(name)} {number(value)}"


def signed_number(value: float) -> str:
    """Write a difference with its sign: `+0.012`, `−0.003`, `0`."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def interval_text(ends: Sequence[float], *, signed: bool = False) -> str:
    """Write an interval: `0.871 to 0.934`, of a difference `−0.0001 to +0.012`; an end that is next to nothing beside the other is `0.000`.

    Ends that are the same are no certainty: of a few rows that are all ranked rightly each draw is. They are `1.000 in every draw`.

    Args:
        ends: The lower and the upper end.
        signed: Whether it is of a difference.
    """
    write = signed_number if signed else number
    if ends[0] == ends[-1]:
        return f"{write(ends[0])} in every draw"
    nothing = min(5e-5, max(map(abs, ends)) / 100)
    return " to ".join("0.000" if abs(end) < nothing else write(end) for end in ends)


def deviation(value: float, spread: float) -> str:
    """Write a spread beside its value, with the same decimals: `0.021`; `<0.001` where it would read as zero."""
    if 1e-3 <= abs(value) < 10 and 0 < spread < 5e-4:
        return "<0.001"
    return f"{spread:.3f}" if spread < 10 and abs(value) < 10 else number(spread)


def difference(value: float) -> str:
    """Write the size of a difference of scores: `0.012`; `less than 0.001` where it would read as zero."""
    return "less than 0.001" if 0 < abs(value) < 5e-4 else number(abs(value))


def with_spread(value: float, spread: float | None) -> str:
    """Write a value with its standard deviation over members: `0.903 ± 0.021`."""
    return number(value) if spread is None else f"{number(value)}\u00a0±\u00a0{deviation(value, spread)}"


def duration(seconds: float | None) -> str:
    """Write a wall time: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 02 min`."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"
