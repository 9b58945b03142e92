"""A search shows itself in a notebook, and nowhere else."""

import sys
from types import ModuleType, SimpleNamespace

from fusearch.search.live_table import LiveTable, notebook_progress, progress_html
from fusearch.search.progress import Progress


def test_a_search_is_shown_as_a_table_until_its_end(search):
    shown = []
    search(progress=LiveTable(shown.append, every=0.0), trials=5)
    assert "<td>1</td>" in shown[0]  # one is running
    assert "5 of 5 trials" in shown[-1]
    assert "best score" in shown[-1]
    assert len(shown) >= 10


def test_tables_come_no_faster_than_asked_for_but_the_last_one_comes():
    shown = []
    table = LiveTable(shown.append, every=1000)
    for done in range(3):
        table(Progress(done=done, running=1, failed=0, repeated=0, total=3))
    table(Progress(done=3, running=0, failed=0, repeated=0, total=3))
    assert ["0 of 3" in shown[0], "3 of 3" in shown[-1], len(shown)] == [True, True, 2]


def test_what_is_told_is_escaped():
    told = progress_html(Progress(done=0, running=1, failed=0, repeated=0, total=None, best={"a<b": 1.0}, blamed=("<script>",)))
    assert "best a&lt;b" in told
    assert "<script>" not in told


def test_a_kernel_is_asked_for_a_place_that_tables_are_put_into(monkeypatch):
    """IPython itself need not be installed: what a kernel offers is two functions and a handle."""
    assert notebook_progress() is None
    updates = []
    display = ModuleType("IPython.display")
    display.HTML = str
    display.display = lambda html, display_id: SimpleNamespace(update=updates.append)
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace()  # a shell in a terminal
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert notebook_progress() is None
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    notebook_progress()(Progress(done=1, running=0, failed=0, repeated=0, total=2))
    assert "1 of 2 trials" in updates[0]
