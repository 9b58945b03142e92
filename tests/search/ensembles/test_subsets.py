"""Subsets: every allowed one, once, against filtering the power set."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.errors import SpaceError
from fusearch.search.ensembles import SubsetRules, count_subsets, enumerate_subsets

MODALITIES = st.lists(st.sampled_from(["image", "table", "series"]), min_size=1, max_size=8)


@st.composite
def rules_for(draw: st.DrawFn, modalities: list[str]) -> SubsetRules:
    required = draw(st.none() | st.sets(st.sampled_from(sorted(set(modalities)))).map(lambda names: tuple(sorted(names))))
    return SubsetRules(required, draw(st.integers(1, 4)), draw(st.sampled_from(["any", "odd"])))


def allowed(subset: tuple[bool, ...], modalities: list[str], rules: SubsetRules) -> bool:
    taken = [name for name, inside in zip(modalities, subset, strict=True) if inside]
    required = set(modalities) if rules.required is None else set(rules.required)
    return (
        bool(taken)
        and required <= set(taken)
        and all(taken.count(name) <= rules.max_per_modality for name in taken)
        and (rules.sizes == "any" or len(taken) % 2 == 1)
    )


@given(data=st.data(), modalities=MODALITIES)
def test_the_list_is_the_filtered_power_set(data: st.DataObject, modalities: list[str]) -> None:
    rules = data.draw(rules_for(modalities))
    power_set = list(itertools.product((False, True), repeat=len(modalities)))
    expected = {subset for subset in power_set if allowed(subset, modalities, rules)}
    listed = [tuple(subset) for subset in enumerate_subsets(modalities, rules).tolist()]
    assert set(listed) == expected
    assert len(listed) == len(expected) == count_subsets(modalities, rules)
    assert [sum(subset) for subset in listed] == sorted(sum(subset) for subset in listed)
    violations = rules.violations(np.array(power_set), modalities)
    assert {subset for subset, violation in zip(power_set, violations, strict=True) if violation == 0} == expected


def test_the_method_papers_count() -> None:
    modalities = ["image"] * 30 + ["table"] * 4
    assert count_subsets(modalities, SubsetRules()) == len(enumerate_subsets(modalities, SubsetRules())) == 63_350


def test_of_equal_size_earlier_candidates_come_first() -> None:
    listed = enumerate_subsets(["a", "a", "b"], SubsetRules())
    assert listed.tolist() == [[True, False, True], [False, True, True], [True, True, True]]


def test_a_required_modality_without_a_candidate_is_refused() -> None:
    with pytest.raises(SpaceError, match="no candidate reads the required modality 'tables': did you mean 'table'"):
        count_subsets(["table"], SubsetRules(required=("tables",)))


@pytest.mark.parametrize(("settings", "message"), [({"max_per_modality": 0}, "at most 0"), ({"sizes": "even"}, "subset sizes 'even'")])
def test_bad_rules_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SubsetRules(**settings)
