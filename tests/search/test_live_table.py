"""A search shows itself in a notebook, and nowhere else."""

import pytest

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


def test_outside_a_kernel_nothing_is_shown():
    assert notebook_progress() is None


@pytest.mark.slow
def test_a_search_in_a_notebook_shows_the_table_and_then_the_run(tmp_path):
    nbclient, nbformat = (pytest.importorskip(name, reason=f"needs {name}") for name in ("nbclient", "nbformat"))
    pytest.importorskip("ipykernel", reason="needs ipykernel")
    cell = nbformat.v4.new_code_cell(
        """
        import fusearch as fs
        data = fs.load_data("wisconsin")
        evaluator = fs.TrainingEvaluator(data, folds=2, epochs=1)
        fs.run_search(fs.SearchSpace(data.modalities), evaluator, objectives=["auroc", "macs"], trials=3, executor="inline", out="run")
        """
    )
    nbclient.NotebookClient(nbformat.v4.new_notebook(cells=[cell]), resources={"metadata": {"path": tmp_path}}).execute()
    table, run = (output for output in cell.outputs if output.output_type != "stream")
    assert table.output_type == "display_data"
    assert "<b>3 of 3 trials</b>" in table.data["text/html"]  # in the place of those before it
    assert run.output_type == "execute_result"
    assert f"<b>Run {tmp_path / 'run'}: finished" in run.data["text/html"]
