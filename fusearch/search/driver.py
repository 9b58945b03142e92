"""`run_search`: the driver of a search."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from fusearch.contracts import CachingEvaluator, Evaluator, FoldwiseEvaluator, KeepingEvaluator, Objective, PackEvaluator
from fusearch.errors import RunError, SpaceError
from fusearch.layout import STREAMS, WEIGHTS
from fusearch.run import Run
from fusearch.search.configuration import check_objectives, describe_run
from fusearch.search.executor import EXECUTORS, Executor
from fusearch.search.front_seeds import FrontSeeds, end_rounds
from fusearch.search.front_weights import FrontWeights
from fusearch.search.interrupts import Interrupts
from fusearch.search.live_table import notebook_progress
from fusearch.search.progress import ProgressCallback
from fusearch.search.run_folder import check_resume, create_folder, discard_folder, driven, open_folder, writing
from fusearch.search.sampler import SAMPLERS, KnowsCosts
from fusearch.search.session import Session
from fusearch.search.strategies import make_strategy
from fusearch.search_space import Candidate, FusionGraph, SearchSpace
from fusearch.search_space.encoders import check_installed
from fusearch.settings import Settings
from fusearch.study import DRIVER, STUDY_NAME, absolute_storage

__all__ = ["run_search"]

#: Random designs before a sampler starts to learn, beside the reference designs.
STARTUP = 10


def run_search(
    space: SearchSpace,
    evaluator: Evaluator,
    objectives: str | Objective | Sequence[str | Objective],
    *,
    out: str | Path,
    settings: Settings | None = None,
    resume: bool = False,
    first: Sequence[FusionGraph | Candidate] = (),
    progress: ProgressCallback | None = None,
    command: Sequence[str] | None = None,
    **changes: Any,
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
        settings: How to search: trials, sampler, strategy, executor, workers, seed, ...; see `Settings`.
        resume: Go on with the run in `out`; space, data, objectives and budget must be the same.
        first: Designs to evaluate before anything else.
        progress: Called with a `Progress` at each start and end of an evaluation; None: in a notebook a table shows it, elsewhere nothing.
        command: Words of the command line that makes the run; the report tells them as the way to make it again.
        **changes: Single settings by name, such as `trials=20`; they go before those of `settings`.

    Returns:
        The run, finished or stopped.

    Raises:
        ObjectiveError: An objective that the evaluator does not have; nothing is written.
        RunError: A setting is unknown or out of range; the run folder exists, is in use, cannot be written, or does not fit what is to
            be resumed.
        SpaceError: An encoder of the space needs a package that is not installed.
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
    settings = (settings or Settings()).changed(**changes)
    build_sampler, build_executor = SAMPLERS[settings.sampler], EXECUTORS[settings.executor]
    decider = make_strategy(settings.strategy)
    if decider is not None and settings.start != "references":
        raise RunError(f"start is {settings.start!r}: strategy {decider.name!r} does not take it, expected strategy 'graph'")
    if decider is not None and settings.seeds_front:
        raise RunError(f"seeds_front is {settings.seeds_front}: strategy {decider.name!r} does not take it, expected strategy 'graph'")
    if settings.seeds_front and not isinstance(evaluator, FoldwiseEvaluator):
        raise RunError(f"seeds_front is {settings.seeds_front}: the evaluator tells nothing by fold, expected one with by_fold, or 0")
    if hasattr(evaluator, "recipes") and not isinstance(evaluator, PackEvaluator):
        lacking = [name for name in ("by_fold", "usual_recipes", "price_of_look") if not hasattr(evaluator, name)]
        raise RunError(f"the evaluator has recipes, but not {', '.join(lacking)}: a PackEvaluator needs each of them")
    if decider is not None and getattr(space, "pattern", None) is not None:
        raise SpaceError(f"pattern {space.pattern!r}: strategy {decider.name!r} does not take one, expected strategy 'graph'")
    if isinstance(space, SearchSpace):  # what stands in its place says nothing of encoders
        for modality in space.modalities:
            check_installed(modality, [name for name, _ in space.settings.chains[modality.name].values()])
    for design in first:
        if not isinstance(design, FusionGraph | Candidate):
            raise SpaceError(f"first: {design!r}, expected a FusionGraph or a Candidate; FusionGraph.parse reads a formula")
    folder = Path(out).absolute()  # an evaluator may go to another folder
    settings = settings.changed(storage=absolute_storage(settings.storage))
    config = describe_run(
        space,
        evaluator,
        chosen,
        settings,
        strategy=None if decider is None else {"name": decider.name, **decider.describe()},
        study_name=_study_name(folder, settings.storage),
        command=command,
    )
    evaluator = evaluator.caching(folder / STREAMS) if isinstance(evaluator, CachingEvaluator) else evaluator
    if decider is not None:
        decider.check(space, evaluator)
    if isinstance(evaluator, KeepingEvaluator) and (decider is not None or settings.keep_weights):
        evaluator = evaluator.keeping(folder / WEIGHTS)
    with _quiet_optuna():
        if resume:
            config = check_resume(folder, config)
        else:
            create_folder(folder, config, [objective.direction for objective in chosen])
        progress = progress or notebook_progress()
        with driven(folder), Interrupts() as interrupts:
            study = open_folder(folder, config)
            _note(study, folder, "running")
            end_rounds(study)
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
                criteria=Run(folder).read().criteria,
                progress=progress,
            )
            sampler_seed = int(np.random.SeedSequence([settings.seed, num_known]).generate_state(1)[0])
            startup = STARTUP * ((settings.recipes or 1) + 1) // 2  # about half of the recipes of a design are trained to the end
            sampler = build_sampler(space, sampler_seed, startup + len(session.queue.references) + len(session.published))
            if isinstance(sampler, KnowsCosts):
                sampler.know(chosen, session.bounds)
            study.sampler = sampler
            if not resume:
                session.queue.put_designs(first)
            seeds = None
            if settings.seeds_front:
                seeds = FrontSeeds(study, space, settings=settings, folder=folder, interrupts=interrupts, progress=progress)
            weights = FrontWeights(study, folder, settings.keep_weights) if decider is None else None
            is_kept = True
            with ExitStack() as executors:  # left after the notes are written: what waits for Ray then may be killed
                try:
                    _drive(executors, build_executor(settings, folder), session, seeds, evaluator, interrupts, weights)
                except Exception:
                    is_kept = resume or any(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))
                    raise
                finally:
                    with interrupts.held():
                        if is_kept:
                            with suppress(RunError):  # a full disk takes no more notes, and what went wrong comes first
                                _note(study, folder, "finished" if session.is_whole else "stopped", session.stop_reason)
                        else:  # it could not even start, such as on a cluster that is not there
                            discard_folder(folder, study)
    return Run(folder)


def _drive(
    executors: ExitStack,
    executor: Executor,
    session: Session,
    seeds: FrontSeeds | None,
    evaluator: Evaluator,
    interrupts: Interrupts,
    weights: FrontWeights | None,
) -> None:
    """Run the session, then more seeds, on the executor, which is left open; whatever happens, no trial of the study stays RUNNING."""

    def interrupt(reason: str) -> None:
        session.interrupt(reason)
        if seeds is not None:
            seeds.interrupt(reason)

    try:
        executors.enter_context(executor)
        interrupts.listen()
        executor.run(session if weights is None else weights.of(session), evaluator, interrupts)
        if seeds is not None and interrupts.received is None and seeds.begin():
            executor.run(seeds if weights is None else weights.of(seeds), evaluator, interrupts)
        if weights is not None:
            weights.sweep()
        if interrupts.received is not None:
            with interrupts.held():
                interrupt(f"interrupted by {interrupts.received}")
        else:
            session.conclude()
    except KeyboardInterrupt:
        with interrupts.held():
            interrupt(f"interrupted by {interrupts.received or 'a signal'}")
    except BaseException as error:
        with suppress(RunError), interrupts.held():
            interrupt(f"{type(error).__name__}: {error}")
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
