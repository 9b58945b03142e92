"""Streams that were trained alone, kept beside a run: a design that asks for one that is there trains only what is downstream of it.

What a stream becomes does not depend on the design around it (`DesignTraining.train_streams`), so it is named by all that it does depend
on: the data, the rows of its fold, encoder, recipe, training settings and seed.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
import pickle
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.training.optimization import Fit
from fusearch.layout import replace_file
from fusearch.version import __version__

__all__ = ["StreamCache", "TrainedStream"]


@dataclass(frozen=True)
class TrainedStream:
    """What the training of a stream alone gave.

    Attributes:
        weights: The state of its network, class scores included.
        fit: What the optimization did.
        curve: What was told after each epoch.
    """

    weights: Mapping[str, Tensor]
    fit: Fit
    curve: Sequence[Mapping[str, float]]


class StreamCache:
    """A folder of trained streams and of their states, of bounded size; what was read longest ago leaves first.

    Workers may read and write it side by side: a file appears whole, and one that is not there, or cannot be read, is trained again. Where
    the folder cannot be written, as on a node of a cluster that does not see the run folder, nothing is kept.

    Args:
        folder: The folder; it is made inside an existing one.
        most: Bytes of all files.
        about: What all that is kept hangs on.
    """

    def __init__(self, folder: str | Path, most: float, *about: Hashable) -> None:
        self._files, self._about = _BoundedFolder(Path(folder), most), about

    def within(self, *about: Hashable) -> StreamCache:
        """Return the same folder for what hangs on `about` too."""
        narrower = copy.copy(self)
        narrower._about = (*self._about, *about)
        return narrower

    def key(self, *about: Hashable) -> str:
        """Return the name of what hangs on `about` and on nothing else: numbers, texts, bytes, None and tuples of these."""
        return hashlib.blake2b(repr((__version__, torch.__version__, *self._about, *about)).encode(), digest_size=20).hexdigest()

    def stream(self, key: str) -> TrainedStream | None:
        """Return a trained stream, or None where it is not kept."""
        held = self._files.read(key)
        return None if held is None else TrainedStream(held["weights"], Fit(*held["fit"]), held["curve"])

    def keep_stream(self, key: str, trained: TrainedStream) -> None:
        """Keep a trained stream."""
        fit = trained.fit
        weights = {name: values.detach().cpu() for name, values in trained.weights.items()}
        curve = [dict(values) for values in trained.curve]
        self._files.write(key, {"weights": weights, "fit": (fit.best_epoch, fit.epochs, fit.loss), "curve": curve})

    def states(self, key: str) -> dict[Any, Tensor] | None:
        """Return states of a stream by depth, mapped from the file into memory, or None where they are not kept."""
        return self._files.read(key)

    def keep_states(self, key: str, states: Mapping[Any, Tensor]) -> None:
        """Keep states of a stream, (N, T, D) by depth."""
        self._files.write(key, {depth: values.detach().cpu() for depth, values in states.items()})


class _BoundedFolder:
    """Files by name, so many bytes at most. One stands for the folder in a process, so that it knows what the process has written."""

    #: Files that a process writes before it looks at the folder again, which others write too.
    LOOK_AGAIN = 64
    #: Share of the bytes that is left when files had to leave.
    KEPT_SHARE = 0.9

    def __init__(self, folder: Path, most: float) -> None:
        self._folder, self._most = folder, most
        self._bytes, self._unseen = 0.0, self.LOOK_AGAIN

    def read(self, name: str) -> dict[Any, Any] | None:
        """Return what a file holds, None where it is not there, and note that it was read."""
        path = self._folder / f"{name}.pt"
        try:
            held: dict[Any, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            os.utime(path)
        except (OSError, RuntimeError, pickle.UnpicklingError):  # not there, or half of it after a crash of the machine
            return None
        return held

    def write(self, name: str, content: Mapping[Any, Any]) -> None:
        """Write a file, unless it is too large or the folder cannot be written."""
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        if buffer.tell() > self._most * self.KEPT_SHARE:
            return
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            replace_file(self._folder / f"{name}.pt", buffer.getvalue(), durable=False)
            self._bytes, self._unseen = self._bytes + buffer.tell(), self._unseen + 1
            if self._unseen >= self.LOOK_AGAIN or self._bytes > self._most:
                self._make_room()

    def _make_room(self) -> None:
        """See how large the folder is, and let go what was read longest ago where it is too large."""
        files = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # another worker let it go
                files.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
        self._bytes, self._unseen = sum(size for _, size, _ in files), 0
        goal = self._most * self.KEPT_SHARE if self._bytes > self._most else self._most
        for _, size, path in sorted(files):
            if self._bytes <= goal:
                break
            Path(path).unlink(missing_ok=True)
            self._bytes -= size
