"""The structure of the package, held by tests: imports one way, no cycles, light import, mirrored tests, readable files."""

from __future__ import annotations

import ast
import re
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
    "version": set(),
    "amounts": set(),
    "__main__": {"cli"},
    "lazy": set(),
    "errors": set(),
    "notebook": {"amounts"},
    "plain_markdown": set(),
    "python_file": set(),
    "yaml_file": {"errors"},
    "registry": {"errors"},
    "metrics": {"errors", "registry"},
    "tasks": {"errors", "registry", "metrics"},
    "data": {"amounts", "lazy", "notebook", "errors", "yaml_file", "registry", "metrics", "tasks", "layout"},
    "search_space": {"lazy", "notebook", "errors", "registry", "tasks", "data"},
    "contracts": {"notebook", "errors", "registry", "metrics", "search_space"},
    "settings": {"errors", "layout", "contracts"},
    "layout": set(),
    "study": {"errors", "layout"},
    "pareto": {"errors", "contracts"},
    "ranking": {"contracts", "study"},
    "driver_state": set(),
    "effort": {"layout", "study"},
    "more_seeds": {"study"},
    "trials": {
        "driver_state",
        "effort",
        "layout",
        "more_seeds",
        "errors",
        "tasks",
        "data",
        "search_space",
        "contracts",
        "settings",
        "study",
        "ranking",
        "pareto",
    },
    "inference": {"errors", "layout", "metrics", "pareto", "tasks", "contracts", "study", "trials"},
    "run": {"lazy", "errors", "layout", "yaml_file", "contracts", "study", "more_seeds", "trials", "inference"},
    "evaluators": {
        "amounts",
        "notebook",
        "settings",
        "version",
        "lazy",
        "errors",
        "plain_markdown",
        "python_file",
        "layout",
        "registry",
        "metrics",
        "tasks",
        "data",
        "search_space",
        "contracts",
        "study",
        "run",
        "inference",
    },
    "search": {
        "notebook",
        "errors",
        "layout",
        "yaml_file",
        "registry",
        "search_space",
        "contracts",
        "settings",
        "study",
        "more_seeds",
        "inference",
        "run",
        "pareto",
    },
    "reports": {
        "amounts",
        "notebook",
        "plain_markdown",
        "version",
        "lazy",
        "errors",
        "layout",
        "yaml_file",
        "registry",
        "data",
        "search_space",
        "contracts",
        "study",
        "ranking",
        "trials",
        "run",
        "inference",
        "pareto",
    },
    "estimators": {"errors", "data", "search_space", "inference", "run", "evaluators", "search", "reports"},
    "serving": {"errors", "python_file", "data"},
    "testing": {"lazy", "errors", "registry", "metrics", "tasks", "data", "search_space", "contracts", "run", "evaluators", "search"},
    "cli": {
        "amounts",
        "errors",
        "layout",
        "yaml_file",
        "registry",
        "metrics",
        "tasks",
        "data",
        "search_space",
        "contracts",
        "settings",
        "study",
        "run",
        "pareto",
    }
    | {"evaluators", "search", "reports", "serving"},
}
HEAVY = {
    "fastapi": {"serving"},
    "uvicorn": {"cli"},
    "torch": {"evaluators", "testing"},
    "ray": {"search"},
    "plotly": {"reports", "run"},
    "monai": {"evaluators"},
    "typer": {"cli"},
}


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


def test_yaml_is_read_and_written_in_one_place() -> None:
    """PyYAML by itself keeps the last of two equal keys, and unfolds aliases without end."""
    assert [module_of(path) for path in sources() if "yaml" in {name.split(".")[0] for name in imports(path)}] == ["fusearch.yaml_file"]


def test_search_space_uses_only_the_light_part_of_data() -> None:
    for path in (PACKAGE / "search_space").rglob("*.py"):
        used = {name for name in imports(path) if name.startswith("fusearch.data")}
        assert used <= {"fusearch.data.kinds", "fusearch.data.modality"}, f"{module_of(path)} imports {used}"


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


def directions_judged(tree: ast.AST) -> Iterator[str]:
    """Give the code that compares a direction, or looks something up by it: whoever does knows what a direction means."""
    words = {"maximize", "minimize"}
    for node in ast.walk(tree):
        judged: list[ast.expr | None] = []
        if isinstance(node, ast.Compare):
            judged = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            judged = [node.value]
        elif isinstance(node, ast.Dict):
            judged = [*node.keys]
        for each in judged:
            inner = each.elts if isinstance(each, ast.Tuple | ast.List | ast.Set) else [each]
            if any(isinstance(one, ast.Constant) and one.value in words for one in inner) or (
                isinstance(node, ast.Compare) and isinstance(each, ast.Attribute) and each.attr == "direction"
            ):
                yield ast.unparse(node)


def test_only_an_objective_knows_what_a_direction_means() -> None:
    """Others ask it: `better`, `loss`, `gain`, `best`, `aim`, `sign`. A metric only checks that its own is one of the two."""
    found = {module_of(path): code for path in sources() if (code := [*directions_judged(ast.parse(path.read_text(encoding="utf-8")))])}
    assert set(found) == {"fusearch.contracts", "fusearch.metrics.entry"}, found


@pytest.mark.parametrize(
    ("code", "judges"),
    [
        ("max(x) if o.direction == 'maximize' else min(x)", True),
        ("sign = {'maximize': -1, 'minimize': 1}[d]", True),
        ("d in ('minimize', 'maximize')", True),
        ("is_nondominated(points, ['maximize', 'minimize'])", False),
        ("Axis(objective.name, objective.direction)", False),
    ],
)
def test_a_judged_direction_is_seen(code: str, judges: bool) -> None:
    assert bool([*directions_judged(ast.parse(code))]) == judges


def test_nothing_imports_itself_in_a_circle() -> None:
    """Every import counts, also those inside functions and for types alone."""
    files = {module_of(path): path for path in sources()}
    arrows = nx.DiGraph()
    for module, path in files.items():
        arrows.add_edges_from((module, name) for name in imports(path) if name in files and name != module)
    circles = [sorted(circle) for circle in nx.strongly_connected_components(arrows) if len(circle) > 1]
    assert circles == []


def test_only_the_study_names_the_attributes_of_a_trial() -> None:
    touching = re.compile(r"set_user_attr|user_attrs|set_trial_user_attr")
    named = {path.relative_to(PACKAGE).as_posix() for path in sources() if touching.search(path.read_text(encoding="utf-8"))}
    # The driver's note on the whole study is no trial's, and a repair writes an operation of the journal.
    assert named == {"study.py", "run.py", "search/driver.py", "search/run_folder.py", "search/journal_repair.py"}
    tests = {
        path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("*.py") if touching.search(path.read_text("utf-8"))
    }
    # The tests of the study itself, a driver's note, and trials that are made whole, with their times.
    assert tests == {"test_architecture.py", "test_study.py", "test_run.py", "reports/conftest.py", "cli/test_watch_command.py"}


def test_tests_mirror_the_source() -> None:
    missing = []
    for path in sources():
        if path.name != "__init__.py":
            relative = path.relative_to(PACKAGE)
            parent = relative.parent
            if parent == Path("search_space/operators") and relative.name != "operator_page.py":
                parent = Path("evaluators/operators")  # an entry is tested with its layer, which stands in a file of the same name
            twin = ROOT / "tests" / parent / f"test_{relative.name}"
            if not twin.exists():
                missing.append(str(twin.relative_to(ROOT)))
    assert missing == []


def test_files_stay_readable_in_one_sitting() -> None:
    lengths = {module_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}, "a sign that a file does two things"


def test_public_names_resolve_and_have_an_example() -> None:
    import fusearch

    for name in fusearch.__all__:
        thing = getattr(fusearch, name)
        if name != "__version__" and not name.endswith("Error"):
            assert thing.__doc__, f"fusearch.{name} has no docstring"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fusearch.nonsense


@pytest.mark.parametrize("path", [path for path in sources() if "tasks" not in path.relative_to(PACKAGE).parts], ids=module_of)
def test_only_tasks_know_their_names(path: Path) -> None:
    """A comparison with the name of a task is a fact of that task, which stands in `tasks/` or `evaluators/tasks/`."""
    from fusearch.tasks import TASKS

    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            named = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)} & set(TASKS)
            assert not named, f"{module_of(path)}:{node.lineno} compares with the task {named}: {ast.unparse(node)}"


#: Where the name of a kind is a fact: the table of kinds, the declarations of encoders, the published studies.
KNOW_KINDS = ("data/kinds.py", "data/readers", "search_space/encoders", "search_space/published")


def kinds_named(tree: ast.AST) -> Iterator[str]:
    """Give every comparison with the name of a kind, and every table or list of such names."""
    from fusearch.data.kinds import BUILT_IN

    def names(nodes: list[ast.expr | None]) -> set[str]:
        return {node.value for node in nodes if isinstance(node, ast.Constant) and node.value in BUILT_IN}

    def asks_kind(node: ast.expr) -> bool:
        return ast.unparse(node).split(".")[-1].strip("'\"[]") == "kind" or "'kind'" in ast.unparse(node)

    for node in ast.walk(tree):
        found: set[str] = set()
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            parts = [part for side in sides for part in ast.walk(side) if isinstance(part, ast.expr)]
            found = names(list(parts)) if any(map(asks_kind, sides)) else names(list(parts)) - {"text", "graph", "sequence"}
        elif isinstance(node, ast.MatchValue):
            found = names([node.value]) - {"text", "graph", "sequence"}
        elif isinstance(node, ast.Dict):
            found = names(node.keys)
            found = found if len(found) > 1 else set()
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = names(list(node.elts))
            found = found if len(found) > 1 else set()
        if found:
            yield f"{getattr(node, 'lineno', '')}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_only_the_table_of_kinds_knows_their_names(path: Path) -> None:
    if not path.relative_to(PACKAGE).as_posix().startswith(KNOW_KINDS):
        assert list(kinds_named(ast.parse(path.read_text(encoding="utf-8")))) == [], "ask the entry in data/kinds.py (decision 0091)"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("modality.kind == 'tabular'", True),
        ("modality['kind'] != 'text'", True),
        ("kind in ('text', 'graph')", True),
        ("{'image2d': 8, 'text': 64}", True),
        ("['image2d', 'video']", True),
        ("token.text == 'text'", False),
        ("Modality('m', 'tabular')", False),
        ("modality.kind == other.kind", False),
    ],
)
def test_a_named_kind_is_seen(code: str, names: bool) -> None:
    assert bool(list(kinds_named(ast.parse(code)))) == names


#: Folder of entries -> folder of what torch binds to them by name: the two halves of one thing stand in files of one name.
HALVES = {"search_space/operators": "evaluators/operators", "search_space/encoders": "evaluators/encoders", "tasks": "evaluators/tasks"}


def test_a_file_name_stands_for_one_thing() -> None:
    places: dict[str, set[str]] = {}
    for path in sources():
        if path.name != "__init__.py":
            places.setdefault(path.name, set()).add(path.parent.relative_to(PACKAGE).as_posix())
    halves = [{entry, layer} for entry, layer in HALVES.items()]
    assert {name: folders for name, folders in places.items() if len(folders) > 1 and folders not in halves} == {}


#: Short names of numpy's array types, which mean the same wherever they stand.
_PLAIN_TYPES = {"Array", "BoolArray", "FloatArray", "Floats", "IntArray", "StrArray"}


def test_a_public_name_stands_for_one_thing() -> None:
    """A command has the name of what it calls, and every group of commands registers itself by `add_commands`."""
    places: dict[str, list[str]] = {}
    for path in sources():
        if path.name != "__init__.py" and room_of(module_of(path)) != "cli":
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                names = [node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef) else []
                if isinstance(node, ast.Assign):  # types under a name of their own; constants and arrays are written alike on purpose
                    names = [target.id for target in node.targets if isinstance(target, ast.Name) and target.id not in _PLAIN_TYPES]
                    names = [name for name in names if re.fullmatch(r"[A-Z][a-z]\w*", name)]
                for name in names:
                    if not name.startswith("_"):
                        places.setdefault(name, []).append(module_of(path))
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}
