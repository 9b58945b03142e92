from collections.abc import Callable
from typing import Any

FORMULA = "F1 = cat(mean@L, worst@L) ->"


def test_show_with_data(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", FORMULA, "--data", "wisconsin", "--json")
    assert done.code == 0
    facts = done.document
    assert facts["labels"]["fusions"] == 1
    assert facts["labels"]["level"] == "intermediate"
    assert facts["parameters"] > 0
    assert facts["macs"] > 0
    assert facts["memory"] > 0
    assert facts["refused"] is None
    assert "⊕" in facts["review"]
    text = fusearch("show", FORMULA, "--data", "wisconsin")
    assert text.code == 0
    assert facts["digest"] in text.out
    told = dict(line.strip(" │").split(maxsplit=1) for line in text.out.splitlines() if "memory" in line or "parameters" in line)
    assert {name: int(value.strip(" │").replace(",", "")) for name, value in told.items()} == {
        name: facts[name] for name in ("parameters", "memory")
    }


def test_show_a_pattern_in_the_typography_of_the_review(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "F1 = ⊕(x1^x, x2^y) →", "--json")
    assert done.code == 0
    assert done.document["pattern"] is True
    assert done.document["labels"]["synchronous"] is False


def test_a_syntax_error_gets_a_caret(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "F1 = cat(mean@L,, worst@L) ->", "--data", "wisconsin")
    assert done.code == 2
    assert done.err.splitlines()[-1].strip() == "^"


def test_evaluate(fusearch: Callable[..., Any]) -> None:
    arguments = ("evaluate", FORMULA, "--data", "wisconsin", "--epochs", 3, "--folds", 2, "--width", 8)
    done = fusearch(*arguments, "--json")
    assert done.code == 0
    facts = done.document
    assert set(facts) == {"digest", "formula", "values", "spread", "labels", "parameters", "macs", "seconds"}
    assert 0.5 < facts["values"]["auroc"] <= 1
    assert facts["spread"]["auroc"] >= 0
    assert facts["parameters"] == facts["values"]["parameters"]
    text = fusearch(*arguments)
    assert "auroc" in text.out
    assert "2 members" in text.out


def test_what_is_too_large_is_not_evaluated_unless_it_is_asked_for(fusearch: Callable[..., Any]) -> None:
    arguments = ("evaluate", FORMULA, "--data", "wisconsin", "--epochs", 1, "--folds", 2, "--max-parameters", 1000)
    done = fusearch(*arguments)
    assert done.code == 2
    assert "parameters is 3202, max_parameters is 1000: take smaller" in done.err
    assert fusearch(*arguments[:-1], 0, "--json").code == 0
