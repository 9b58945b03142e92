"""The numbers of training that a comparison hangs on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from fusearch.errors import DesignError, suggestion

__all__ = ["Augmentation", "ClassWeights", "Recipe", "Sampling"]

ClassWeights = Literal["none", "balanced"]
Sampling = Literal["none", "balanced"]
Augmentation = Literal["none", "mild", "mirrored"]

#: Choices that are words.
_WORDS = {"class_weights": get_args(ClassWeights), "sampling": get_args(Sampling), "augmentation": get_args(Augmentation)}

#: Numbers that came later: a recipe that leaves them off is written, and named, as it was before there were any (decision 0097).
_LATER = ("sampling", "focal", "augmentation")


@dataclass(frozen=True)
class Recipe:
    """How a design is trained.

    Attributes:
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        dropout: Probability, in encoders and trunks.
        width: Width of stages, trunks and operators that are free to choose one.
        class_weights: `balanced` weighs each class by the inverse of its frequency in the training rows.
        modality_dropout: Probability of hiding a modality of a training sample, never all of them.
        loss_weight: Weight of the losses that operators add.
        sampling: `balanced` draws the training rows so that each class comes equally often.
        focal: Gamma of the focal loss (Lin et al. 2017, who take 2): samples that are told well already count less; 0: cross-entropy.
        augmentation: `mild` changes the training rows a little, as suits the kind of each modality; `mirrored` also mirrors images.

    Raises:
        DesignError: A number is not legal, or classes are balanced twice.

    Example:
        >>> Recipe(learning_rate=3e-3, class_weights="balanced").width
        32
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    width: int = 32
    class_weights: ClassWeights = "none"
    modality_dropout: float = 0.0
    loss_weight: float = 0.1
    sampling: Sampling = "none"
    focal: float = 0.0
    augmentation: Augmentation = "none"

    def __post_init__(self) -> None:
        for name, least, most in (
            ("learning_rate", 0.0, 10.0),
            ("weight_decay", 0.0, 1e3),
            ("dropout", 0.0, 0.95),
            ("modality_dropout", 0.0, 0.95),
            ("loss_weight", 0.0, 1e3),
            ("focal", 0.0, 10.0),
        ):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not (math.isfinite(value) and least <= value <= most):
                raise DesignError(f"recipe: {name} is {value!r}, expected a number from {least:g} to {most:g}")
            object.__setattr__(self, name, float(value))
        if self.learning_rate == 0:
            raise DesignError("recipe: learning_rate is 0, expected more")
        if isinstance(self.width, bool) or not isinstance(self.width, int) or not 1 <= self.width <= 8192:
            raise DesignError(f"recipe: width is {self.width!r}, expected a whole number from 1 to 8192")
        for name, legal in _WORDS.items():
            if getattr(self, name) not in legal:
                raise DesignError(f"recipe: {name} is {getattr(self, name)!r}, {suggestion(str(getattr(self, name)), legal)}")
        if self.class_weights == self.sampling == "balanced":
            raise DesignError("recipe: class_weights and sampling are both balanced, which counts rare classes twice; expected one of them")

    @property
    def balances(self) -> bool:
        """Whether rare classes count as much as frequent ones."""
        return "balanced" in (self.class_weights, self.sampling)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON-able values; `sampling`, `focal` and `augmentation` only where they are used."""
        unused = {entry.name for entry in fields(self) if entry.name in _LATER and getattr(self, entry.name) == entry.default}
        return {name: value for name, value in asdict(self).items() if name not in unused}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Recipe:
        """Read what `to_dict` wrote; numbers left out take their defaults.

        Raises:
            DesignError: A key is unknown or a value is not legal.
        """
        names = [entry.name for entry in fields(cls)]
        for name in record:
            if name not in names:
                raise DesignError(f"recipe: unknown key {name!r}, {suggestion(name, names)}")
        return cls(**record)
