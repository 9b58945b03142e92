"""What the site of docs/ is made of (decision 0110): figures, a navigation, a session with its output, and sentences that a tired reader
understands."""

from __future__ import annotations

import doctest
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import load_script

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

#: Pages that are made from the code.
GENERATED = {"benchmarks", "cli", "encoders", "glossary", "manifest", "operators", "published"}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(path for path in sorted(DOCS.rglob("*.md")) if path.stem not in GENERATED)]


def sentences(page: str) -> Iterator[str]:
    """Give the sentences of a page: paragraphs and points of lists, without code, tables and headings. A colon ends none."""
    for block in re.split(r"\n\s*\n", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)):
        lines = [line for line in block.splitlines() if not line.startswith(("#", "|", "![", "<", ":::", "    "))]
        for point in re.split(r"^\s*(?:[-*]|\d+\.) ", "\n".join(lines), flags=re.MULTILINE):
            plain = re.sub(r"`[^`]*`", "code", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(point.split())))
            yield from (sentence for sentence in re.split(r"(?<=[.?!]) ", plain) if sentence)


def test_a_sentence_ends_where_it_does() -> None:
    page = "# A title\n\nOne two. Three: four `a.b. c`?\n\n- five\n- [six](x.md) seven\n\n```sh\nno. no.\n```\n| no | no |\n"
    assert list(sentences(page)) == ["One two.", "Three: four code?", "five", "six seven"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_tired_reader_understands_the_sentences(path: Path) -> None:
    lengths = [len(sentence.split()) for sentence in sentences(path.read_text(encoding="utf-8"))]
    assert sum(lengths) / len(lengths) <= 25, "cut the longest sentences of this page in two"


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_a_list_begins_a_block_of_its_own(path: Path) -> None:
    """Python-Markdown, which builds the site, takes a list that follows a line of text for more of that text."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"^(?![-*|#<> ]|\d+\. |\s*$)[^\n]*\n- [^\n]*", text, flags=re.MULTILINE) == []


def test_the_figures_are_not_stale() -> None:
    drawn = load_script(DOCS / "figures.py").figures()
    pages = {path.stem for path in (DOCS / "concepts").glob("*.md")}
    assert pages == set(drawn)
    for name, text in drawn.items():
        assert (DOCS / "concepts" / f"{name}.svg").read_text(encoding="utf-8") == text, "run `make reference`"
        assert f"({name}.svg)" in (DOCS / "concepts" / f"{name}.md").read_text(encoding="utf-8")


def test_the_words_of_a_figure_stay_in_their_boxes() -> None:
    lines = [line for chain in load_script(DOCS / "figures.py").FIGURES.values() for _, line in chain]
    assert [line for line in lines if len(line) > 24] == []


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.svg")), ids=lambda path: path.stem)
def test_a_figure_is_drawn_for_a_dark_page_too(path: Path) -> None:
    assert "prefers-color-scheme:dark" in path.read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    named = set(re.findall(r"([\w/]+\.md)$", navigation, re.MULTILINE))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if not re.match(r"\d{4}-", path.name)}
    assert named == pages | {"tutorial.md"}  # which the build writes


def test_every_root_name_is_on_the_page_of_the_api() -> None:
    import fusearch

    page = (DOCS / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^(?:::: [\w.]+\.|### )(\w+)$", page, re.MULTILINE))
    assert told == set(fusearch.__all__) - {"__version__"}


def test_examples_of_the_parts_of_the_build_run() -> None:
    pytest.importorskip("mkdocs", reason="needs fusearch[docs]")
    for name in ("session", "site_hooks"):
        module = load_script(DOCS / f"{name}.py")
        assert doctest.testmod(module).failed == 0
        assert doctest.testmod(module).attempted > 0


def test_a_session_is_told_with_its_output() -> None:
    session = load_script(DOCS / "session.py")
    script = "# %% [markdown]\n# # Title\n#\n# Words.\n\n# %%\nx = 2\nprint('two', x)\n\n# %%\nx + 1\n\n# %%\n'<svg>1</svg>'\n"
    cells = session.run_cells(script)
    page = session.as_markdown(cells)
    assert page.startswith("# Title\n\nWords.\n\n```python\nx = 2\nprint('two', x)\n```\n\n```text\ntwo 2\n```\n")
    assert (
        f'<div class="output"><img alt="What the cell shows" src="data:image/svg+xml;base64,{b64encode(b"<svg>1</svg>").decode()}">' in page
    )
    notebook = json.loads(session.as_notebook(cells))
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", "code", "code", "code"]
    assert [output for cell in notebook["cells"][1:] for output in cell["outputs"]] == [
        {"output_type": "stream", "name": "stdout", "text": "two 2\n"},
        {"output_type": "stream", "name": "stdout", "text": "3\n"},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<svg>1</svg>"}},
    ]


def test_the_notebook_of_a_session_is_one_that_jupyter_reads() -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
    session = load_script(DOCS / "session.py")
    nbformat.validate(json.loads(session.as_notebook(session.run_cells("# %% [markdown]\n# Words.\n\n# %%\nprint(1)\n2\n"))))


def test_a_cell_that_raises_ends_the_build() -> None:
    with pytest.raises(ZeroDivisionError):
        load_script(DOCS / "session.py").run_cells("# %%\n1 / 0")


def test_the_tutorial_goes_on_with_the_search_that_it_began() -> None:
    page = (DOCS / "tutorials" / "engineer.md").read_text(encoding="utf-8")
    begun, resumed = re.findall(r"^fusearch search .*--out runs/big.*$", page, re.MULTILINE)
    assert resumed == f"{begun} --resume", "what is left out has its default again"
