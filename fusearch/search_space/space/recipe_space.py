"""The recipes that a search tries: a range or a list of choices for each number of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fusearch.errors import DesignError, SpaceError, suggestion
from fusearch.search_space.design.recipe import Recipe
from fusearch.search_space.space.choosers import Chooser

__all__ = ["RecipeSpace"]

_CHOICES = ("dropout", "width", "class_weights", "modality_dropout", "loss_weight", "sampling", "focal", "augmentation")

#: Those that came later: a space that does not ask for them is written, and named, as it was before there were any (decision 0097).
_LATER = ("sampling", "focal", "augmentation")

#: Those that do something for tasks with classes alone.
_OF_CLASSES = ("class_weights", "sampling", "focal")


@dataclass(frozen=True, kw_only=True)
class RecipeSpace:
    """Ranges of a recipe. The defaults are few and wide, since every number multiplies the space and small data cannot tell more apart.

    Attributes:
        learning_rate: Smallest and largest; drawn on a logarithmic scale.
        weight_decay: Smallest and largest; drawn on a logarithmic scale.
        dropout: Choices.
        width: Choices.
        class_weights: Choices; asked only where the task has classes.
        modality_dropout: Choices; asked only where a design fuses.
        loss_weight: Choices; asked only where an operator adds a loss.
        sampling: Choices; asked only where the task has classes and these have no weights.
        focal: Choices of gamma; asked only where the task has classes.
        augmentation: Choices; asked only where a modality of the design can be changed: no table, no graph.
    """

    learning_rate: tuple[float, float] = (3e-4, 1e-2)
    weight_decay: tuple[float, float] = (1e-4, 1e-1)
    dropout: tuple[float, ...] = (0.1, 0.3, 0.5)
    width: tuple[int, ...] = (16, 32, 64)
    class_weights: tuple[str, ...] = ("none", "balanced")
    modality_dropout: tuple[float, ...] = (0.0,)
    loss_weight: tuple[float, ...] = (0.01, 0.1, 1.0)
    sampling: tuple[str, ...] = ("none",)
    focal: tuple[float, ...] = (0.0,)
    augmentation: tuple[str, ...] = ("none",)

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            numbers = [number for number in _listed(name, value) if isinstance(number, int | float) and not isinstance(number, bool)]
            if len(numbers) != 2 or len(value) != 2 or not 0 < numbers[0] <= numbers[1]:
                raise SpaceError(f"recipe: {name} is {value!r}, expected (smallest, largest), both above 0")
            object.__setattr__(self, name, tuple(map(float, numbers)))
        for name in _CHOICES:
            value = _listed(name, getattr(self, name))
            if not value or len(set(value)) != len(value):
                raise SpaceError(f"recipe: {name} is {getattr(self, name)!r}, expected one or more different choices")
            object.__setattr__(self, name, value)
            for choice in value:
                try:
                    Recipe.from_dict({name: choice})
                except DesignError as error:
                    raise SpaceError(str(error)) from None
        try:
            for rate in self.learning_rate:
                Recipe(learning_rate=rate)
            for decay in self.weight_decay:
                Recipe(weight_decay=decay)
        except DesignError as error:
            raise SpaceError(str(error)) from None

    def suggest(
        self, choose: Chooser, *, fused: bool = True, adds_loss: bool = True, balances: bool = True, augments: bool = True
    ) -> Recipe:
        """Draw a recipe.

        Args:
            choose: Who decides.
            fused: Whether the design fuses; else no modality is dropped.
            adds_loss: Whether an operator of the design adds a loss.
            balances: Whether the task has classes that may be balanced.
            augments: Whether samples of a modality of the design may be changed.
        """
        idle = {
            "modality_dropout": not fused,
            "loss_weight": not adds_loss,
            "augmentation": not augments,
            **dict.fromkeys(_OF_CLASSES, not balances),
        }
        numbers: dict[str, Any] = {name: choose.real(f"recipe.{name}", *getattr(self, name)) for name in ("learning_rate", "weight_decay")}
        for name in _CHOICES:
            twice = name == "sampling" and numbers.get("class_weights") == "balanced"
            if not idle.get(name) and not twice:
                numbers[name] = choose.pick(f"recipe.{name}", getattr(self, name))
        return Recipe(**numbers)

    def answers(self, recipe: Recipe) -> dict[str, Any]:
        """Return the decisions that lead to `recipe`."""
        return {f"recipe.{name}": value for name, value in asdict(recipe).items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the ranges as JSON-able values; what came later only where it is asked for."""
        unused = {entry.name for entry in fields(self) if entry.name in _LATER and getattr(self, entry.name) == entry.default}
        return {name: list(value) for name, value in asdict(self).items() if name not in unused}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> RecipeSpace:
        """Read what `to_dict` wrote; ranges left out take their defaults.

        Raises:
            SpaceError: A key is unknown or a range is not legal.
        """
        if not isinstance(record, Mapping):
            raise SpaceError(f"recipe is {record!r}, expected ranges by name, such as dropout: [0.1, 0.3]")
        names = [entry.name for entry in fields(cls)]
        for name in record:
            if name not in names:
                raise SpaceError(f"recipe: unknown key {name!r}, {suggestion(name, names)}")
        return cls(**record)


def _listed(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise SpaceError(f"recipe: {name} is {value!r}, expected a list such as [{', '.join(map(str, getattr(RecipeSpace, name)))}]")
    return tuple(value)
