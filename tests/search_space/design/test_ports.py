from __future__ import annotations

import pytest

from fusearch.search_space import Tap
from fusearch.search_space.design.parts import RuleError
from fusearch.search_space.design.ports import default_ports, named_port, port_name

ARGS = (Tap("a", 1), Tap("b", 1), Tap("a", 2))


def test_names_of_ports() -> None:
    assert [port_name(ARGS, index) for index in range(3)] == ["1", "b", "3"]


def test_named_ports() -> None:
    assert named_port(Tap("F1", 0, "b"), ARGS, "F2", 0) == 1
    assert named_port(Tap("F1", 0, "3"), ARGS, "F2", 0) == 2
    with pytest.raises(RuleError, match=r"takes 'a' twice: write F1\.1 or F1\.3"):
        named_port(Tap("F1", 0, "a"), ARGS, "F2", 0)


def test_default_ports() -> None:
    assert default_ports(ARGS, ["b", "z"]) == (1,)
    assert default_ports(ARGS, ["a"]) == (0, 2)
    assert default_ports(ARGS, []) == default_ports(ARGS, ["z"]) == (0, 1, 2)
