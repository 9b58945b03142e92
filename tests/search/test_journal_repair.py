"""A journal with damaged lines: named by number, repaired, and gone on with."""

import json

import pytest

from fusearch.errors import RunError
from fusearch.run import Run
from fusearch.search.journal_repair import repair


@pytest.fixture
def run(search):
    return search(trials=8)


def spoil(run, *numbers):
    path = run.path / "study.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    for number in numbers:
        lines[number - 1] = lines[number - 1][:20] + b"\x00\xff garbage\n"
    path.write_bytes(b"".join(lines))


def line_of(run, trial, op_code):
    """Return the number of the first line of that operation on a trial (a creation: of that trial)."""
    created = -1
    for number, line in enumerate((run.path / "study.journal").read_text().splitlines(), start=1):
        operation = json.loads(line)
        created += operation["op_code"] == 4
        if operation["op_code"] == op_code and operation.get("trial_id", created) == trial:
            return number
    raise AssertionError


def told(run):
    return {record.number: (record.formula, record.state, record.objectives) for record in run.records()}


def test_a_damaged_line_is_named_with_what_to_do(run):
    spoil(run, 9)
    with pytest.raises(RunError, match=r"line 9 of '.*study.journal' is damaged: `fusearch repair .*run` keeps what can be read"):
        Run(run.path).status()


def test_nothing_is_done_where_nothing_is_damaged(run):
    before = (run.path / "study.journal").read_bytes()
    assert repair(run.path).backup is None
    assert (run.path / "study.journal").read_bytes() == before


def test_the_other_trials_keep_what_they_had(run):
    before = told(run)
    spoil(run, line_of(run, 3, 8) + 1)
    done = repair(run.path)
    assert (len(done.lost), done.placeholders) == (1, ())
    after = told(Run(run.path))
    assert {number: facts for number, facts in after.items() if number != 3} == {
        number: facts for number, facts in before.items() if number != 3
    }
    assert done.backup.name == "study.journal.damaged-1"


def test_a_lost_creation_does_not_move_the_trials_behind_it(run):
    before = told(run)
    spoil(run, line_of(run, 4, 4))
    done = repair(run.path)
    assert done.placeholders == (4,)
    after = told(Run(run.path))
    assert {number: facts for number, facts in after.items() if number > 4} == {
        number: facts for number, facts in before.items() if number > 4
    }


def test_a_lost_first_line_is_written_anew_and_the_run_goes_on(run, search):
    before = told(run)
    spoil(run, 1)
    repair(run.path)
    assert told(Run(run.path)) == before
    assert search(trials=11, resume=True).status()["trials"]["complete"] == 11


def test_there_must_be_a_journal(tmp_path):
    with pytest.raises(RunError, match=r"no journal 'study.journal' in '.*' to repair"):
        repair(tmp_path)
