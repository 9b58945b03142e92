"""The entries of the operators, by family; each is held to its layer in tests/evaluators/operators."""

from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space.entries.operator import SYMBOLS
from fusearch.search_space.entries.parameter import Value, complete_params
from fusearch.search_space.operators import OPERATORS

FAMILIES = {
    "attention": (
        "bottleneck",
        "channel_gate",
        "co_attention",
        "context_attention",
        "cross_attention",
        "high_order_gate",
        "mbt",
        "modality_attention",
        "modality_spatial_attention",
        "self_attention",
        "spatial_gate",
        "spatial_max_gate",
    ),
    "calibration": (
        "confidence_gate",
        "dynamic_mlp",
        "expert_gated_unit",
        "film",
        "gated_unit",
        "input_gate",
        "mifm",
        "mmtm",
        "multimodal_dynamics",
        "recursive_dynamic_mlp",
    ),
    "concatenation": ("cat", "cat_channels", "cat_tokens", "gated_cat"),
    "decision": ("inverse_covariance", "product_of_experts", "stacking", "vote_majority", "vote_mean", "vote_weighted"),
    "sharing": (
        "adversarial",
        "contrastive",
        "cross_stitch",
        "distribution_match",
        "manifold",
        "misa",
        "orthogonal",
        "reconstruction",
        "shared_bottleneck",
        "shared_private",
    ),
    "tensor": (
        "ban",
        "bilinear",
        "bilinear_attention",
        "compact_bilinear",
        "difference",
        "factorized_bilinear",
        "low_rank",
        "max",
        "mean",
        "opcnn",
        "outer",
        "outer_cnn",
        "product",
        "recurrent",
        "sum",
        "sum_on_grid",
        "tucker",
    ),
}
SIGNS = {"attention": "𝔸", "calibration": "𝕊", "concatenation": "⊕", "decision": "⊞", "sharing": "⇌", "tensor": "⊞"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_family_is_complete(family: str) -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == family} == set(FAMILIES[family])


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, names in FAMILIES.items() for name in names])
def test_every_entry_tells_all(family: str, name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == SIGNS[family]
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_gates_keep_the_stream_that_they_gate() -> None:
    kept = {name for name in FAMILIES["attention"] if OPERATORS[name].keeps == "first"}
    assert {name for name in FAMILIES["attention"] if name.endswith("_gate")} < kept
    assert kept == {"channel_gate", "context_attention", "cross_attention", "high_order_gate", "spatial_gate", "spatial_max_gate"}


def test_a_gate_over_positions_needs_positions() -> None:
    assert {name for name in FAMILIES["attention"] if OPERATORS[name].needs_grid} == {"spatial_gate", "spatial_max_gate"}


def test_a_result_of_its_own_is_the_exception() -> None:
    assert {name for name in FAMILIES["calibration"] if OPERATORS[name].keeps == "none"} == {
        "confidence_gate",
        "gated_unit",
        "multimodal_dynamics",
    }
    assert {name for name in FAMILIES["calibration"] if OPERATORS[name].ports} == {"mifm", "mmtm"}


def test_units_of_experts_take_two_states_and_two_inputs() -> None:
    assert [count for count in range(2, 7) if OPERATORS["expert_gated_unit"].takes(count)] == [4]


def test_only_channels_go_back_to_a_stream() -> None:
    assert [name for name in FAMILIES["concatenation"] if OPERATORS[name].keeps == "first"] == ["cat_channels"]


def test_only_features_may_change_places() -> None:
    assert [name for name in FAMILIES["concatenation"] if OPERATORS[name].symmetric] == ["cat", "gated_cat"]


def test_votes_are_untrained_and_take_scores() -> None:
    assert {name for name in OPERATORS if not OPERATORS[name].trained} == set(FAMILIES["decision"])
    assert all(OPERATORS[name].scores_only and OPERATORS[name].symmetric for name in FAMILIES["decision"])


def test_nothing_else_takes_scores_only() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].scores_only} == set(FAMILIES["decision"])


def test_there_are_operators_for_everything() -> None:
    assert len(OPERATORS) >= 45
    assert {OPERATORS[name].family for name in OPERATORS} == set(SYMBOLS)


def test_each_modality_keeps_a_result() -> None:
    assert all(OPERATORS[name].ports and OPERATORS[name].symmetric for name in FAMILIES["sharing"])


def test_what_is_shared_by_weights_adds_no_loss() -> None:
    assert {name for name in FAMILIES["sharing"] if not OPERATORS[name].adds_loss} == {"cross_stitch", "shared_bottleneck"}


def test_elementwise_operators_keep_the_first_shape() -> None:
    kept = {name for name in FAMILIES["tensor"] if OPERATORS[name].keeps == "first"}
    assert kept == {"sum", "sum_on_grid", "mean", "product", "max", "difference"}
    assert not OPERATORS["difference"].symmetric


def test_self_attention_commutes_where_it_takes_the_mean() -> None:
    operator = OPERATORS["self_attention"]
    assert [operator.commutes({"pool": pool}) for pool in ("mean", "none", "mean_per_stream")] == [True, False, False]
    assert OPERATORS["outer_cnn"].commutes({})
    assert not OPERATORS["cat_tokens"].commutes({})


def test_what_does_not_follow_its_paper_says_so() -> None:
    """Every name of a published module gives it, or says what it leaves out and where the published one is."""
    published = {
        "confidence_gate": "multimodal_dynamics",
        "outer_cnn": "opcnn",
        "bilinear_attention": "ban",
        "dynamic_mlp": "recursive_dynamic_mlp",
        "bottleneck": "mbt",
        "shared_private": "misa",
    }
    for simple, faithful in published.items():
        assert OPERATORS[simple].differs
        assert OPERATORS[simple].reference.endswith(faithful)
        assert faithful in OPERATORS
    assert "review no. 18" in OPERATORS["manifold"].reference
    assert "GMRLNet" not in OPERATORS["manifold"].reference


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("low_rank", {"rank": 0}, "parameter 'rank' is 0, expected at least 1"),
        ("low_rank", {"rank": 2.5}, "expected a whole number such as 4"),
        ("recurrent", {"cell": "lstn"}, "did you mean 'lstm'"),
        ("outer_cnn", {"kernels": 3}, "unknown parameter 'kernels', did you mean 'kernel'"),
    ],
)
def test_illegal_parameters_are_refused(name: str, given: dict[str, Value], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        complete_params(given, OPERATORS[name].params, name)
