from __future__ import annotations

import subprocess
import sys

import pytest

from fusearch.lazy import lazy_names


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys; from fusearch.lazy import lazy_names; resolve = lazy_names('x', {'Objective': 'fusearch.contracts'})\n"
        "assert 'fusearch.contracts' not in sys.modules; resolve('Objective'); assert 'fusearch.contracts' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'mine' has no attribute 'nonsense'"):
        lazy_names("mine", {})("nonsense")
