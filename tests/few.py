"""What is checked for every operator and encoder and takes long: by default for the first of each file, for all with `-m slow`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import pytest
from _pytest.mark import ParameterSet

#: Laws of the suites that take half a second or more for an entry.
LONG = frozenset({"test_any_legal_shape", "test_torch_export"})


@cache
def _few() -> frozenset[str]:
    """Return the few names; networks are imported here, as not every test needs torch."""
    import fusearch.evaluators.encoders  # noqa: F401  # registers the networks
    from fusearch.evaluators.network.encoder_network import NETWORKS
    from fusearch.evaluators.operators import LAYERS

    return _first_of_each_file(LAYERS) | _first_of_each_file(NETWORKS)


def _first_of_each_file(layers: Mapping[str, type]) -> frozenset[str]:
    return frozenset({layers[name].__module__: name for name in reversed(list(layers))}.values())


def few(names: Iterable[str]) -> list[ParameterSet]:
    """Return names of operators or encoders as parameters of a test; those beyond the few are `slow`."""
    return [pytest.param(name, marks=() if name in _few() else pytest.mark.slow) for name in names]


def mark_long_laws(items: Iterable[pytest.Item]) -> None:
    """Mark the long laws of all entries but the few as `slow`."""
    for item in items:
        if getattr(item, "originalname", None) in LONG:
            callspec = getattr(item, "callspec", None)
            name = callspec.params.get("name") if callspec else getattr(item.cls, "name", None)  # type: ignore[attr-defined]
            if name is not None and name not in _few():
                item.add_marker(pytest.mark.slow)
