"""A search, finished or not, as its folder and study tell it. Light: no torch, no ray; safe to read while the search goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Objective, primary, read_objectives
from fusearch.errors import ObjectiveError, RunError, YamlError
from fusearch.layout import CONFIG, DECISION
from fusearch.lazy import from_above
from fusearch.more_seeds import with_more_seeds
from fusearch.study import DRIVER, FORMAT, STUDY_NAME, TrialRecord, open_study, read_records
from fusearch.trials import Trials
from fusearch.yaml_file import read_yaml

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Run", "other_data", "read_config", "read_decision"]


def read_config(folder: Path) -> dict[str, Any]:
    """Read the `config.yaml` of a run folder.

    Raises:
        RunError: There is none, it is no run's configuration, or it was written by a newer format.
    """
    path = folder / CONFIG
    try:
        config = read_yaml(path, expected="the configuration of a run")
    except FileNotFoundError:
        hint = f"expected a file {CONFIG!r} there (made by `fusearch search ... --out {folder}`)"
        raise RunError(f"no run in {str(folder)!r}: {hint}") from None
    except YamlError as error:
        raise RunError(f"cannot read {str(path)!r}: {error}") from None
    if not isinstance(config.get("format"), int) or "objectives" not in config:
        raise RunError(f"{str(path)!r} is not the configuration of a run: expected the keys 'format' and 'objectives'")
    if config["format"] > FORMAT:
        raise RunError(
            f"run folder {str(folder)!r} is of format {config['format']} (fusearch {config.get('fusearch', '?')}), "
            f"this fusearch reads formats up to {FORMAT}: install a newer one"
        )
    try:
        read_objectives(config["objectives"])
    except ObjectiveError as error:
        raise RunError(f"{str(path)!r}: {error}") from None
    return config


def other_data(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Say what is other of the data than in a run; None where nothing is.

    Weights that streams start from are part of the fingerprint: where they changed, they are named and not the data.

    Args:
        before: The `data` of the configuration of a run.
        now: What `Dataset.identity` says of those of today.

    Example:
        >>> before = {"modality": "cxr", "encoder": "resnet", "file": "a.pt", "digest": "01", "freeze": 0}
        >>> other_data({"fingerprint": "a1"}, {"fingerprint": "b2"})
        'the data changed, fingerprint a1 in the run and b2 now'
        >>> after = {**before, "digest": "02"}
        >>> other_data({"fingerprint": "a1", "given_weights": [before]}, {"fingerprint": "b2", "given_weights": [after]})
        "weights 'a.pt' of cxr:resnet changed, digest 01 in the run and 02 now"
    """
    old, new = before.get("fingerprint"), now.get("fingerprint")
    if old == new:
        return None
    weights = _other_weights(before.get("given_weights"), now.get("given_weights") or ())
    return weights or f"the data changed, fingerprint {old} in the run and {new} now"


def _other_weights(before: Sequence[Mapping[str, Any]] | None, now: Sequence[Mapping[str, Any]]) -> str | None:
    """Say what is other of the weights that streams start from; None where nothing is, or a run kept nothing of them, as runs once did."""
    if before is None:
        return None
    old, new = ({(each["modality"], each["encoder"]): each for each in part} for part in (before, now))
    for key in old | new:
        stream = ":".join(key)
        if key not in new or key not in old:
            file, has, lacks = (old[key]["file"], "in the run", "now") if key in old else (new[key]["file"], "now", "in the run")
            return f"{stream} starts from weights {file!r} {has}, and from none {lacks}"
        one, other = old[key], new[key]
        if one["digest"] != other["digest"]:
            named = repr(other["file"]) if one["file"] == other["file"] else f"{other['file']!r} ({one['file']!r} in the run)"
            return f"weights {named} of {stream} changed, digest {one['digest']} in the run and {other['digest']} now"
        if one["freeze"] != other["freeze"]:
            return f"`freeze` of {stream} changed, {one['freeze']} in the run and {other['freeze']} now"
    return None


def read_decision(folder: Path) -> dict[str, Any] | None:
    """Read what the strategy of a run decided; None for a run without one, or one that has not decided yet.

    Raises:
        RunError: The file is not what a strategy writes.
    """
    path = folder / DECISION
    try:
        decision = json.loads(path.read_text(encoding="utf-8"))
        _ = decision["strategy"], decision["candidate"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{str(path)!r} is not the decision of a strategy: {error}") from None
    return dict(decision)


class Run:
    """A search, finished or not.

    Args:
        path: The run folder.
        select: What designs are ranked and picked by: `metric`, `loss` or `both`; None: what the search was told.
        study: The study, where it is open already.

    Attributes:
        path: The run folder.
        config: `config.yaml` as it was resolved.
        objectives: What is optimized, in the order of the values of a trial.

    Raises:
        RunError: The folder holds no run, or one of a newer format.

    Example:
        >>> run = Run("runs/demo")
        >>> run.pick("best:auroc") in run.front()
        True
    """

    def __init__(self, path: str | Path, *, select: str | None = None, study: optuna.Study | None = None) -> None:
        self.path, self.select = Path(path), select
        self.config = read_config(self.path)
        self.objectives = read_objectives(self.config["objectives"])
        self._study = study

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def study(self) -> optuna.Study:
        """The Optuna study."""
        if self._study is None:
            where = self.config.get("study", {})
            self._study = open_study(self.path, where.get("storage"), where.get("name", STUDY_NAME))
        return self._study

    @property
    def primary(self) -> Objective:
        """The objective that decides where one number must: the first that is not a cost."""
        return primary(self.objectives)

    def read(self) -> Trials:
        """Return what the study holds now, as one frozen snapshot: ask that where several answers must agree.

        Raises:
            RunError: The study, or the decision of the run's strategy, cannot be read; or there is no such `select`.
        """
        driver = self.study.user_attrs.get(DRIVER)  # before the trials: a driver that has finished leaves none in flight
        held = with_more_seeds(read_records(self.study, [objective.name for objective in self.objectives]))
        # The others are someone else's, as the study may be shared; what waits is evaluated, whoever queued it.
        records = [record for record in held if record.candidate or record.state == "waiting"]
        return Trials(records, self.objectives, self.config, self.path, driver, read_decision(self.path), self.select)

    def records(self) -> list[TrialRecord]:
        """Return every trial of fusearch as the study tells it now, in the order of their numbers."""
        return list(self.read().records)

    def feasible(self) -> list[TrialRecord]:
        """Return the evaluated trials that keep the bounds of all objectives, best first: `read().feasible`."""
        return self.read().feasible

    def front(self) -> list[TrialRecord]:
        """Return the Pareto front as it is now: `read().front`."""
        return self.read().front

    def references(self) -> dict[str, TrialRecord]:
        """Return the best record of each reference role as it is now: `read().references`."""
        return self.read().references

    def pick(self, how: str = "simplest") -> TrialRecord:
        """Choose one design of those that there are now: `read().pick(how)`, see `Trials.pick`.

        Raises:
            RunError: There is no complete trial, or no (or more than one) design with that digest.
            ObjectiveError: The metric is not among the values.
        """
        return self.read().pick(how)

    def refuse_other_data(self, identity: Mapping[str, Any]) -> None:
        """Refuse data that are not those of the search, given what `Dataset.identity` says of them.

        Raises:
            RunError: They are such; it says whether the data changed, or the weights that streams start from.
        """
        other = other_data(self.config.get("evaluator", {}).get("data") or {}, identity)
        if other is not None:
            raise RunError(
                f"data set {identity['name']!r} is not that of run {str(self.path)!r}: {other}; expected what was searched on "
                "(the `predict.py` of an export predicts new patients)"
            )

    def network(self, pick: str = "simplest", **which: Any) -> Any:
        """Return a `TrainedNetwork` of the search, with its preprocessing: `fusearch.load_network(run, pick, fold=, seed=, train=)`."""
        return from_above("evaluators.export.trained", "load_network")(self, pick, **which)

    def networks(self, pick: str = "simplest", **which: Any) -> Any:
        """Return those of all folds and seeds of a design, a tuple: `fusearch.load_networks(run, pick, train=)`."""
        return from_above("evaluators.export.trained", "load_networks")(self, pick, **which)

    def trials(self) -> pd.DataFrame:
        """Return every trial as a row of a data frame: `fusearch.reports.trials_frame(run)`, as in `trials.csv`."""
        frame: pd.DataFrame = from_above("reports.trials_table", "trials_frame")(self)
        return frame

    def figure(self, x: str | None = None, y: str | None = None) -> go.Figure:
        """Draw the front with plotly, between two objectives or the first ones: `fusearch.front_figure(run, x, y)`."""
        drawn: go.Figure = from_above("reports.figures.front_plot", "front_figure")(self, x, y)
        return drawn

    def _repr_html_(self) -> str:
        return str(from_above("reports.run_html", "run_html")(self))

    def status(self) -> dict[str, Any]:
        """Return what `fusearch status --json` prints now: `read().status()`, and `verdict` with the `answers` once the run has stopped."""
        from fusearch.inference import answer, status_with_answers

        trials = self.read()
        return status_with_answers(trials, lambda: answer(trials))
