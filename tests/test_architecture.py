"""The structure of the package, held by tests: imports one way, no cycles, light import, mirrored tests, readable files."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fusearch"

#: room -> rooms that it may import. A room is a folder or a file at the root of the package.
MAY_IMPORT = {
    "errors": set(),
    "layout": set(),
    "registry": {"errors"},
    "metrics": {"errors", "registry"},
    "data": {"errors", "registry", "metrics"},
    "search_space": {"errors", "registry", "data"},
    "contracts": {"errors", "registry", "metrics", "search_space"},
    "study": {"errors", "layout"},
    "pareto": {"errors", "contracts"},
    "run": {"errors", "layout", "contracts", "study", "pareto"},
    "evaluators": {"errors", "layout", "registry", "metrics", "data", "search_space", "contracts", "study", "run"},
    "search": {"errors", "layout", "registry", "search_space", "contracts", "study", "run", "pareto"},
    "reports": {"errors", "layout", "registry", "data", "search_space", "contracts", "study", "run", "pareto"},
    "testing": {"errors", "registry", "metrics", "data", "search_space", "contracts", "run", "evaluators", "search"},
    "cli": {"errors", "registry", "metrics", "data", "search_space", "contracts", "study", "run", "pareto"}
    | {"evaluators", "search", "reports"},
}
HEAVY = {"torch": {"evaluators", "testing"}, "ray": {"search"}, "plotly": {"reports"}, "monai": {"evaluators"}, "typer": {"cli"}}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "fusearch"


def imports(path: Path, *, at_import_only: bool = False) -> Iterator[str]:
    """Give every module that a file imports; with `at_import_only`, those that are loaded when the file is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: list[ast.AST] = list(ast.walk(tree))
    if at_import_only:
        nodes, waiting = [], list(ast.iter_child_nodes(tree))
        while waiting:
            node = waiting.pop()
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not typing_only:
                nodes.append(node)
                waiting.extend(ast.iter_child_nodes(node))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*whole.split("."))).with_suffix(".py").exists() or (ROOT / Path(*whole.split("."))).is_dir()
                yield whole if whole.startswith("fusearch.") and is_module else str(node.module)


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(module_of(path))
    if room == "fusearch":
        return
    assert room in MAY_IMPORT, f"a new room {room!r}: say in MAY_IMPORT what it may import"
    for name in imports(path):
        top = name.split(".")[0]
        if top == "fusearch" and name != "fusearch":
            other = room_of(name)
            assert other == room or other in MAY_IMPORT[room], f"{module_of(path)} imports {name}"
        assert room in HEAVY.get(top, {room}), f"{module_of(path)} imports {top}"


def test_search_space_uses_only_the_light_part_of_data() -> None:
    for path in (PACKAGE / "search_space").rglob("*.py"):
        used = {name for name in imports(path) if name.startswith("fusearch.data")}
        assert used <= {"fusearch.data.modality"}, f"{module_of(path)} imports {used}"


def test_no_import_cycles() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path in sources():
        for name in imports(path, at_import_only=True):
            if name.startswith("fusearch"):
                graph.add_edge(module_of(path), name)
    assert list(nx.simple_cycles(graph)) == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import fusearch", ("torch", "ray", "pandas", "optuna", "plotly", "sklearn", "networkx", "numpy")),
        ("import fusearch.search_space", ("torch", "ray", "pandas", "optuna", "plotly", "sklearn")),
        ("import fusearch.reports", ("torch", "ray")),
        ("import fusearch.run", ("torch", "ray")),
        ("import fusearch.search", ("torch",)),
        ("import fusearch.evaluators", ("ray", "optuna", "monai")),
        ("import fusearch.cli.app", ("torch", "ray", "pandas", "optuna", "plotly", "sklearn")),
    ],
)
def test_imports_are_light(statement: str, absent: tuple[str, ...]) -> None:
    code = f"{statement}; import sys; print(*sorted(set({absent!r}) & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert loaded == []


@pytest.mark.parametrize("room", ["evaluators", "search", "reports"])
def test_each_room_can_be_deleted(room: str) -> None:
    others = [name for name in ("data", "search_space", "contracts", "run", "evaluators", "search", "reports") if name != room]
    code = (
        "import sys, importlib\n"
        f"sys.modules['fusearch.{room}'] = None\n"
        f"for name in {others!r}: importlib.import_module('fusearch.' + name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_tests_mirror_the_source() -> None:
    missing = []
    for path in sources():
        if path.name != "__init__.py":
            relative = path.relative_to(PACKAGE)
            twin = ROOT / "tests" / relative.parent / f"test_{relative.name}"
            if not twin.exists():
                missing.append(str(twin.relative_to(ROOT)))
    assert missing == []


def test_files_stay_readable_in_one_sitting() -> None:
    lengths = {module_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_public_names_resolve_and_have_an_example() -> None:
    import fusearch

    for name in fusearch.__all__:
        thing = getattr(fusearch, name)
        if name != "__version__" and not name.endswith("Error"):
            assert thing.__doc__, f"fusearch.{name} has no docstring"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fusearch.nonsense
