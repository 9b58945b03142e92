import pytest

from fusearch.cli.live_line import LiveLine, progress_line
from fusearch.search import Progress


def make_progress(done: int = 12) -> Progress:
    return Progress(
        done=done, running=2, failed=1, repeated=3, total=60, best={"auroc": 0.98123, "macs": 1200.0}, front=4, seconds_left=95.0
    )


def test_one_line_says_it_all() -> None:
    assert progress_line(make_progress()) == (
        "12/60 trials · 2 running · 1 failed · 3 repeated · best auroc 0.9812 · best macs 1,200 · front 4 · 1:35 left"
    )


def test_what_races_stopped_is_done() -> None:
    told = Progress(done=12, running=2, failed=0, repeated=0, total=60, raced=7)
    assert progress_line(told) == "19/60 trials · 2 running · 7 stopped early · front 0"


def test_seeds_that_come_after_the_search_are_told() -> None:
    told = Progress(done=12, running=2, failed=0, repeated=0, total=None, more_seeds=3)
    assert progress_line(told) == "12 trials · 2 running · 3 more seeds · front 0"


def test_where_standard_error_is_no_terminal_lines_are_rare(capfd: pytest.CaptureFixture[str]) -> None:
    with LiveLine(every=3600.0) as line:
        for done in range(61):
            line(make_progress(done))
    lines = capfd.readouterr().err.splitlines()
    assert [text.split()[0] for text in lines] == ["0/60", "60/60"]


def test_on_a_terminal_the_line_is_rewritten(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with LiveLine() as line:
        line(make_progress(60))
    err = capfd.readouterr().err
    assert err.startswith("\r\x1b[2K60/60")
    assert err.endswith("\n")


def test_what_fails_always_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = LiveLine(every=0.0)
    for count in (4, 5):
        line(Progress(done=3, running=1, failed=count, repeated=0, total=9, blamed=(f"operator 'x' failed in all {count} designs: boom",)))
    told = capsys.readouterr().err.splitlines()
    assert [text for text in told if text.startswith("warning")] == [
        "warning: operator 'x' failed in all 4 designs: boom; it is no longer proposed"
    ]


def test_a_reference_that_is_too_large_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = LiveLine(every=0.0)
    for done in (3, 4):
        line(Progress(done=done, running=1, failed=0, repeated=0, total=9, refused=("the reference 'early' is not trained: parameters",)))
    told = [text for text in capsys.readouterr().err.splitlines() if text.startswith("warning")]
    assert told == ["warning: the reference 'early' is not trained: parameters"]
