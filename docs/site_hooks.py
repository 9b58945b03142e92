"""What the build of the site adds: pages that show files of the repository which others link to, and a session with its output."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]

#: A link out of docs/, to a file of the repository.
_OUTSIDE = re.compile(r"\]\(((?:\.\./)+)((?:examples|fusearch|benchmarks|tests)/[\w/]+\.py)\)")


def listing_of(path: str) -> str:
    """Return where the site shows a file of the repository, relative to docs/.

    Example:
        >>> listing_of("examples/05_own_operator.py")
        'files/examples/05_own_operator.md'
    """
    return f"files/{path.removesuffix('.py')}.md"


def with_listings(text: str, page: str) -> str:
    """Return a page whose links out of docs/ lead to listings, and those to the tutorial to what it printed.

    Args:
        text: The page.
        page: Where it stands, relative to docs/.

    Example:
        >>> with_listings("[a gate](../../examples/05_own_operator.py)", "decisions/0001.md")
        '[a gate](../files/examples/05_own_operator.md)'
    """
    above = posixpath.dirname(page) or "."
    text = text.replace("](tutorial.py)", "](tutorial.md)")
    return _OUTSIDE.sub(lambda found: f"]({posixpath.relpath(listing_of(found[2]), above)})", text)


def linked_files() -> list[str]:
    """Return the files of the repository that pages link to, and all examples."""
    pages = (ROOT / "docs").rglob("*.md")
    linked = {found[1] for page in pages for found in _OUTSIDE.findall(page.read_text(encoding="utf-8"))}
    return sorted(linked | {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("0*.py")})


def on_files(files: Any, config: Any) -> Any:
    """Add a page for each of these files."""
    for path in linked_files():
        code = (ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, listing_of(path), content=f"# {path}\n\n````python\n{code}````\n"))
    sys.path.insert(0, str(ROOT / "docs"))
    import session

    cells = session.run_cells((ROOT / "docs" / "tutorial.py").read_text(encoding="utf-8"))
    files.append(File.generated(config, "tutorial.md", content=session.as_markdown(cells)))
    files.append(File.generated(config, "tutorial.ipynb", content=session.as_notebook(cells)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links out of docs/ into links to listings."""
    return with_listings(markdown, page.file.src_uri)


#: What a browser would fetch by itself: scripts, pictures, styles, fonts. A link that a reader may follow is none.
_FETCHED = re.compile(r"""(?:\ssrc=|<link[^>]*\shref=|url\(|@import )["']?(?:https?:)?//[^"')\s]+""")


def fetched(text: str) -> list[str]:
    """Return what a page or a style would load from elsewhere.

    Example:
        >>> fetched('<a href="https://x.org">x</a> <script src="https://x.org/a.js"></script>')
        [' src="https://x.org/a.js']
    """
    return _FETCHED.findall(text)


def on_post_build(config: Any) -> None:
    """Refuse a site whose pages would load something from elsewhere."""
    for path in Path(config["site_dir"]).rglob("*"):
        if path.suffix in {".html", ".css"} and (found := fetched(path.read_text(encoding="utf-8"))):
            raise PluginError(f"{path.name} would load from elsewhere: {found[0]}")
