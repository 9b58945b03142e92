"""The two model files, and the proof that they compute what the network computes."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel, DeployedTeam

__all__ = ["ONNX", "PT2", "ROWS_CHECKED", "TOLERANCE", "check_files", "first_line", "onnx_input", "quiet", "rows_to_check", "write_files"]

PT2, ONNX = "model.pt2", "model.onnx"

#: Largest difference allowed between a file and the network, in probability, or in standard deviations of the target.
TOLERANCE = 1e-4

#: Real rows that the files are compared on.
ROWS_CHECKED = 32

FloatArray = npt.NDArray[np.float32]


def onnx_input(modality: str) -> str:
    """Return the name of a modality in the ONNX file; `mean` alone could be the name of a computation, a name with a dot cannot."""
    return f"raw.{modality}"


def write_files(model: DeployedModel | DeployedTeam, shapes: Mapping[str, tuple[int, ...]], folder: Path) -> None:
    """Write `model.pt2` (torch.export) and `model.onnx`, both for any number of samples.

    Neither holds a pickle, a row of the data, or a path of this machine.

    Args:
        model: The network, on the CPU.
        shapes: Modality -> shape of one sample's raw values.
        folder: Where to write.

    Raises:
        ExportError: The design computes something that torch.export or ONNX cannot express.
        OSError: A file cannot be written.
    """
    # Made-up rows: an exported program keeps its examples. Two of them, because torch.export takes a size of one for a constant.
    example = {name: torch.zeros(2, *shape) for name, shape in shapes.items()}
    with quiet():
        try:
            batch = torch.export.Dim("batch", min=1)
            program = torch.export.export(model, (example,), dynamic_shapes=({name: {0: batch} for name in shapes},))
            for node in program.graph.nodes:
                node.meta.pop("stack_trace", None)
            converted = torch.onnx.export(
                program,
                (example,),
                dynamo=True,
                verbose=False,
                input_names=[onnx_input(name) for name in shapes],
                output_names=["prediction"],
                dynamic_shapes=({name: {0: batch} for name in shapes},),
            )
            if converted is None:
                raise ExportError("torch.onnx.export returned nothing")
            onnx = converted.model_proto.SerializeToString()
            program.example_inputs = None
            pt2 = io.BytesIO()
            torch.export.save(program, pt2)
        except Exception as error:  # torch's exporters raise what they like
            raise ExportError(f"torch cannot export this design: {type(error).__name__}: {first_line(error)}") from error
    (folder / PT2).write_bytes(pt2.getvalue())
    (folder / ONNX).write_bytes(onnx)


def check_files(
    model: DeployedModel | DeployedTeam, raw: Mapping[str, FloatArray], folder: Path, *, tolerance: float = TOLERANCE
) -> dict[str, float]:
    """Compare both files with the network on real rows, one at a time and several at once.

    Args:
        model: The network, on the CPU.
        raw: Modality -> (N, *raw shape), the rows to compare on.
        folder: Where the files are.
        tolerance: Largest difference allowed, in probability, or in the unit of the task: standard deviations of a regression's targets.

    Returns:
        File -> largest difference found.

    Raises:
        ExportError: A file does not reproduce the network.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    try:
        session = onnxruntime.InferenceSession(folder / ONNX, options, providers=["CPUExecutionProvider"])
        with quiet():
            program = torch.export.load(folder / PT2).module()
    except Exception as error:  # each library raises errors of its own
        raise ExportError(f"a model file cannot be loaded again: {type(error).__name__}: {first_line(error)}") from error
    found = {PT2: 0.0, ONNX: 0.0}
    num_rows = len(next(iter(raw.values())))
    with torch.inference_mode():
        for rows in (slice(0, 1), slice(num_rows - 1, num_rows), slice(0, 3), slice(0, num_rows)):
            batch = {name: np.ascontiguousarray(values[rows]) for name, values in raw.items()}
            tensors = {name: torch.from_numpy(values) for name, values in batch.items()}
            expected = model(tensors).numpy()
            for file, output in (
                (PT2, program(tensors).numpy()),
                (ONNX, session.run(None, {onnx_input(name): values for name, values in batch.items()})[0]),
            ):
                difference = float(np.abs(output - expected).max()) / model.task.unit
                if not difference <= tolerance:
                    raise ExportError(
                        f"{file} does not reproduce the network: outputs of {len(expected)} rows differ by up to {difference:.2g}, "
                        f"expected at most {tolerance:g}"
                    )
                found[file] = max(found[file], difference)
    return found


def rows_to_check(raw: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return rows to compare on: the first ones, and a few of them again without each modality in turn where there are several."""
    head = {name: values[:ROWS_CHECKED] for name, values in raw.items()}
    blocks = [head]
    for absent in raw if len(raw) > 1 else ():
        few = {name: values[:3] for name, values in head.items()}
        blocks.append(few | {absent: np.full_like(few[absent], np.nan)})
    return {name: np.concatenate([block[name] for block in blocks]) for name in raw}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence torch's exporters, which warn of their own inner workings; whether the files are right is checked by their outputs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def first_line(error: Exception) -> str:
    """Return the first line of what another library says."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"
