from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fusearch.errors import RunError
from fusearch.reports import write_figures, write_report
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.run import Run
from fusearch.trials import Trials

FILES = {"report.html", "report.md", "report.json", "trials.csv"}


def test_four_files_in_the_run_folder(make_run: Callable[..., Run]) -> None:
    run = make_run(12, failures=1)
    before = {path.name for path in run.path.iterdir()}
    page = write_report(run)
    assert page == run.path / "report.html"
    assert {path.name for path in run.path.iterdir()} - before == FILES
    assert len(pd.read_csv(run.path / "trials.csv")) == 13
    assert json.loads((run.path / "report.json").read_text())["format"] == 1


@pytest.mark.parametrize("of", [Path, str, Run, read_findings])
def test_a_run_can_be_given_in_any_form(make_run: Callable[..., Run], tmp_path: Path, of: Callable[[Path], object]) -> None:
    out = tmp_path / "deep" / "report"
    assert write_report(of(make_run(6).path), out) == out / "report.html"  # type: ignore[arg-type]
    assert {path.name for path in out.iterdir()} == FILES


def test_writing_twice_replaces(make_run: Callable[..., Run]) -> None:
    run = make_run(6)
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


def test_a_folder_without_a_run_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run in"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_is_refused(make_run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(RunError, match=r"cannot write the report to .*taken"):
        write_report(make_run(6), tmp_path / "taken")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable_is_refused(make_run: Callable[..., Run], tmp_path: Path) -> None:
    tmp_path.joinpath("locked").mkdir(mode=0o500)
    with pytest.raises(RunError, match="cannot write"):
        write_report(make_run(6), tmp_path / "locked")


def test_findings_without_a_folder_need_one(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(6))
    with pytest.raises(RunError, match="`out`"):
        write_report(Findings(Trials(found.records, found.objectives)))


def test_a_report_needs_neither_torch_nor_ray(make_run: Callable[..., Run]) -> None:
    run = make_run(6)
    code = (
        "import sys; sys.modules['torch'] = sys.modules['ray'] = None\n"
        f"from fusearch.reports import write_report; write_report({str(run.path)!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (run.path / "report.html").is_file()


def test_figures_are_written_into_a_folder_that_is_made(make_run: Callable[..., Run], tmp_path: Path) -> None:
    paths = write_figures(make_run(8), tmp_path / "new" / "figures")
    assert paths[:2] == [tmp_path / "new" / "figures" / name for name in ("front.svg", "front.pdf")]
    assert {(path.suffix, path.read_bytes()[:4]) for path in paths} == {(".svg", b"<svg"), (".pdf", b"%PDF")}


def test_without_matplotlib_figures_are_svg_alone(make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert {path.suffix for path in write_figures(make_run(8), tmp_path)} == {".svg"}
