from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat

import pytest
import yaml
from reports.conftest import MODALITIES

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.front import front_info
from fusearch.reports.findings.published import published_name, read_published
from fusearch.run import Run
from fusearch.search_space import PUBLISHED, fitting_designs

FITTING = fitting_designs(MODALITIES)[0]


@pytest.fixture
def make_found(make_run: Callable[..., Run]) -> Callable[..., Findings]:
    """Return `make_found(keys, asked=...)`: a run of six references, a plain design, then the published designs of those keys."""

    def make(*keys: str, asked: bool = True, failures: int = 0) -> Findings:
        plain = "mrna:mlp | meth:mlp | mirna:mlp\nF1 = sum(mrna@1, meth@2, mirna@1) ->"
        texts = chain([plain], (str(FITTING[key]) for key in keys), repeat(str(FITTING["opcnn"])))
        run = make_run(7 + len(keys), failures=failures, formula=lambda _rng: next(texts))
        config = yaml.safe_load((run.path / "config.yaml").read_text())
        config["search"]["start"] = "published" if asked else "references"
        (run.path / "config.yaml").write_text(yaml.safe_dump(config))
        return read_findings(Run(run.path))

    return make


def test_those_that_fit_stand_by_rank(make_found: Callable[..., Findings]) -> None:
    found = make_found("mmdynamics", "opcnn")
    told = found.published
    assert {key for each in told.standings for key in each.studies} == set(FITTING)
    assert {each.name for each in told.evaluated} == {"mmdynamics", "opcnn"}
    ranks = [each.rank for each in told.evaluated]
    assert ranks == sorted(ranks)
    values = sorted((found.value(record) for record in found.designs), reverse=True)
    for each in told.evaluated:
        assert each.record is not None
        assert values[each.rank - 1] == pytest.approx(found.value(each.record))
        assert each.on_front == (each.digest in found.front_digests)
        assert each.links == (f"https://doi.org/{PUBLISHED[each.name].doi}",)


def test_what_the_budget_left_out_is_counted(make_found: Callable[..., Findings]) -> None:
    told = make_found("mmdynamics", "opcnn").published
    assert {each.name for each in told.left_out} == set(FITTING) - {"mmdynamics", "opcnn"}
    sentences = told.sentences
    assert sentences[0] == f"{len(FITTING)} published designs fit the data, 2 of them were tried."
    assert sentences[1].startswith(f"{len(FITTING) - 2} left out, as the search ended before their turn: ")
    assert sentences[2].startswith(f"The best of them by AUROC is {told.evaluated[0].name}: place ")


def test_a_failed_one_was_tried(make_found: Callable[..., Findings]) -> None:
    told = make_found("mmdynamics", failures=1).published
    assert "Without a result: opcnn." in told.sentences
    assert "opcnn" not in {each.name for each in told.left_out}


def test_without_being_asked_only_what_was_met_is_told(make_found: Callable[..., Findings]) -> None:
    assert make_found(asked=False).published.sentences == []
    met = make_found("opcnn", asked=False).published.sentences
    assert len(met) == 2
    assert not [sentence for sentence in met if "left out" in sentence]


def test_each_fused_design_on_the_front_has_a_neighbour(make_found: Callable[..., Findings]) -> None:
    found = make_found(*FITTING)
    fused = {record.digest for record in found.front if found.graphs[record.digest].fusions}
    assert {each.record.digest for each in found.published.neighbours} == fused
    for each in found.published.neighbours:
        assert 0 <= each.distance <= 1
        assert PUBLISHED[each.study].citation == each.citation
        own = published_name(found.trials.modalities, each.record.digest)
        assert own is None or each.distance < 0.25


def test_points_of_published_designs_are_named(make_found: Callable[..., Findings]) -> None:
    found = make_found("mmdynamics", "opcnn")
    named = {point.study for point in front_info(found).points}
    assert named == {None, "mmdynamics", "opcnn"}


def test_a_kind_that_is_not_known_here_leaves_nothing_to_say(make_run: Callable[..., Run]) -> None:
    run = make_run(8)
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    config["space"]["modalities"][0]["kind"] = "hologram"
    (run.path / "config.yaml").write_text(yaml.safe_dump(config))
    told = read_published(Run(run.path).read())
    assert told.standings == ()
    assert told.sentences == []
