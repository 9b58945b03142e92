from __future__ import annotations

import numpy as np
import pytest

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import FusearchError
from fusearch.search_space import ENCODERS, FusionGraph, FusionPattern, SearchSpace, Value
from fusearch.search_space.encoders import default_encoder, encoders_for
from fusearch.search_space.entries.parameter import complete_params


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_default_encoder_that_reads_it(kind: str) -> None:
    modality = Modality("m", kind)
    assert ENCODERS[default_encoder(modality)].reads(kind)
    assert default_encoder(modality) in encoders_for(modality)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_choice_of_parameters_gives_a_number_of_stages(name: str) -> None:
    encoder = ENCODERS[name]
    assert encoder.name == name
    assert encoder.stages
    for parameter, param in encoder.params.items():
        for choice in (param.default, *param.choices):
            stages = encoder.num_stages(complete_params({parameter: choice}, encoder.params, name))
            assert isinstance(stages, int)
            assert (stages == 0) == (name in ("identity", "flatten"))


MODALITIES = (Modality("scan", "image2d", (1, 16, 16)), Modality("ecg", "timeseries", (12, 2)), Modality("dna", "sequence", (9,)))


def design(text: str) -> FusionGraph:
    return FusionGraph.parse(f"{text}\n{text.split(':')[0]}@L ->", MODALITIES)


def test_a_size_is_another_way_to_write_parameters() -> None:
    assert design("scan:cnn(size=base)") == design("scan:cnn(stages=4)")
    assert design("scan:cnn(size=base, stages=2)") == design("scan:cnn(stages=2)"), "what is stated beside a size holds"
    assert design("scan:cnn(size=small)") == design("scan:cnn")
    assert "size" not in str(design("scan:vit(size=tiny)"))
    assert design("scan:identity(size=base)") == design("scan:identity")
    with pytest.raises(FusearchError, match="size is 'bse', did you mean 'base'"):
        design("scan:cnn(size=bse)")


def test_a_parameter_that_only_a_design_states_leaves_the_others_what_they_were() -> None:
    assert design("scan:resnet").digest == "0c301cb72421"
    assert dict(design("scan:resnet(blocks=2, width=0)").stream("scan").params) == {"pool": "mean"}
    digests = {design(f"scan:resnet{stated}").digest for stated in ("", "(blocks=1)", "(width=8)", "(width=16)")}
    assert len(digests) == 4


def test_numbers_are_not_looked_up() -> None:
    assert design("ecg:gru(embedding=one_hot)").digest == design("ecg:gru").digest
    assert design("dna:gru(embedding=one_hot)").digest != design("dna:gru").digest


def test_a_space_draws_sizes_where_it_is_told_to_and_no_stated_parameter_else() -> None:
    space = SearchSpace(MODALITIES[:1], encoders=["resnet(size=tiny)", "resnet(size=base)"])
    assert {params.get("blocks") for params in drawn(space)} >= {1, 3}
    plain = {key for params in drawn(SearchSpace(MODALITIES, encoders=["resnet", "gru"])) for key in params}
    assert not plain & {"blocks", "width", "embedding", "size"}


def drawn(space: SearchSpace) -> list[dict[str, Value]]:
    rng = np.random.default_rng(0)
    return [dict(stream.params) for _ in range(20) for stream in space.sample(rng).graph.streams]


def test_a_pattern_knows_sizes() -> None:
    pattern = FusionPattern.parse("scan:cnn(size=base) | ecg:gru\nF1 = ?(scan^x, ecg^y) →")
    graph = FusionGraph.parse("scan:cnn(stages=4) | ecg:gru; F1 = cat(scan@4, ecg@L) ->", MODALITIES)
    assert pattern.matches(graph)
    with pytest.raises(FusearchError, match="size is 'bse'"):
        FusionPattern.parse("scan:cnn(size=bse) | ecg:gru\nF1 = ?(scan^x, ecg^y) →")


def test_stages_have_names() -> None:
    assert ENCODERS["resnet"].stage_names({}) == ("stem", "layer1", "layer2", "layer3", "layer4")
    assert ENCODERS["ft_transformer"].stage_names({"blocks": 2}) == ("columns", "block1", "block2")
    assert ENCODERS["unet"].stage_names({"levels": 0}) == ("level0",)
    assert ENCODERS["efficientnet"].stage_names({})[-2:] == ("stage7", "head")


def test_a_space_offers_the_encoders_that_a_modality_brings() -> None:
    brought = Modality("scan", "image2d", (1, 16, 16), encoders=("resnet(size=tiny)", "vit"))
    assert SearchSpace([brought]).settings.encoders == {"scan": ("resnet(size=tiny)", "vit")}
    assert SearchSpace([brought], encoders=["unet"]).settings.encoders == {"scan": ("unet",)}
    assert brought == MODALITIES[0]
