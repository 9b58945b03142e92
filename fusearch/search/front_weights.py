"""Trained weights in the run folder: those of the front stay, what left it is let go (decision 0103)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.layout import WEIGHTS, explanation_file, folder_bytes
from fusearch.run import Run
from fusearch.search.job import Job, JobSource, Outcome

if TYPE_CHECKING:
    import optuna

__all__ = ["FrontWeights"]


#: Which designs stay is asked of the whole study, so not after each trial: once for so many of its trials, or where what has come since
#: takes more than this share of the bytes.
_TRIALS, _SHARE = 50, 0.1


class FrontWeights:
    """Lets go the weights of what is trained and not kept. Workers write them, and the driver alone removes them.

    Kept are, in this order and as long as they fit: the designs that `best` and `simplest` pick, then the front, best first.

    Args:
        study: The study of the search.
        folder: The run folder.
        most: Bytes of all weights; they may be exceeded by what is being trained, and by what has come since it was looked last.
    """

    def __init__(self, study: optuna.Study, folder: Path, most: float) -> None:
        self._run, self._weights, self._most = Run(folder, study=study), folder / WEIGHTS, most
        self._in_flight: dict[int, str] = {}
        self._held: set[str] = set()
        self._kept: set[str] = set()
        self._new: dict[str, int] = {}
        self._num_trials: int | None = None

    def of(self, source: JobSource) -> JobSource:
        """Return the same jobs; what became of one is followed by letting go what is not kept."""
        return _Watched(source, self)

    def start(self, job: Job) -> None:
        """Take note of what is being trained; the first time, let go what a driver that was killed left behind."""
        if self._num_trials is None:
            folders = {path.name for path in self._weights.glob("*") if path.is_dir()}
            self._held = {name for name in folders if not explanation_file(self._run.path, name).exists()}
            self.sweep()
        self._in_flight |= {each.number: each.candidate.digest for each in (job, *job.siblings)}

    def end(self, number: int, outcome: Outcome) -> None:
        """Let go what is not kept, now that it is known what became of a trial."""
        digest = self._in_flight.pop(number)
        self._held.add(digest)
        if outcome.evaluation is None or outcome.lost is not None:
            self._remove({digest} - set(self._in_flight.values()) - self._kept - self._new.keys())
            return
        self._new[digest] = folder_bytes(self._weights / digest)
        if len(self._new) * _TRIALS >= (self._num_trials or 0) or sum(self._new.values()) > _SHARE * self._most:
            self.sweep()

    def sweep(self) -> None:
        """Ask the study which designs stay, and let go all others but those that are being trained."""
        trials = self._run.read()
        staying = (trials.pick("best"), trials.pick("simplest"), *trials.front) if trials.feasible else ()
        self._kept = set(self._fitting(dict.fromkeys(record.candidate for record in staying)))
        self._new, self._num_trials = {}, len(trials.records)
        self._remove(self._held - set(self._in_flight.values()) - self._kept)

    def _remove(self, digests: set[str]) -> None:
        for digest in digests:
            shutil.rmtree(self._weights / digest, ignore_errors=True)
        self._held -= digests

    def _fitting(self, digests: Iterable[str]) -> Iterator[str]:
        """Give those of some candidates, in order, whose weights fit into what may be kept."""
        left = self._most
        for digest in digests:
            size = folder_bytes(self._weights / digest)
            if size <= left:
                left -= size
                yield digest


class _Watched:
    """Jobs of a source, and what became of each told to the weights too."""

    def __init__(self, source: JobSource, weights: FrontWeights) -> None:
        self._source, self._weights = source, weights

    @property
    def stop_reason(self) -> str | None:
        return self._source.stop_reason

    def next_job(self) -> Job | None:
        job = self._source.next_job()
        if job is not None:
            self._weights.start(job)
        return job

    def finish(self, number: int, outcome: Outcome) -> None:
        self._source.finish(number, outcome)
        self._weights.end(number, outcome)
