import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from fusearch.errors import FusearchError, UnknownNameError
from fusearch.registry import PLUGIN_PREFIX, PLUGINS, PluginFile, Registry, load_file, loaded_plugins


def test_add_and_look_up() -> None:
    registry: Registry[int] = Registry("number")
    registry.add("two", 2)
    registry.add("one", 1)
    assert registry["one"] == 1
    assert list(registry) == ["one", "two"]
    assert registry.values() == [1, 2]
    assert "one" in registry
    assert len(registry) == 2


def test_an_unknown_name_gets_the_nearest() -> None:
    registry: Registry[int] = Registry("operator")
    registry.add("cat", 1)
    with pytest.raises(UnknownNameError, match=r"unknown operator 'catt': did you mean 'cat'\?"):
        registry["catt"]


def test_a_taken_name_is_refused_but_the_same_thing_is_not() -> None:
    registry: Registry[str] = Registry("operator")
    thing = "a"
    registry.add("cat", thing)
    registry.add("cat", thing)
    with pytest.raises(FusearchError, match="operator 'cat' is registered already"):
        registry.add("cat", "b")


def test_remove() -> None:
    registry: Registry[int] = Registry("operator")
    registry.add("cat", 1)
    registry.remove("cat")
    assert "cat" not in registry
    with pytest.raises(UnknownNameError):
        registry.remove("cat")


def test_entry_points_register_on_the_first_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Registry[str] = Registry("gadget")
    groups = []

    class PlugIn:
        def load(self) -> None:
            registry.add("mine", "yes")

    def entry_points(group: str) -> list[PlugIn]:
        groups.append(group)
        return [PlugIn()]

    monkeypatch.setattr("fusearch.registry.entry_points", entry_points)
    assert registry["mine"] == "yes"
    assert list(registry) == ["mine"]
    assert groups == ["fusearch.gadgets"]


def test_a_broken_entry_point_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="own", value="not_there:thing", group="fusearch.data_sets")
    monkeypatch.setattr("fusearch.registry.entry_points", lambda group: [broken] if group == broken.group else [])
    with pytest.raises(
        FusearchError, match=r"plug-in 'own = not_there:thing' \(fusearch.data_sets\): ModuleNotFoundError: No module named"
    ):
        list(Registry[int]("data set"))


@pytest.fixture
def forget() -> Iterator[None]:
    """Forget the plug-in files of a test: other tests of this process would take them along to theirs."""
    before = set(sys.modules)
    yield
    for name in [name for name in sys.modules if name.startswith(PLUGIN_PREFIX) and name not in before]:
        del sys.modules[name]


@pytest.mark.usefixtures("forget")
def test_files_of_the_environment_register_on_the_first_look_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plugin = tmp_path / "my_gadgets.py"
    plugin.write_text("import tests_registry_target\ntests_registry_target.registry.add('mine', 'yes')\n", encoding="utf-8")
    target = ModuleType("tests_registry_target")
    registry: Registry[str] = Registry("gadget")
    target.__dict__["registry"] = registry
    monkeypatch.setitem(sys.modules, "tests_registry_target", target)
    monkeypatch.setenv(PLUGINS, str(plugin))
    assert registry["mine"] == "yes"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a Python file"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("raise RuntimeError('one\\ntwo')", "cannot be imported: RuntimeError: one two"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    ],
)
def test_a_broken_plugin_is_named(content: str | None, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plugin = tmp_path / "broken.py"
    if content is not None:
        plugin.write_text(content, encoding="utf-8")
    monkeypatch.setenv(PLUGINS, str(plugin))
    with pytest.raises(FusearchError, match=message):
        list(Registry[str]("gadget"))


def test_a_file_is_imported_once_and_travels_as_its_text(forget: None, tmp_path: Path) -> None:
    plugin = tmp_path / "test_counting.py"
    plugin.write_text("import sys\nsys.counted = getattr(sys, 'counted', 0) + 1\nME = __file__\n", encoding="utf-8")
    load_file(str(plugin))
    load_file(str(plugin))
    (found,) = [entry for entry in loaded_plugins() if entry.path == str(plugin)]
    assert vars(sys).pop("counted") == 1
    assert sys.modules[found.module].__dict__["ME"] == str(plugin)
    plugin.unlink()
    del sys.modules[found.module]
    found.load()
    assert vars(sys).pop("counted") == 1


def test_two_files_of_one_name_are_refused(forget: None) -> None:
    PluginFile("here/test_twin.py", "X = 1").load()
    PluginFile("there/test_twin.py", "X = 1").load()
    with pytest.raises(FusearchError, match=r"plug-in 'there/test_twin.py' \(FUSEARCH_PLUGINS\): 'here/test_twin.py' has the same name"):
        PluginFile("there/test_twin.py", "X = 2").load()


def test_entry_point_groups_are_real_plurals():
    from fusearch.data import DATA_SETS
    from fusearch.search import STRATEGIES
    from fusearch.search_space import OPERATORS

    assert [each.group for each in (OPERATORS, STRATEGIES, DATA_SETS)] == [
        "fusearch.operators",
        "fusearch.strategies",
        "fusearch.data_sets",
    ]
