"""The numbers of training that a comparison hangs on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from fusearch.errors import DesignError, suggestion

__all__ = ["ClassWeights", "Recipe"]

ClassWeights = Literal["none", "balanced"]


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

    def __post_init__(self) -> None:
        for name, least, most in (
            ("learning_rate", 0.0, 10.0),
            ("weight_decay", 0.0, 1e3),
            ("dropout", 0.0, 0.95),
            ("modality_dropout", 0.0, 0.95),
            ("loss_weight", 0.0, 1e3),
        ):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not (math.isfinite(value) and least <= value <= most):
                raise DesignError(f"recipe: {name} is {value!r}, expected a number from {least:g} to {most:g}")
            object.__setattr__(self, name, float(value))
        if self.learning_rate == 0:
            raise DesignError("recipe: learning_rate is 0, expected more")
        if isinstance(self.width, bool) or not isinstance(self.width, int) or not 1 <= self.width <= 8192:
            raise DesignError(f"recipe: width is {self.width!r}, expected a whole number from 1 to 8192")
        if self.class_weights not in get_args(ClassWeights):
            raise DesignError(
                f"recipe: class_weights is {self.class_weights!r}, {suggestion(str(self.class_weights), get_args(ClassWeights))}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON-able values."""
        return asdict(self)

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
