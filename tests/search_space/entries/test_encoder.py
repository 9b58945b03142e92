from __future__ import annotations

import pytest

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.search_space import ENCODERS
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
