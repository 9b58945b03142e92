"""Ways in which a layer is run besides calling it: members in one batch, an exported program, an ONNX file."""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["check_members", "check_onnx", "check_torch_export"]


def check_members(layers: Sequence[nn.Module], xs: list[Tensor], present: list[Tensor]) -> None:
    """Check that networks of one class give under `torch.vmap` what each gives alone.

    Args:
        layers: Modules with other weights each.
        xs: One (B, T, D) argument each; every member gets another multiple of them, as encoders of its own would give.
        present: One (B,) mask an argument, the same for all members.
    """
    params, buffers = torch.func.stack_module_state(list(layers))
    inputs = [torch.stack([x * (member + 1) for member in range(len(layers))]) for x in xs]

    def forward(state: dict[str, Tensor], member_xs: list[Tensor]) -> list[Tensor]:
        return _listed(torch.func.functional_call(layers[0], state, (member_xs, present)))

    alone = [_listed(layer([x[member] for x in inputs], present)) for member, layer in enumerate(layers)]
    together = torch.vmap(forward, randomness="different")({**params, **buffers}, inputs)
    for batched, *members in zip(together, *alone, strict=True):
        torch.testing.assert_close(batched, torch.stack(members), rtol=1e-10, atol=1e-10)


def check_torch_export(layer: nn.Module, xs: list[Tensor], present: list[Tensor]) -> None:
    """Check that the exported program, with an open batch size, gives the same for a smaller batch."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The tensor attribute"
        )  # torch's own bookkeeping of a GRU; the outputs are compared below
        program = torch.export.export(layer, (xs, present), dynamic_shapes=_open_batch(xs))
    few = [x[:3] for x in xs], [mask[:3] for mask in present]
    for left, right in zip(_listed(program.module()(*few)), _listed(layer(*few)), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=5e-5)


def check_onnx(layer: nn.Module, xs: list[Tensor], present: list[Tensor]) -> None:
    """Check that the ONNX file, with an open batch size, gives the same in onnxruntime for a smaller batch. Takes seconds."""
    import onnxruntime

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own inner workings; the outputs are compared below
        program = torch.onnx.export(layer, (xs, present), dynamic_shapes=_open_batch(xs), dynamo=True, verbose=False)
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    few = [x[:3] for x in xs], [mask[:3] for mask in present]
    values = [value.numpy() for value in [*few[0], *few[1]]]
    feed = {node.name: value for node, value in zip(session.get_inputs(), values, strict=True)}
    for left, right in zip(session.run(None, feed), _listed(layer(*few)), strict=True):
        torch.testing.assert_close(torch.from_numpy(left), right.detach(), rtol=1e-4, atol=5e-5)


def _listed(result: Tensor | list[Tensor]) -> list[Tensor]:
    return list(result) if isinstance(result, list | tuple) else [result]


def _open_batch(xs: Sequence[Tensor]) -> tuple[list[dict[int, object]], list[dict[int, object]]]:
    batch = torch.export.Dim("batch")
    return [{0: batch} for _ in xs], [{0: batch} for _ in xs]
