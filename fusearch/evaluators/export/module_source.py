"""A design as plain torch source: a module a stream, the operators by name, a forward of a few lines (decision 0104)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.network_source import NetworkSource, call, names_in_source
from fusearch.evaluators.export.preparation import ArrayPreparation, CodePreparation, TablePreparation, has_modality
from fusearch.evaluators.export.taken_source import TakenSource
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import Candidate

__all__ = ["design_source", "renamed_weights"]

_MODALITY = '''@dataclass(frozen=True)
class Modality:
    """A modality: its shape after preparation, and what its axes are."""

    name: str
    shape: tuple[int, ...]
    layout: Layout
    has_grid: bool
    codes: int = 0

    @property
    def positions(self) -> tuple[int, ...]:
        """Sizes of the axes of its positions; empty for a vector."""
        return tuple(self.shape[axis] for axis in self.layout.positions)

    @property
    def entry(self) -> Modality:
        """Where `codes` stands."""
        return self'''

#: Class -> its `__init__` where sizes stand for what was fitted; the numbers come from the file of weights.
_INITS = {
    "TablePreparation": """    def __init__(self, num_numeric: int, num_levels: int, bound: float | None) -> None:
        super().__init__()
        self.num_numeric, self.bound = num_numeric, bound
        if num_numeric:
            for name in ("fill", "mean", "scale"):
                self.register_buffer(name, torch.zeros(num_numeric))
        self.register_buffer("column_of", torch.zeros(num_levels, dtype=torch.int64))
        self.register_buffer("code_of", torch.zeros(num_levels))""",
    "ArrayPreparation": """    def __init__(self, shape: tuple[int, ...], ragged_axis: int | None) -> None:
        super().__init__()
        for name in ("fill", "mean", "scale"):
            self.register_buffer(name, torch.zeros(shape))
        self.ragged_axis = ragged_axis""",
    "CodePreparation": """    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(size))""",
}

_HEAD = '''"""{formula}

A network that fusearch {version} found and trained: {networks}, behind the preparation of raw values. It needs {needs}.

    from model import load
    model = load()                      # an ordinary torch.nn.Module in evaluation mode
    outputs = model(raw)                # {outputs}

`raw` is a dict of float32 tensors, (B, *shape): {shapes}.
A table holds its numeric columns, then one level code a categorical column (-1: an unknown level), as inputs.json says where it stands
beside. NaN is a missing value; a sample whose values are all NaN lacks the modality. `model.networks[0](inputs, present)` gives logits.

Axis letters: B batch, T tokens, D width, K logits.
"""

'''

_LOAD = '''def load(folder: str | Path | None = None) -> Model:
    """Return the trained model. The weights are safetensors: a length, a JSON header, and the numbers as they lie in memory."""
    content = (Path(folder or Path(__file__).parent) / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "I64": torch.int64, "BOOL": torch.bool}
    weights = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = (start + place for place in entry["data_offsets"])
            flat = torch.frombuffer(bytearray(content[first:last]), dtype=types[entry["dtype"]]) if last > first else torch.zeros(0)
            weights[name] = flat.to(types[entry["dtype"]]).reshape(entry["shape"])
    model = Model()
    model.load_state_dict(weights)
    return model.eval()
'''


def _words(label: object) -> str:
    """Return a label so that it stays one line of a docstring, whatever it is made of."""
    return " ".join(str(label).replace("\\", "/").replace('"', "'").split())


def renamed_weights(model: DeployedModel) -> dict[str, Tensor]:
    """Return the weights of a model by the names that they have in its source."""
    found: dict[str, Tensor] = {}
    for name, prepare in zip(model.modalities, model.preparations, strict=True):
        found |= {f"prepare_{name}.{key}": values for key, values in prepare.state_dict().items()}
    for index, network in enumerate(model.networks):
        renamed = names_in_source(network)  # type: ignore[arg-type]  # a ModuleList holds modules
        found |= {f"networks.{index}.{renamed[key]}": values for key, values in network.state_dict().items() if key in renamed}
    return {name: values.detach().cpu().contiguous().clone() for name, values in found.items()}


def design_source(model: DeployedModel, candidate: Candidate, raw_shapes: Mapping[str, tuple[int, ...]], version: str) -> str:
    """Return `model.py`: all classes that the design uses, its network, and its preparation.

    Args:
        model: The trained model.
        candidate: The design and its recipe.
        raw_shapes: Modality -> shape of one sample's raw values.
        version: Version of fusearch.

    Raises:
        ExportError: The task, or a plug-in, cannot be written as plain torch.
    """
    network: FusionNetwork = model.networks[0]  # type: ignore[assignment]  # a ModuleList holds modules
    if network.grid:
        raise ExportError("format module: a task with a class at each position is not written as source; take onnx or pt2")
    taken = TakenSource({"Modality": _MODALITY}, _INITS, ("forward", "states", "mask", "stage", "truncate", "leave_out"))
    body = NetworkSource(network, candidate, taken).text()
    wrapped = _model_text(model, taken)
    source = taken.text(("json", "", "json"), ("pathlib", "Path", "Path"))
    for line in source.splitlines():
        if line.startswith(("import fusearch", "from fusearch")):
            raise ExportError(f"format module: this design needs `{line}`, which is not plain torch; take onnx or pt2")
    extra = [name for name in ("monai", "torch_geometric") if f"from {name}" in source]
    head = _HEAD.format(
        formula=str(candidate.graph),
        version=version,
        networks="one network" if len(model.networks) == 1 else f"{len(model.networks)} networks whose outputs are averaged",
        needs=" and ".join(["torch", *extra]) + " alone",
        outputs=", ".join(map(_words, model.task.task.outputs)) if len(model.task.task.outputs) < 9 else "(B, outputs)",
        shapes=", ".join(f"{name} (B, {', '.join(map(str, shape))})" for name, shape in raw_shapes.items() if name in model.modalities),
    )
    return "\n\n\n".join([head + source.rstrip(), body, wrapped, _LOAD])


def _survival(task: Any) -> str:
    return f"with_risk((-(torch.tensor({tuple(task.baseline)!r}, dtype=logits.dtype) + logits[:, :1]).exp()).exp())"


def _discrete_survival(task: Any) -> str:
    return f"with_risk(nn.functional.logsigmoid(-logits - torch.tensor({task.start.tolist()!r}, dtype=logits.dtype)).cumsum(dim=1).exp())"


#: Task -> what turns logits into outputs.
_SAID: dict[str, Callable[[Any], str]] = {
    "classification": lambda _: "logits.softmax(dim=-1)",
    "multilabel": lambda _: "logits.sigmoid()",
    "regression": lambda task: f"logits * {task.unit!r} + {task.mean!r}",
    "survival": _survival,
    "discrete_survival": _discrete_survival,
}
_WITH_RISK = '''def with_risk(survival_BK: Tensor) -> Tensor:
    """Return the risk, and survival at each time."""
    return torch.cat([1 - survival_BK.mean(dim=1, keepdim=True), survival_BK], dim=1)


'''


def _model_text(model: DeployedModel, taken: TakenSource) -> str:
    """Return the source of the class that prepares raw values, runs the networks and averages what they say."""
    kind = model.task.task.kind
    tasks: list[TaskLayer] = list(model.tasks)  # type: ignore[arg-type]  # a ModuleList holds modules
    if kind not in _SAID or type(model.task).__module__.partition(".")[0] != "fusearch":
        raise ExportError(f"format module: the task {kind!r} is not written as source; take onnx or pt2")
    there = taken.want(has_modality)
    made, run = [], []
    for name, prepare in zip(model.modalities, model.preparations, strict=True):
        made.append(f"self.prepare_{name} = {_preparation(prepare, taken)}")
        run.append(f'present["{name}"] = {there}(raw["{name}"])')
        run.append(f'inputs["{name}"] = where_present(present["{name}"], self.prepare_{name}(raw["{name}"]))')
    said = [_SAID[kind](task) for task in tasks]
    if len(set(said)) == 1:
        each = [f"said = [{said[0]} for logits in (network(inputs, present) for network in self.networks)]"]
    else:
        each = ["said = []"]
        for index, expression in enumerate(said):
            each += [f"logits = self.networks[{index}](inputs, present)", f"said.append({expression})"]
    lines = [
        "def where_present(present_B: Tensor, values: Tensor) -> Tensor:",
        '    """Return values with zeros for the samples that lack the modality."""',
        "    return torch.where(present_B.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)",
        "",
        "",
        "class Model(nn.Module):",
        '    """Prepares raw values, runs every network and averages what they say."""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *(f"        {line}" for line in made),
        f"        self.networks = nn.ModuleList(Network() for _ in range({len(model.networks)}))",
        "",
        "    def forward(self, raw: dict[str, Tensor]) -> Tensor:",
        '        """Return the outputs, averaged over the networks."""',
        "        inputs, present = {}, {}",
        *(f"        {line}" for line in [*run, *each]),
        "        return torch.stack(said).mean(dim=0)",
    ]
    return (_WITH_RISK if "with_risk" in said[0] else "") + "\n".join(lines)


def _preparation(prepare: nn.Module, taken: TakenSource) -> str:
    name = taken.want(type(prepare))
    if isinstance(prepare, TablePreparation):
        return call(name, prepare.num_numeric, len(prepare.column_of), prepare.bound)
    if isinstance(prepare, ArrayPreparation):
        return call(name, tuple(prepare.fill.shape), prepare.ragged_axis)
    if isinstance(prepare, CodePreparation):
        return call(name, len(prepare.table))
    raise ExportError(f"format module: {name} is not written as source; take onnx or pt2")
