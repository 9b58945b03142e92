"""Evaluations on Ray Tune: on this machine, or on a cluster."""

from __future__ import annotations

import logging
import math
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from fusearch.contracts import DeviceEvaluator, Evaluator, KeepingEvaluator
from fusearch.errors import RunError
from fusearch.layout import CONFIG, RAY, ray_session
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import JobSource
from fusearch.search.node_probe import PACKAGES, differences, faults, look_around, view_nodes
from fusearch.search.orphans import MARK, end_orphans
from fusearch.search.ray_slots import Slots
from fusearch.search.strategies import make_strategy
from fusearch.settings import Settings

__all__ = ["RayExecutor", "gpus_of"]

#: How long a cluster may take to answer.
ANSWER_SECONDS = 10.0

#: More than there ever are. Without a number Tune would start one worker after the other.
MOST_WORKERS = 100_000

#: What is shipped to nodes that have none.
PACKAGE = Path(__file__).parents[1]

#: Read by Ray while it is imported and started: no usage statistics, no notices, no files and handlers that nobody asked for.
#: What the user has set stays.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
#: For a Ray of ours: seconds in which its processes try to reach a head that is gone; 60 are more than Slurm waits before it kills.
PATIENCE = {"RAY_gcs_rpc_server_reconnect_timeout_s": "20"}
#: What a client of a Ray of ours must show: Ray's processes listen on every interface of the machine. Ray reads it while it is imported, so
#: that it is one for the life of this process.
TOKEN = secrets.token_hex(32)
#: Holds something once Ray was imported by a search that asks for the token.
_imported_with_token: list[bool] = []
_logger = logging.getLogger(__name__)
LOGGERS = ("ray", "ray.tune", "ray.train", "ray.air", "ray.data")


class RayExecutor:
    """Evaluate on Ray Tune with reused actors; data go to each worker once, through the object store.

    A Ray that the process has started already is used, and left running; else one is started, for this machine or at
    `settings.address`, and shut down at the end. Workers have one thread for each CPU of a trial.

    Args:
        settings: Workers, resources of a trial, address.
        folder: The run folder; Tune's experiments are kept in `ray/` there.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings, self._folder = settings, folder.resolve()
        self._exit, self._is_own = ExitStack(), False

    def __enter__(self) -> RayExecutor:
        with self._exit:
            asked = QUIET if self._settings.address is not None else {**QUIET, **PATIENCE}
            unsaid = {name: value for name, value in asked.items() if name not in os.environ}
            self._exit.enter_context(_variables({**unsaid, **self._authentication()}))
            import ray

            self._exit.enter_context(_silent(LOGGERS))
            if not ray.is_initialized():
                self._is_own = True  # may be left at once: what runs there ends with the driver's connection
                self._exit.callback(self._leave)
                self._start(ship=bool(self._settings.ship))
            self._exit = self._exit.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def _authentication(self) -> dict[str, str]:
        """Return Ray's variables of authentication: what the user has set stays; a Ray that is started here asks for a token."""
        if "RAY_AUTH_MODE" in os.environ:
            return {}
        if self._settings.address is not None:
            return {"RAY_AUTH_MODE": "disabled"}  # as a cluster without a token has it; and without Ray's notice of that
        if "ray" in sys.modules and not _imported_with_token:
            _logger.warning("Ray was imported before the search, so it asks for no token: its processes can be reached by others")
            return {"RAY_AUTH_MODE": "disabled"}
        _imported_with_token.append(True)
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}

    def run(self, session: JobSource, evaluator: Evaluator, interrupts: Interrupts) -> None:
        """Let Tune evaluate until the session gives no more jobs, or a signal arrives.

        Raises:
            RunError: Ray has not the resources for one trial; or the session failed.
        """
        import ray
        from ray import tune

        from fusearch.search.ray_trial import Bridge, JobSearcher, OutcomeCallback, SessionStopper, evaluation_trial

        with interrupts.prompt() if self._is_own else nullcontext():
            self._check_nodes(evaluator, interrupts)
        bridge = Bridge(session, interrupts, self._slots(evaluator), workers=self._settings.workers)
        trial = evaluation_trial(ray.put(evaluator), self._thread_variables())
        resources = {"cpu": self._settings.cpus_per_trial, "gpu": gpus_of(self._settings, evaluator)}
        tuner = tune.Tuner(
            tune.with_resources(trial, resources),
            tune_config=tune.TuneConfig(
                search_alg=JobSearcher(bridge),
                num_samples=-1,
                max_concurrent_trials=MOST_WORKERS,  # how many there are now, the bridge says
                reuse_actors=True,
                trial_name_creator=lambda trial: f"trial-{trial.config['job'].number}",
                trial_dirname_creator=lambda trial: f"trial-{trial.config['job'].number}",
            ),
            run_config=tune.RunConfig(
                name=self._experiment(),
                storage_path=str(self._folder / RAY),
                stop=SessionStopper(bridge),
                callbacks=[OutcomeCallback(bridge)],
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                failure_config=tune.FailureConfig(max_failures=0),
                verbose=0,
            ),
        )
        with interrupts.prompt() if self._is_own else nullcontext():
            tuner.fit()
        if bridge.error is not None:
            raise bridge.error

    def _check_nodes(self, evaluator: Evaluator, interrupts: Interrupts) -> None:
        """Look around on the nodes of a Ray that is not ours; ship the package where one has none.

        Raises:
            RunError: A worker cannot start on a node, cannot import the package there, has another one, or does not see the run folder.
        """
        import ray

        if self._is_own and self._settings.address is None:
            return
        settings, module = self._settings, type(evaluator).__module__
        if settings.ship and not self._is_own:
            raise RunError("ship: Ray runs in this process already; give its ray.init runtime_env={'py_modules': [fusearch]} instead")
        modules = ["fusearch.search.ray_trial", *([module] if module.startswith("fusearch.") else [])]
        keeps = make_strategy(settings.strategy) is not None and isinstance(evaluator, KeepingEvaluator)  # weights, in the run folder
        files = [self._folder / CONFIG] if keeps else []
        resources = {"CPU": settings.cpus_per_trial, "GPU": gpus_of(settings, evaluator)}
        views = view_nodes(modules, files, resources)
        is_shipped = bool(settings.ship)
        if settings.ship is None and self._is_own and any(view.import_error is not None for view in views):
            ray.shutdown()
            self._start(ship=True)
            interrupts.listen()
            views, is_shipped = view_nodes(modules, files, resources), True
        here = look_around()([], {}, PACKAGES)["versions"]
        found = faults(views, here, is_shipped=is_shipped)
        if found:
            raise RunError("; ".join(found))
        for line in differences(views, here):
            _logger.warning(line)

    def _start(self, *, ship: bool) -> None:
        try:
            self._connect(ship=ship)
        except SystemExit:  # SIGTERM, as Ray's own handler answers it until ours is back
            raise KeyboardInterrupt from None

    def _connect(self, *, ship: bool) -> None:
        import ray

        options: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.CRITICAL}
        if self._settings.address is not None:
            _check_address(self._settings.address)
            environment: dict[str, Any] = {"env_vars": self._thread_variables()}
            if ship:
                environment.update(py_modules=[str(PACKAGE)], excludes=["__pycache__", "*.pyc"])
            try:
                ray.init(self._settings.address, runtime_env=environment, **options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                has_token = os.environ.get("RAY_AUTH_MODE") == "token"
                hint = "is the token here that of the cluster?" if has_token else "does it ask for a token (RAY_AUTH_MODE=token)?"
                raise RunError(f"no Ray cluster at {self._settings.address!r}: {str(error).splitlines()[0]}; {hint}") from error
            return
        end_orphans(self._folder)
        with _variables({MARK: str(self._folder), **self._thread_variables()}), _own_session():
            ray.init("local", num_cpus=math.ceil(self._local_workers() * self._settings.cpus_per_trial), **options)

    def _leave(self) -> None:
        """End the connection, and a Ray of ours. One that was signalled with the driver is dying: nothing is asked of it any more."""
        import ray
        from ray._private import worker

        node = worker._global_node
        is_dying = self._settings.address is None and node is not None and bool(node.dead_processes())
        if is_dying:  # else destructors, and what Tune does at exit, would wait for its head
            worker.global_worker.set_is_connected(False)
        ray.shutdown()
        if is_dying:
            end_orphans(self._folder)

    def _slots(self, evaluator: Evaluator) -> Slots:
        """Return what tells how many trials fit side by side into the Ray that runs.

        Raises:
            RunError: Not one fits.
        """
        import ray

        slots = Slots({"CPU": self._settings.cpus_per_trial, "GPU": gpus_of(self._settings, evaluator)}, ray.nodes)
        slots.check()
        return slots

    def _local_workers(self) -> int:
        return self._settings.workers or max(1, int(_num_cpus() // self._settings.cpus_per_trial))

    def _thread_variables(self) -> dict[str, str]:
        threads = str(max(1, int(self._settings.cpus_per_trial)))
        counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), threads)
        # Threads that wait by spinning made training 75 times slower beside one busy process (decision 0056).
        return {**counts, "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}

    def _experiment(self) -> str:
        """Return a new name: Tune would mix the trials of two experiments of one name."""
        used = {path.name for path in (self._folder / RAY).glob("*")}
        return next(name for number in range(len(used) + 1) if (name := ray_session(number)) not in used)


def gpus_of(settings: Settings, evaluator: Evaluator) -> float:
    """Return the GPUs that one evaluation holds: as the settings say, else a whole one where it computes on a GPU by name."""
    if settings.gpus_per_trial is not None:
        return settings.gpus_per_trial
    return 1.0 if isinstance(evaluator, DeviceEvaluator) and evaluator.needs_gpu else 0.0


def _num_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_address(address: str) -> None:
    """Knock at the door of a cluster: Ray itself tries for minutes.

    Raises:
        RunError: Nothing answers there.
    """
    from ray._private.services import get_ray_address_from_environment

    try:  # `auto` is what `ray start` wrote down, which outlives a Ray that was killed
        found = get_ray_address_from_environment("auto", None) if address == "auto" else address
    except ConnectionError as error:
        raise RunError(f"no Ray cluster at 'auto': {str(error).partition('. ')[0]}") from None
    host, colon, port = found.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # `local`, or a form that Ray has to judge
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"no Ray cluster at {address!r}{f', {found!r}' * (found != address)}: {error}") from error


@contextmanager
def _own_session() -> Iterator[None]:
    """Start Ray's processes in sessions of their own for a while: a signal to the driver's process group is for the driver to answer.

    They end with the driver all the same: Ray asks the system to kill them when their parent dies.
    """
    from ray._private import services

    start = services.ConsolePopen
    services.ConsolePopen = partial(start, start_new_session=True)
    try:
        yield
    finally:
        services.ConsolePopen = start


@contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _silent(names: tuple[str, ...]) -> Iterator[None]:
    """Keep loggers quiet for a while: Tune writes the traceback of each failed trial, which the study holds already."""
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
