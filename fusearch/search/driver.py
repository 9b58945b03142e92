"""`run_search`: the driver of a search."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import optuna
from optuna.trial import TrialState

from fusearch.contracts import Budget, Evaluator, KeepingEvaluator, Objective
from fusearch.errors import RunError, SpaceError
from fusearch.layout import WEIGHTS
from fusearch.run import Run
from fusearch.search.executor import EXECUTORS, Executor
from fusearch.search.folder import check_resume, create_folder, discard_folder, driven, open_folder, writing
from fusearch.search.interrupts import Interrupts
from fusearch.search.progress import ProgressCallback
from fusearch.search.sampler import SAMPLERS
from fusearch.search.session import Session
from fusearch.search.settings import Settings, check_objectives, describe_run
from fusearch.search.strategies import Strategy, make_strategy
from fusearch.search_space import Candidate, FusionGraph

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace
from fusearch.study import DRIVER, STUDY_NAME

__all__ = ["run_search"]

#: Random designs before a sampler starts to learn, beside the reference designs.
STARTUP = 10


def run_search(
    space: SearchSpace,
    evaluator: Evaluator,
    *,
    objectives: str | Objective | Sequence[str | Objective],
    out: str | Path,
    trials: int | None = 60,
    time_limit: float | None = None,
    sampler: str = "tpe",
    strategy: str | Strategy = "graph",
    executor: Literal["ray", "inline"] | str = "ray",
    workers: int | None = None,
    cpus_per_trial: float = 1,
    gpus_per_trial: float = 0,
    address: str | None = None,
    storage: str | None = None,
    seed: int = 0,
    resume: bool = False,
    budget: Budget | None = None,
    reference_share: float = 0.3,
    first: Sequence[FusionGraph | Candidate] = (),
    progress: ProgressCallback | None = None,
) -> Run:
    """Search fusion designs for the Pareto front of the objectives.

    The reference designs of the space are proposed first and keep `reference_share` of the evaluations. A trial that
    raises, dies or gives a value that is not finite is FAILED with its reason, and the search goes on. SIGINT (Ctrl-C) and
    SIGTERM end the search cleanly: the run comes back with the state `stopped`, and the same call with `resume=True`
    evaluates first what was in flight.

    Args:
        space: What is searched.
        evaluator: How good a design is; a plain function will do.
        objectives: Such as `"auroc"`, `"macs<=1e6"`, `"my_score:max"`, or `Objective`s.
        out: Run folder to make; with `resume`, to go on with.
        trials: Evaluations to make; failures count, repeats and designs that break a bound on a cheap objective do not.
        time_limit: Seconds after which no new evaluation starts; those in flight are finished.
        sampler: Name in `SAMPLERS`; the strategy `graph` asks it.
        strategy: Name in `STRATEGIES`, or a strategy with settings of its own. All but `graph` end by themselves, after `trials` at most,
            and leave their decision in the run folder.
        executor: `ray` (Ray Tune) or `inline` (this process).
        workers: Evaluations side by side; None for as many as fit. Inline has one.
        cpus_per_trial: CPU cores of an evaluation; its worker uses as many threads.
        gpus_per_trial: GPUs of an evaluation; may be a fraction.
        address: Address of a Ray cluster (`auto`, `ray://...`); None for this machine.
        storage: Optuna storage URL in place of the journal in the run folder. It stands in `config.yaml` as given.
        seed: Seed of the search. Inline, the same seed gives the same trials; with several workers, order decides too.
        resume: Go on with the run in `out`; space, data, objectives and budget must be the same.
        budget: What one evaluation may spend.
        reference_share: Share of the evaluations that tune the reference designs; each of them has at least one.
        first: Designs to evaluate before anything else.
        progress: Called with a `Progress` at each start and end of an evaluation.

    Returns:
        The run, finished or stopped.

    Raises:
        ObjectiveError: An objective that the evaluator does not have; nothing is written.
        RunError: The run folder exists, is in use, cannot be written, or does not fit what is to be resumed.
        UnknownNameError: There is no sampler or executor of that name.

    Example:
        >>> from fusearch.data.modality import Modality
        >>> from fusearch.search_space import SearchSpace
        >>> def evaluate(candidate, budget, report):
        ...     return {"score": len(candidate.graph.streams) - 0.1 * len(candidate.graph.fusions)}
        >>> space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))])
        >>> run = run_search(space, evaluate, objectives=["score:max"], out="runs/toy", trials=12, executor="inline")
        >>> run.pick("best:score").objectives
        {'score': 1.9}
    """
    chosen = check_objectives(objectives, evaluator)
    build_sampler, build_executor = SAMPLERS[sampler], EXECUTORS[executor]
    decider = make_strategy(strategy)
    settings = Settings(
        trials=trials,
        time_limit=time_limit,
        sampler=sampler,
        executor=executor,
        workers=workers,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        address=address,
        seed=seed,
        reference_share=reference_share,
        budget=budget or Budget(),
    )
    for design in first:
        if not isinstance(design, FusionGraph | Candidate):
            raise SpaceError(f"first: {design!r}, expected a FusionGraph or a Candidate; FusionGraph.parse reads a formula")
    folder = Path(out)
    config = describe_run(space, evaluator, chosen, settings, study={"storage": storage, "name": _study_name(folder, storage)})
    config["strategy"] = {"name": "graph"} if decider is None else {"name": decider.name, **decider.describe()}
    if decider is not None:
        decider.check(space, evaluator)
        evaluator = evaluator.keeping(folder / WEIGHTS) if isinstance(evaluator, KeepingEvaluator) else evaluator
    with _quiet_optuna():
        if resume:
            config = check_resume(folder, config)
        else:
            create_folder(folder, config, [objective.direction for objective in chosen])
        with driven(folder), Interrupts() as interrupts:
            study = open_folder(folder, config)
            _note(study, folder, "running")
            num_known = len(study.get_trials(deepcopy=False))
            session = Session(
                study,
                space,
                evaluator,
                objectives=chosen,
                settings=settings,
                folder=folder,
                interrupts=interrupts,
                strategy=decider,
                progress=progress,
            )
            sampler_seed = int(np.random.SeedSequence([seed, num_known]).generate_state(1)[0])
            study.sampler = build_sampler(space, sampler_seed, STARTUP + session.proposer.num_references)
            if not resume:
                session.proposer.queue_designs(first)
            is_kept = True
            try:
                _drive(build_executor(settings, folder), session, evaluator, interrupts)
            except Exception:
                is_kept = resume or any(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))
                raise
            finally:
                if is_kept:
                    with suppress(RunError):  # a full disk takes no more notes, and what went wrong comes first
                        _note(study, folder, "finished" if session.is_whole else "stopped", session.stop_reason)
                else:  # it could not even start, such as on a cluster that is not there
                    discard_folder(folder, study)
    return Run(folder)


def _drive(executor: Executor, session: Session, evaluator: Evaluator, interrupts: Interrupts) -> None:
    """Run the session on the executor; whatever happens, no trial of the study stays RUNNING."""
    try:
        with executor:
            interrupts.listen()
            executor.run(session, evaluator, interrupts)
            if interrupts.received is not None:
                session.interrupt(f"interrupted by {interrupts.received}")
            else:
                session.conclude()
    except KeyboardInterrupt:
        session.interrupt(f"interrupted by {interrupts.received or 'SIGINT'}")
    except BaseException as error:
        with suppress(RunError):
            session.interrupt(f"{type(error).__name__}: {error}")
        raise


def _note(study: optuna.Study, folder: Path, state: str, reason: str | None = None) -> None:
    """Write down who drives the study, and how that stands."""
    with writing(folder):
        study.set_user_attr(DRIVER, {"pid": os.getpid(), "host": socket.gethostname(), "state": state, "reason": reason})


def _study_name(folder: Path, storage: str | None) -> str:
    """Name the study; in a storage that many runs share, by the folder and something of its own."""
    return STUDY_NAME if storage is None else f"{STUDY_NAME}-{folder.resolve().name}-{secrets.token_hex(4)}"


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Keep Optuna's log to warnings for as long as the search runs."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
