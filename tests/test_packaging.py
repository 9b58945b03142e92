"""What is packed is what belongs, and an extra is named where it is needed and brings what it says."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from scripts import load_script

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

#: For who works on fusearch; the others are for who uses it.
OF_MAINTAINERS = {"all", "dev", "docs"}


def test_all_is_every_extra_of_users() -> None:
    assert EXTRAS["all"] == [f"fusearch[{','.join(sorted(set(EXTRAS) - OF_MAINTAINERS))}]"]
    assert EXTRAS["dev"][0] == "fusearch[all]"


def test_an_extra_that_is_named_is_there() -> None:
    pages = [path for folder in ("fusearch", "docs", "examples") for kind in ("*.py", "*.md") for path in (ROOT / folder).rglob(kind)]
    named = {
        extra: page
        for page in pages
        for extras in re.findall(r"fusearch\[([\w,]+)\]", page.read_text(encoding="utf-8"))
        for extra in extras.split(",")
    }
    assert {extra: page for extra, page in named.items() if extra not in EXTRAS} == {}


def test_no_extra_names_what_the_core_brings() -> None:
    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[>=<]", text)[0] for text in requirements}

    assert [extra for extra in EXTRAS if extra not in OF_MAINTAINERS and names(EXTRAS[extra]) & names(PROJECT["dependencies"])] == []


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="needs hatchling of fusearch[dev]")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_package_alone(packed: Path) -> None:
    (wheel,) = packed.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fusearch").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names == source
    assert {Path(name).suffix for name in names} == {".py", ".css", ".html", ".js", ".json", ".typed"}


def test_the_sdist_holds_what_builds_and_tests_it(packed: Path) -> None:
    (sdist,) = packed.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames()]
    pages = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "README.md"}
    settings = {"Makefile", "PKG-INFO", "constraints.txt", "mkdocs.yml", "pyproject.toml"}
    folders = {"benchmarks", "docs", "examples", "fusearch", "tests"}
    assert {name.split("/")[0] for name in names} - {".gitignore"} == pages | settings | folders
    suffixes = {".py", ".md", ".svg", ".json", ".css", ".html", ".js", ".typed", ".yaml", ".journal"}
    assert {name for name in names if "/" in name and Path(name).suffix not in suffixes} == set()


def test_what_a_requirement_brings_is_counted_once() -> None:
    sizes = load_script(ROOT / "benchmarks" / "sizes.py")
    brought = sizes.needed(["pandas>=3.0", "numpy"])
    assert {"pandas", "numpy", "python-dateutil"} <= brought
    assert "numpy" not in sizes.needed(["pandas"], without=["numpy"])
    assert sizes.size_of("numpy") > 1_000_000
