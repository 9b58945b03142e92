"""The examples on the page of tasks run."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "tasks.md"


def test_the_examples_on_masks_run() -> None:
    found = doctest.testfile(str(PAGE.with_name("segmentation.md")), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 5
    assert found.failed == 0


def test_the_examples_of_the_page_run() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert found.attempted > 8
    assert found.failed == 0
