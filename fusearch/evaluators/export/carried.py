"""The program of a bundle: `predict.py`, and the folder `files` with the code that reads files as fusearch does (decision 0092)."""

from __future__ import annotations

from pathlib import Path

from fusearch import errors
from fusearch.data import files
from fusearch.evaluators.export import predict

__all__ = ["write_program"]

#: Names of modules in fusearch -> in a bundle.
_MOVED = {"fusearch.data.files": "files", "fusearch.errors": "files.errors"}


def write_program(folder: Path) -> None:
    """Copy the program into a bundle, so that it runs without fusearch."""
    package = Path(str(files.__file__)).parent
    (folder / "files").mkdir()
    _copy(Path(predict.__file__), folder / "predict.py")
    _copy(Path(errors.__file__), folder / "files" / "errors.py")
    for path in package.glob("*.py"):
        _copy(path, folder / "files" / path.name)


def _copy(path: Path, target: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for ours, theirs in _MOVED.items():
        text = text.replace(f"from {ours}", f"from {theirs}")
    target.write_text(text, encoding="utf-8")
