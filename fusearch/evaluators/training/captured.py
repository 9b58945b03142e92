"""Work that is done again and again on the same tensors: on CUDA it is captured once and replayed (decision 0066)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Protocol

import torch

__all__ = ["RECORDERS", "Captures", "Recorder"]

#: Runs of a region before it is captured: kernels are chosen and libraries open their workspaces in the first ones.
WARM_UP = 2


class Recorder(Protocol):
    """How regions are captured on one type of device; one for all regions of a stack.

    Args:
        device: Where the regions compute.
    """

    def __init__(self, device: torch.device) -> None: ...

    def warm_up(self, region: Callable[[], None]) -> None:
        """Run a region that is to be captured later."""

    def capture(self, region: Callable[[], None]) -> Callable[[], None]:
        """Note what a region does, without doing it, and return what does the same again."""


class CudaGraphs:
    """CUDA graphs that share their memory: a region leaves nothing there that another one reads, so any order of replays is right.

    A graph reads seed and offset of torch's CUDA generator anew at each replay and moves the offset on, so each replay draws other noise,
    and `torch.cuda.set_rng_state` between two replays holds for the next one. Deterministic algorithms are chosen while it is captured, as
    they are elsewhere; an operation that has none warns then.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._pool = torch.cuda.graph_pool_handle()

    def warm_up(self, region: Callable[[], None]) -> None:
        """Run a region on the stream on which it will be captured."""
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            region()
        here.wait_stream(self._stream)

    def capture(self, region: Callable[[], None]) -> Callable[[], None]:
        """Capture a region as a graph, and return its replay."""
        graph = torch.cuda.CUDAGraph()
        generator = torch.cuda.default_generators[torch.cuda.current_device() if self._device.index is None else self._device.index]
        before, here = generator.clone_state(), torch.cuda.current_stream(self._device)
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                region()
        except BaseException:
            generator.graphsafe_set_state(before)  # the other one may believe for ever that it is being captured
            torch.cuda.set_stream(here)  # the block does not, where the capture cannot be ended
            raise
        replay: Callable[[], None] = graph.replay
        return replay


#: How regions are captured, by type of device. On another one they are run as they are.
RECORDERS: dict[str, type[Recorder]] = {"cuda": CudaGraphs}


class Captures:
    """The regions of one stack, by name: each is run twice as it is, then captured and replayed.

    A region reads and writes tensors that stay where they are, gives nothing back, and asks for no value of a tensor. The runs before the
    capture do real work, so that nothing has to be put back. Where a capture fails all regions go on as they are.

    Args:
        device: Where the regions compute.

    Attributes:
        reason: Why the regions are not captured although that was tried; None: they are, or there is no way on this device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.reason: str | None = None
        self.forget()

    def forget(self) -> None:
        """Give back the memory of what was captured: other tensors take the place of those that regions read and write."""
        recorder = RECORDERS.get(self.device.type) if self.reason is None else None
        self._recorder = None if recorder is None else recorder(self.device)
        self._runs, self._replays = Counter[Hashable](), dict[Hashable, Callable[[], None]]()

    def run(self, name: Hashable, region: Callable[[], None]) -> None:
        """Run a region, or replay it.

        Raises:
            torch.OutOfMemoryError: Memory ran out, in a capture too.
        """
        recorder = self._recorder
        if recorder is None:
            region()
        elif name in self._replays:
            self._replays[name]()
        elif self._runs[name] < WARM_UP:
            recorder.warm_up(region)
            self._runs[name] += 1
        else:
            try:
                self._replays[name] = recorder.capture(region)
            except Exception as error:  # whatever a layer does that a graph cannot hold
                if _is_memory(error):
                    raise torch.OutOfMemoryError(str(error)) from error
                self.reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
                self.forget()
            self.run(name, region)


def _is_memory(error: BaseException | None) -> bool:
    """Whether memory ran out: a capture that was broken off by that ends with another error."""
    return error is not None and (isinstance(error, torch.OutOfMemoryError) or _is_memory(error.__context__))
