"""Writes the figures of the concept pages, one for each room (`make reference`)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

__all__ = ["FIGURES", "figures"]

FOLDER = Path(__file__).with_name("concepts")

#: Room -> boxes from left to right, each a title and a line below it; a box that ends with `<` leads back to the first one too.
FIGURES: dict[str, Sequence[tuple[str, str]]] = {
    "data": (
        ("files", "tables, images, signals"),
        ("manifest", "kinds, ids, target"),
        ("data set", "joined samples, masks"),
        ("folds", "train | held out"),
        ("preprocessing", "fitted on train alone"),
    ),
    "evaluators": (
        ("candidate", "design and recipe"),
        ("network", "cost from its shapes"),
        ("members", "folds x seeds"),
        ("evaluation", "values with spread"),
        ("study", "beside every other"),
    ),
    "search": (
        ("references", "what everybody would try"),
        ("sampler", "proposes a candidate"),
        ("worker", "evaluates it"),
        ("study<", "is told, and keeps it"),
        ("run folder", "front, report, resume"),
    ),
    "inference": (
        ("predictions", "of held-out rows"),
        ("draw rows", "whole groups"),
        ("choose", "the best, on drawn rows"),
        ("score<", "it on rows left out"),
        ("interval", "5 % to 95 %"),
    ),
    "reports": (
        ("run folder", "study, configuration"),
        ("findings", "every fact, once"),
        ("report.html", "for people"),
        ("report.md", "for a notebook"),
        ("report.json", "for programs"),
    ),
}

_WIDTH, _HEIGHT, _GAP = 164, 56, 22
#: Colours on a bright page and on a dark one: a picture of a page follows the page's scheme.
_STYLE = """<style>
svg{--paper:#fff;--box:#eef1fb;--edge:#3f51b5;--title:#1a237e;--ink:#333;--line:#555}
@media (prefers-color-scheme:dark){svg{--paper:#1e2129;--box:#2a3050;--edge:#8c9eff;--title:#e8eaf6;--ink:#c5cae0;--line:#9aa0b0}}
text{font-family:system-ui,sans-serif;text-anchor:middle}
.paper{fill:var(--paper)}.box{fill:var(--box);stroke:var(--edge)}.arrow{fill:none;stroke:var(--line);stroke-width:1.5}.head{fill:var(--line)}
.title{fill:var(--title);font-size:15px;font-weight:600}.about{fill:var(--ink);font-size:12px}
</style>"""


def boxes(room: str) -> str:
    """Return the SVG of a chain of boxes; where one leads back, an arrow to the second box runs below."""
    chain = FIGURES[room]
    total = len(chain) * (_WIDTH + _GAP) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} 130" role="img" aria-label="{escape(room)}">',
        _STYLE,
        f'<rect class="paper" width="{total}" height="130" rx="8"/>',
    ]
    for place, (title, line) in enumerate(chain):
        left = _GAP + place * (_WIDTH + _GAP)
        middle = left + _WIDTH / 2
        parts += [
            f'<rect class="box" x="{left}" y="26" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
            f'<text class="title" x="{middle}" y="50">{escape(title.removesuffix("<"))}</text>',
            f'<text class="about" x="{middle}" y="69">{escape(line)}</text>',
        ]
        if place:
            parts.append(_arrow(f"M{left - _GAP + 2} 54 H{left - 4}"))
        if title.endswith("<"):
            back = _GAP + (_WIDTH + _GAP) + _WIDTH / 2
            parts.append(_arrow(f"M{middle} 84 V108 H{back} V88"))
    return "\n".join([*parts, "</svg>", ""])


def _arrow(path: str) -> str:
    *_, end = path.split(" ")
    head = f'<path class="arrow" d="{path}"/>'
    if end.startswith("V"):
        x = path.split("H")[1].split(" ")[0]
        return head + f'<path class="head" d="M{x} 84 l-4 8 h8 z"/>'
    x = end.removeprefix("H")
    return head + f'<path class="head" d="M{int(x) + 2} 54 l-8 -4 v8 z"/>'


def figures() -> dict[str, str]:
    """Return the text of each file: chains of boxes, and a design as reports draw it."""
    from fusearch.reports import draw
    from fusearch.search_space import FusionGraph

    design = FusionGraph.parse("rna:mlp | ecg:gru\nF1 = cross_attention(rna@1, ecg@1; trunk=fc:1)\nF2 = cat(F1@1, rna@L) ->")
    return {"search_space": draw(design)} | {room: boxes(room) for room in FIGURES}


if __name__ == "__main__":
    for name, text in figures().items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")
