"""What leaves the house: a design trained once more, as a folder that predicts without fusearch; and the look at the test split."""

from fusearch.evaluators.export.bundle import export
from fusearch.evaluators.export.confirmation import confirm
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.trained import TrainedNetwork, load_network, load_networks

__all__ = ["DeployedModel", "TrainedNetwork", "confirm", "export", "load_network", "load_networks"]
