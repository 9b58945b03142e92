"""Settings and the configuration that is kept of them; refusals are in test_refused_searches.py."""

import json

import pytest
import yaml

from fusearch.contracts import Objective
from fusearch.errors import ObjectiveError
from fusearch.search.configuration import check_objectives, describe_evaluator, describe_run
from fusearch.settings import Settings


class Described:
    def __call__(self, candidate, budget, report):
        return {}

    def cheap(self, candidate):
        return {}

    def objectives(self):
        return frozenset({"auroc", "macs"})

    def describe(self):
        return {"name": "training", "data": {"source": "wisconsin", "fingerprint": "0123"}}


def test_objectives_are_read_and_checked():
    assert check_objectives(["auroc", Objective("macs", "minimize")], Described())[1] == Objective("macs", "minimize")
    with pytest.raises(ObjectiveError, match="objective 'accuracy' is not among what the evaluator computes: "):
        check_objectives(["accuracy"], Described())


def test_any_objective_goes_where_the_evaluator_is_a_function(toy_evaluator):
    assert check_objectives(["anything:max"], toy_evaluator)[0].name == "anything"


def test_an_evaluator_describes_itself_or_is_named(toy_evaluator):
    assert describe_evaluator(Described())["data"]["fingerprint"] == "0123"
    assert describe_evaluator(toy_evaluator)["name"].endswith(".evaluate")


def test_the_configuration_is_plain(space):
    config = describe_run(space, Described(), check_objectives(["auroc", "macs<=1e6"], Described()), Settings())
    assert yaml.safe_load(yaml.safe_dump(config)) == config == json.loads(json.dumps(config))
    assert config["space"]["fingerprint"] == space.fingerprint
    assert config["study"] == {"storage": None, "name": "fusearch"}


def test_the_configuration_tells_the_command_that_made_it(space, toy_evaluator):
    objectives = [Objective.parse("score:max")]
    words = ["fusearch", "search", "a b.yaml", "--plugin", "own.py"]
    assert describe_run(space, toy_evaluator, objectives, Settings(), command=words)["command"] == words
    assert describe_run(space, toy_evaluator, objectives, Settings())["command"] is None


def test_strategy_and_storage_have_sections_of_their_own(space, toy_evaluator):
    settings = Settings(strategy="late-ensemble", storage="sqlite:///a.db")
    config = describe_run(
        space, toy_evaluator, [Objective.parse("score:max")], settings, strategy={"name": "late-ensemble", "k": 3}, study_name="x"
    )
    assert config["strategy"] == {"name": "late-ensemble", "k": 3}
    assert config["study"] == {"storage": "sqlite:///a.db", "name": "x"}
    assert not {"strategy", "storage"} & set(config["search"])
