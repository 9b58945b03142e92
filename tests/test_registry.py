import pytest

from fusearch.errors import FusearchError, UnknownNameError
from fusearch.registry import Registry


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
