"""Every encoder has one network, and each passes the laws."""

from __future__ import annotations

import pytest
from installed import need_encoders

import fusearch.evaluators.encoders  # noqa: F401  # registers the networks
from fusearch.evaluators.network.encoder_network import NETWORKS
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.testing import EncoderSuite


def test_every_encoder_has_one_network_and_no_network_is_without_an_encoder() -> None:
    assert list(NETWORKS) == list(ENCODERS)


@pytest.mark.parametrize("name", list(ENCODERS))
class TestEveryEncoder(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        need_encoders(name)
        self.name = name
        self.params = {"efficientnet": {"depth": 0.3}}.get(name, {})  # one block a stage, else it takes ten times as long as others
