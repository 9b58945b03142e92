"""The catalogue of published networks at the command line: listed, shown, bound."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusearch.run import Run
from fusearch.search_space import PUBLISHED, FusionPattern


def keys(done: Any) -> set[str]:
    assert done.code == 0
    return {row["key"] for row in done.document}


def test_all_designs_are_listed(fusearch: Callable[..., Any]) -> None:
    assert len(keys(fusearch("list", "designs", "--json"))) == 54
    told = fusearch("list", "designs").out
    assert all(study.key in told for study in PUBLISHED.values())


@pytest.mark.parametrize(
    ("filters", "some", "none"),
    [
        (("--kind", "tabular", "--kind", "timeseries"), {"hf-vrnn-grus", "pci-ecg-emr"}, {"opcnn", "aviper"}),
        (("--task", "survival", "--task", "regression"), {"synpredict", "nsclc-pet-surv"}, {"opcnn"}),
        (("--class", "calibration"), {"nsclc-imggene"}, {"hcc-pyliver"}),
        (("--class", "𝔸"), {"aatsn"}, {"hcc-pyliver"}),
        (("--class", "⊞"), {"opcnn"}, {"hcc-pyliver"}),
        (("--label", "gradual", "--label", "multiple"), {"mental-mgf"}, {"opcnn", "nsclc-imggene"}),
        (("--label", "late"), {"uncertainty-latefusion-lung"}, {"pareto-when-which-how"}),
    ],
)
def test_filters_narrow_the_list(filters: tuple[str, ...], some: set[str], none: set[str], fusearch: Callable[..., Any]) -> None:
    found = keys(fusearch("list", "designs", *filters, "--json"))
    assert some <= found
    assert not none & found


def test_with_data_each_design_fits_or_says_why_not(fusearch: Callable[..., Any]) -> None:
    fits = {row["key"]: row["fits"] for row in fusearch("list", "designs", "--data", "wisconsin", "--json").document}
    assert {key for key, said in fits.items() if said == "yes"} >= {"opcnn", "mmdynamics", "mental-mgf"}
    assert fits["medfuse"] == "it needs 1 timeseries (ehr), the data have none; 1 image2d (cxr), the data have none"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("designs", "--kind", "tabuler"), "--kind 'tabuler': did you mean 'tabular'?"),
        (("designs", "--task", "survivel"), "--task 'survivel': did you mean 'survival'?"),
        (("designs", "--class", "atention"), "--class 'atention': did you mean 'attention'?"),
        (("designs", "--label", "gradul"), "--label 'gradul': did you mean 'gradual'?"),
        (("operators", "--kind", "tabular"), "--kind: `list operators` does not take it, expected `list designs --kind ...`"),
        (("statistics", "--data", "wisconsin"), "--data: `list statistics` does not take it, expected `list designs --data ...`"),
    ],
)
def test_a_filter_that_is_not_legal_is_refused(arguments: tuple[str, ...], message: str, fusearch: Callable[..., Any]) -> None:
    done = fusearch("list", *arguments)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize("name", ["mmdynamics", "36"])
def test_a_study_is_shown_by_key_and_by_number(name: str, fusearch: Callable[..., Any]) -> None:
    text = fusearch("show", name)
    assert text.code == 0
    for part in (
        "Han et al., ",
        "doi 10.1109/",
        PUBLISHED[36].printed,
        str(PUBLISHED[36].design()),
        "Printed as a plain concatenation of two inputs; as built three inputs",
        "squared error of the confidence against the true-class probability",
        "accuracy 0.842; ROSMAP (BRCA 0.877); protocol: not recorded; source: recalled from the paper's tables, not verified",
        "The graph itself differs",
    ):
        assert part in text.out, part
    facts = fusearch("show", name, "--json").document
    assert facts["study"]["number"] == 36
    assert facts["study"]["agreement"] == "graph"


def test_a_study_without_a_result_says_so(fusearch: Callable[..., Any]) -> None:
    assert "Headline result: not recorded" in fusearch("show", "ovarian-dnonl").out


def test_a_study_whose_task_is_refused_says_why(fusearch: Callable[..., Any]) -> None:
    assert "Not trained for its own task: detection: boxes are not predicted" in fusearch("show", "23").out
    assert "Not trained for its own task" not in fusearch("show", "ovarian-dnonl").out


def test_a_study_is_bound_to_data(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "lung-recurrence-radiogenomics", "--data", "wisconsin")
    assert done.code == 0
    assert "Bound to wisconsin:" in done.out
    assert "Left out of the design, which has fewer modalities: worst" in done.out
    facts = fusearch("show", "lung-recurrence-radiogenomics", "--data", "wisconsin", "--json").document
    assert [stream["modality"] for stream in facts["streams"]] == ["mean", "error"]
    assert facts["left_out"] == ["worst"]
    assert facts["parameters"] > 0
    assert facts["macs"] > 0


def test_a_study_that_does_not_fit_says_why(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "medfuse", "--data", "wisconsin")
    assert done.code == 2
    assert "study 25 (medfuse): it needs 1 timeseries (ehr), the data have none" in done.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mmdynamic", "'mmdynamic' is no formula, and no published study: did you mean 'mmdynamics'?"),
        ("qqqq", "'qqqq' is no formula, and no published study: `fusearch list designs` lists them"),
        ("f7885fff4748", "a digest names a design of a run, and `fusearch status RUN` tells the formula of each on its front"),
        ("77", "unknown published study 77: expected a number from 1 to 54"),
    ],
)
def test_a_word_that_names_no_study_gets_the_nearest(name: str, message: str, fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", name)
    assert done.code == 2
    assert message in done.err


def test_a_design_is_drawn(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "aatsn", "--drawing", tmp_path / "aatsn.svg")
    assert done.code == 0
    drawn = (tmp_path / "aatsn.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg xmlns=")
    assert drawn.count("spatial_gate") >= 3
    pattern = fusearch("show", "F1 = ⊕(x1^x, x2^y) →", "--drawing", tmp_path / "pattern.svg")
    assert pattern.code == 2
    assert "a pattern stands for many designs" in pattern.err
    nowhere = fusearch("show", "aatsn", "--drawing", tmp_path / "no" / "folder.svg")
    assert nowhere.code == 2
    assert "folder.svg': No such file or directory" in nowhere.err


def test_the_statistics_of_the_review_are_listed(fusearch: Callable[..., Any]) -> None:
    done = fusearch("list", "statistics", "--json")
    assert done.code == 0
    counts = {(row["counted"], row["as"]): row["number"] for row in done.document}
    assert counts["studies by number of fusions", "single"] == 35
    assert counts["fusions by class of operator", "⊕ concatenation"] == 77


@pytest.mark.slow
def test_a_search_starts_with_published_designs_and_stays_in_its_pattern(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    pattern = "F1 = ⊕(mean^x, worst^x) →"
    out = tmp_path / "run"
    settings = (
        "--executor",
        "inline",
        "--epochs",
        1,
        "--folds",
        2,
        "--sampler",
        "random",
        "--encoder",
        "mean=mlp",
        "--reference-share",
        0.01,
        "--max-memory",
        2e7,
        "--trials",
    )
    done = fusearch("search", "wisconsin", "-o", "auroc", "--out", out, "--start", "published", "--pattern", pattern, *settings, 17)
    assert done.code == 0
    told = re.search(r"- 5 published designs fit the data, (\d) of them were tried\.", done.out)
    assert told is not None
    tried = int(told[1])  # the references come first
    assert 0 < tried < 5
    assert f"- {5 - tried} left out, as the search ended before their turn: " in done.out
    more = fusearch(
        "search", "wisconsin", "-o", "auroc", "--out", out, "--start", "published", "--pattern", pattern, *settings, 24, "--resume"
    )
    assert more.code == 0
    assert "- 5 published designs fit the data, 5 of them were tried." in more.out
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    published = {each["digest"] for each in found["published"]["standings"]}
    trials = Run(out).read()
    searched = [record for record in trials.records if record.reference is None and record.digest not in published]
    assert searched
    for record in searched:
        assert FusionPattern.parse(pattern).matches(trials.graphs[record.digest])
    assert "## Published designs" in (out / "report.md").read_text(encoding="utf-8")
    assert '<section id="published">' in (out / "report.html").read_text(encoding="utf-8")
