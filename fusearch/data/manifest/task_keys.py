"""Keys of what is predicted, as the entries of tasks declare them."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from fusearch.data.readers.reader import refuse_sheet
from fusearch.tasks import TASKS, Task

__all__ = ["ManifestPart", "PartKeys", "TaskKeys", "part_model", "task_model"]


class ManifestPart(BaseModel):
    """A mapping of a manifest: unknown keys are refused, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class TaskKeys(ManifestPart):
    """What is predicted; `task_model` adds the keys of a task to these."""

    file: str = Field(
        description="The labels file, whose order is the data set's: a table with a row a sample, or NPZ with an array a column."
    )
    sheet: str | None = Field(default=None, description="Sheet of an Excel workbook; left out, the only one that holds something.")
    kind: str

    @model_validator(mode="after")
    def _of_a_workbook(self) -> TaskKeys:
        refuse_sheet(self.file, self.sheet)
        return self

    @property
    def label_columns(self) -> dict[str, str]:
        """Key of the task -> the column of the labels file that it names; of a list of columns, each under its own name."""
        entry = TASKS[self.kind]
        named = {key: getattr(self, key) for key in entry.columns}
        return {column: column for columns in named.values() for column in columns} if entry.several else named

    def written(self, key: str) -> str:
        """Return the key of the manifest that names what stands under a key of `label_columns`, for messages."""
        entry = TASKS[self.kind]
        return next(iter(entry.columns)) if entry.several else key

    @property
    def class_names(self) -> list[str] | None:
        """Class names in the order of their codes, or what else outputs are told apart by, where they are given."""
        key = TASKS[self.kind].labels_key
        return getattr(self, "labels" if key is None else key[0], None)


@cache
def task_model(entry: type[Task]) -> type[TaskKeys]:
    """Return the keys of a task, as its entry declares them."""
    column: tuple[Any, dict[str, Any]] = (list[str], {"min_length": 1}) if entry.several else (str, {})
    fields: dict[str, Any] = {key: (column[0], Field(description=holds, **column[1])) for key, holds in entry.columns.items()}
    fields["kind"] = (Literal[entry.kind], ...)
    if entry.named_classes:
        what = "Class names in the order of their codes, so that of two the second is the positive one. Left out: sorted."
        fields["labels"] = (list[str] | None, Field(default=None, description=what, min_length=2))
    elif entry.labels_key is not None:
        key, what = entry.labels_key
        fields[key] = (list[str] | None, Field(default=None, description=what, min_length=1))
    if entry.dense:
        fields["root"] = (str, Field(default=".", description="Folder that the paths of the masks start from, relative to the manifest."))
        on = "Image or volume whose grid the masks have, and whose `size` and `spacing` they are brought to. Left out: the first."
        fields["of"] = (str | None, Field(default=None, description=on))
    about = (entry.__doc__ or "").strip().split("\n\n")[0]

    def once(columns: list[str]) -> list[str]:
        for column in columns:
            if columns.count(column) > 1:
                raise ValueError(f"{column!r} stands twice, expected each column once")
        return columns

    def listed(columns: Any) -> Any:
        if isinstance(columns, str):
            raise ValueError(f"expected a list of columns, such as [{columns}]")
        return columns

    checks: dict[str, Any] = {}
    if entry.several:
        checks = {"once": field_validator(*entry.columns)(once), "listed": field_validator(*entry.columns, mode="before")(listed)}
    return create_model(entry.kind.capitalize(), __base__=TaskKeys, __doc__=about, __validators__=checks, **fields)


class PartKeys(TaskKeys):
    """One of several tasks: the keys of a task of its kind, and these. All tasks name the same file."""

    weight: float = Field(default=1.0, description="What the loss of the task is multiplied by before the losses are summed.", gt=0)
    balanced: bool | None = Field(
        default=None, description="Whether rare classes weigh as much as frequent ones in its loss. Left out: as the recipe says."
    )


@cache
def part_model(entry: type[Task]) -> type[TaskKeys]:
    """Return the keys of a task that is one of several."""
    model = task_model(entry)
    return create_model(model.__name__, __base__=(model, PartKeys), __doc__=model.__doc__)
