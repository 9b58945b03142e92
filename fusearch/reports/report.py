"""`write_report`: a run becomes a page, a table, a document and a text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.errors import RunError
from fusearch.layout import REPORT_DOCUMENT, REPORT_PAGE, REPORT_TEXT, TRIALS_TABLE, replace_file
from fusearch.reports.document import to_document
from fusearch.reports.figures.figure_files import figure_texts
from fusearch.reports.figures.pdf import can_write_pdf, pdf_of
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.reports.page.markup import embed
from fusearch.reports.page.page import render_page
from fusearch.reports.trials_table import trials_frame

if TYPE_CHECKING:
    from fusearch.run import Run

__all__ = ["write_figures", "write_report"]


def write_report(run: Run | Findings | Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a search, finished or not: `report.html`, `report.md`, `report.json` and `trials.csv`.

    The page is one file that opens anywhere, without a network. Everything in it comes from the study and `config.yaml`.

    Args:
        run: A run, or its folder.
        out: Folder to write to; by default the run folder. It is made where it does not exist.

    Returns:
        The path of `report.html`.

    Raises:
        RunError: There is no run, or the folder cannot be written to; nothing is left half-written.

    Example:
        >>> write_report("runs/demo").name
        'report.html'
    """
    found = run if isinstance(run, Findings) else read_findings(run)
    if out is None and found.folder is None:
        raise RunError("findings without a run folder need `out`, the folder to write the report to")
    folder = Path(out) if out is not None else Path(found.folder or ".")
    verdict = judge(found)
    texts = {
        TRIALS_TABLE: trials_frame(found).to_csv(index=False, lineterminator="\n"),
        REPORT_DOCUMENT: embed(to_document(found, verdict)) + "\n",
        REPORT_TEXT: render_markdown(found, verdict),
        REPORT_PAGE: render_page(found, verdict),
    }
    _write(folder, texts)
    return folder / REPORT_PAGE


def write_figures(run: Run | Findings | Path | str, folder: Path | str) -> list[Path]:
    """Write the figures of the report as SVG and PDF files: fronts, curves of the recommended design, hypervolume, drawings of designs.

    PDF, at the size of a journal (88 or up to 180 mm wide), needs `pip install 'fusearch[pdf]'`; without it there are SVG files alone.

    Args:
        run: A run, or its folder.
        folder: Folder to write to; it is made where it does not exist.

    Returns:
        The files.

    Raises:
        RunError: There is no run, or the folder cannot be written to.

    Example:
        >>> [path.name for path in write_figures("runs/demo", "figures")][:2]
        ['front.svg', 'front.pdf']
    """
    files: dict[str, str | bytes] = {}
    for name, text in figure_texts(run if isinstance(run, Findings) else read_findings(run)).items():
        files[name] = text
        if can_write_pdf():
            files[f"{name.removesuffix('.svg')}.pdf"] = pdf_of(text)
    _write(Path(folder), files)
    return [Path(folder) / name for name in files]


def _write(folder: Path, texts: Mapping[str, str | bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace_file(folder / name, text)
    except OSError as error:
        raise RunError(f"cannot write the report to {str(folder)!r}: {error.strerror or error}") from None
