"""`python -m fusearch` is the command."""

from __future__ import annotations

import subprocess
import sys

from fusearch.version import __version__


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "fusearch", "--version"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


def test_what_walks_the_package_starts_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", "import fusearch.__main__"], capture_output=True, text=True, check=True)
    assert done.stdout == ""
