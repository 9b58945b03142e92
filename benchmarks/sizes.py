"""What the packages of the core take on disk, without torch: fusearch's own dependencies and theirs, none of an extra.

python benchmarks/sizes.py [--json] [--extra images]
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def needed(requirements: Iterable[str], *, without: Iterable[str] = ()) -> set[str]:
    """Return the names of the installed packages that some requirements bring, their own requirements included.

    Args:
        requirements: As in pyproject.toml.
        without: Packages that are left out, with what only they bring.
    """
    found: set[str] = set()
    asked: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in without:
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            try:
                texts = distribution(name).requires or []
            except PackageNotFoundError:
                continue
            found.add(name)
            own = [Requirement(text) for text in texts]
            waiting += [each for each in own if each.marker is None or each.marker.evaluate({"extra": extra})]
    return found


def size_of(name: str) -> int:
    """Return the bytes of all files of an installed package, compiled Python left out."""
    files = distribution(name).files or []
    return sum(path.stat().st_size for file in files if file.suffix != ".pyc" and (path := Path(str(file.locate()))).is_file())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--extra", action="append", default=[], help="count an extra of fusearch too; repeat it")
    options = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for extra in options.extra for text in project["optional-dependencies"][extra]]
    sizes = {name: size_of(name) for name in needed([*project["dependencies"], *extras], without=["torch"])}
    total = sum(sizes.values())
    if options.json:
        print(json.dumps({"megabytes": round(total / 1e6), "packages": len(sizes), "bytes": sizes}, indent=1))
    else:
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:12]:
            print(f"{name:20} {size / 1e6:6.0f} MB")
        print(f"{f'all {len(sizes)} packages':20} {total / 1e6:6.0f} MB, without torch")
