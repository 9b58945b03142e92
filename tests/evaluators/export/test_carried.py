"""What a bundle carries runs without fusearch: nothing of it is imported, and nothing else than numpy, pandas and onnxruntime."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from fusearch.evaluators.export.carried import write_program

MAY_NEED = {"numpy", "pandas", "onnxruntime"}
#: What some files need, loaded when one is read.
SOME_NEED = {"PIL", "scipy", "soundfile", "pyedflib"}


def test_the_program_needs_nothing_of_fusearch(tmp_path: Path) -> None:
    write_program(tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    assert {"predict.py", "files/__init__.py", "files/errors.py", "files/frames.py"} <= set(names)
    for name in names:
        program = ast.parse((tmp_path / name).read_text(encoding="utf-8"))
        for node in ast.walk(program):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                top, inside = module.split(".")[0], node not in program.body
                assert (
                    top in MAY_NEED
                    or (inside and top in SOME_NEED)
                    or top in sys.stdlib_module_names
                    or (tmp_path / f"{module.replace('.', '/')}.py").is_file()
                ), (
                    name,
                    module,
                )
