"""The data manifest: one YAML file that says what the data are. These models are its only definition.

The reference page `docs/manifest.md` is generated from them by `python -m fusearch.data.manifest.manifest_page`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from pydantic import Field, PrivateAttr, ValidationError, create_model, field_validator, model_validator

from fusearch.data.files.frames import TextFormat
from fusearch.data.files.text import as_text
from fusearch.data.kinds import KINDS, Kind
from fusearch.data.manifest.faults import fault_lines, read_document
from fusearch.data.manifest.task_keys import ManifestPart, PartKeys, TaskKeys, part_model, task_model
from fusearch.data.modality import Modality
from fusearch.data.readers import FileKeys, find_reader, readers_of
from fusearch.data.splits import DEFAULT_FRACTIONS
from fusearch.errors import DataError, ManifestError, nearest, suggestion
from fusearch.tasks import TASKS, Task
from fusearch.tasks.several import check_task_name

__all__ = [
    "EncoderKeys",
    "Manifest",
    "Splits",
    "kind_model",
    "load_manifest",
    "manifest_faults",
    "manifest_model",
]


@cache
def kind_model(kind: Kind) -> type[FileKeys]:
    """Return the keys of a modality of a kind, as the readers of its formats declare them."""
    readers = readers_of(kind)
    keys = list(dict.fromkeys(reader.keys for reader in readers))
    bases = tuple(one for one in reversed(keys) if not any(other is not one and issubclass(other, one) for other in keys))
    holds = [f"{reader.holds.format(axes=kind.long_legend)} ({', '.join(reader.suffixes)})" for reader in readers]
    about = "; or ".join(holds)
    fields: dict[str, Any] = {
        "kind": (Literal[kind.name], ...),
        "file": (str, Field(description=f"{about[0].upper()}{about[1:]}.")),
    }

    def known_suffix(file: str) -> str:
        find_reader(kind, file)
        return file

    def keys_of_its_format(found: FileKeys) -> FileKeys:
        reader = find_reader(kind, found.file)
        for key in found.model_fields_set - set(reader.keys.model_fields):
            raise ValueError(f"{key!r} does not go with {found.file!r}, expected keys of it among: {', '.join(reader.keys.model_fields)}")
        return found

    checks: dict[str, Any] = {
        "known_suffix": field_validator("file")(known_suffix),
        "keys_of_its_format": model_validator(mode="after")(keys_of_its_format),
    }
    return create_model(kind.name.capitalize(), __base__=bases, __doc__=kind.about, __validators__=checks, **fields)


class Splits(ManifestPart):
    """Who is trained on, validated on and tested on: one of `column`, `fractions`, `folds`; `test` alone or beside one of the last two."""

    column: str | None = Field(default=None, description="Column of the labels file that says `train`, `val` or `test`.")
    fractions: list[float] | None = Field(
        default=None, description="Shares of train, val and test; they sum to 1. Two shares leave out test.", min_length=2, max_length=3
    )
    folds: int | Literal["groups"] | None = Field(
        default=None,
        description="Number of folds of a cross-validation inside all rows, without a test split; `groups`: each `group` (a centre, say) "
        "is left out once.",
    )
    test: str | None = Field(
        default=None,
        description="Manifest of another cohort with the same task and modalities: it is the test split, and no row of this one is.",
    )
    seed: int = Field(default=0, description="Seed of the shuffle.", ge=0)
    group: str | None = Field(
        default=None, description="Column of the labels file; rows of one group, and rows with identical content, never stand on two sides."
    )

    @field_validator("folds", mode="before")
    @classmethod
    def _number_or_groups(cls, folds: Any) -> Any:
        if folds in (None, "groups") or (isinstance(folds, int) and folds >= 2):
            return folds
        raise ValueError(f"{folds!r}, expected 2 or more, or 'groups'")

    @field_validator("test", mode="before")
    @classmethod
    def _no_share(cls, test: Any) -> Any:
        if isinstance(test, int | float):
            raise ValueError(f"{test}, expected the manifest of another cohort; shares of these rows are `fractions: [0.7, 0.15, 0.15]`")
        return test

    @model_validator(mode="after")
    def _one_way(self) -> Splits:
        if self.folds == "groups" and self.group is None:
            raise ValueError("folds by 'groups' need the key 'group', the column of the groups that are left out one by one")
        given = [name for name in ("column", "fractions", "folds") if getattr(self, name) is not None]
        if len(given) > 1 or (self.test is not None and "column" in given):
            both = " and ".join(given if len(given) > 1 else [*given, "test"])
            raise ValueError(f"{both} exclude each other, expected one of: column, fractions, folds")
        if self.fractions is not None:
            if min(self.fractions) < 0 or self.fractions[0] <= 0 or self.fractions[1] <= 0 or abs(sum(self.fractions) - 1) > 1e-6:
                low = "" if min(self.fractions) > 0 else f" and the least is {min(self.fractions):g}"
                raise ValueError(f"fractions {self.fractions} sum to {sum(self.fractions):g}{low}, expected shares above 0 that sum to 1")
            if self.test is not None and len(self.fractions) == 3:
                raise ValueError(f"fractions {self.fractions} have a share for test, which is {self.test!r} already; expected two shares")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """Fractions as given, or the default; without a share for test where another cohort is the test split."""
        if self.fractions is not None:
            return tuple(self.fractions)
        return (0.8, 0.2) if self.test is not None else DEFAULT_FRACTIONS


class EncoderKeys(ManifestPart):
    """An encoder that a search space offers for a modality where it is told none, and what its streams start from."""

    encoder: str = Field(description="Its name, with parameters that are fixed where there are any: `resnet`, `resnet(size=tiny)`.")
    weights: str | None = Field(
        default=None,
        description="File whose weights its streams start from: safetensors, or a state dict of torch. Its content is part of the data.",
    )
    freeze: int | list[str] = Field(
        default=0, description="How many of its first stages stay as they are in the file, or the names of those that do."
    )

    @model_validator(mode="after")
    def _of_weights(self) -> EncoderKeys:
        if self.freeze and self.weights is None:
            raise ValueError("'freeze' needs the key 'weights', the file that frozen stages are read from")
        return self


class Manifest(ManifestPart):
    """What the data are. Paths are relative to the manifest."""

    name: str = Field(default="", description="Name of the data set. Left out: the name of the manifest's file.")
    id: str | None = Field(
        default=None,
        description="Column that joins all files; rows need not be in the same order, and a sample without a row in a modality's file "
        "lacks that modality. Left out: rows are joined by position.",
    )
    missing: list[str | float] = Field(
        default=[], description='Texts and numbers that stand for a missing value in every table, beside the empty cell (`["?", -999]`).'
    )
    decimal: Literal[".", ","] | None = Field(
        default=None,
        description="What stands before the decimals in text tables that leave it open, as `1,234` does, and `1.234` beside `512`, and "
        "numbers with a comma beside others with a point; left out, `.`: a file with a decimal comma beyond doubt is read as it is in any "
        "case.",
    )
    task: TaskKeys | None
    tasks: dict[str, PartKeys] | None
    modalities: dict[str, FileKeys]
    encoders: dict[str, list[EncoderKeys]] = Field(
        default={}, description="Name of a modality -> encoders that a search space offers for it, in place of that of its kind."
    )
    splits: Splits = Field(default=Splits(), description="How the rows are divided. Left out: fractions 0.7, 0.15, 0.15 with seed 0.")

    _path: Path = PrivateAttr(Path())

    @field_validator("modalities")
    @classmethod
    def _legal_names(cls, modalities: dict[str, FileKeys]) -> dict[str, FileKeys]:
        for name, modality in modalities.items():
            try:
                Modality(name, modality.kind)
            except DataError as error:
                raise ValueError(str(error)) from None
        return modalities

    @model_validator(mode="after")
    def _encoders_of_modalities(self) -> Manifest:
        for name in self.encoders:
            if name not in self.modalities:
                raise ValueError(f"encoders: unknown modality {name!r}, {suggestion(name, self.modalities)}")
        return self

    @model_validator(mode="after")
    def _one_task_or_several(self) -> Manifest:
        if self.task is not None and self.tasks is not None:
            raise ValueError("task and tasks exclude each other, expected one of them")
        if self.task is None and self.tasks is None:
            raise ValueError("no task, expected the key task, or tasks for several")
        if self.tasks is not None and len(self.tasks) < 2:
            raise ValueError("tasks holds one task, expected two or more; one alone is the key task")
        for name in self.tasks or ():
            try:
                check_task_name(name)
            except DataError as error:
                raise ValueError(f"tasks: {error}") from None
        files = list(dict.fromkeys(keys.file for keys in self.all_tasks.values()))
        sheets = list(dict.fromkeys(getattr(keys, "sheet", None) for keys in self.all_tasks.values()))
        if len(files) > 1:
            raise ValueError(f"tasks: labels in {files[0]!r} and {files[1]!r}, expected one file for all tasks")
        if len(sheets) > 1:
            raise ValueError(f"tasks: labels in sheets {sheets[0]!r} and {sheets[1]!r}, expected one sheet for all tasks")
        return self

    @property
    def all_tasks(self) -> dict[str, TaskKeys]:
        """Place in the manifest -> task: one under `task`, or those of `tasks`."""
        if self.tasks is not None:
            return {f"tasks.{name}": keys for name, keys in self.tasks.items()}
        return {} if self.task is None else {"task": self.task}

    @property
    def label_file(self) -> tuple[str, str]:
        """The labels file, and where the manifest names it."""
        place, keys = next(iter(self.all_tasks.items()))
        return keys.file, f"{place}.file"

    @property
    def label_form(self) -> TextFormat:
        """How the labels file is written, and which sheet of a workbook it is."""
        return self.form_of(next(iter(self.all_tasks.values())))

    @property
    def label_columns(self) -> list[str]:
        """The columns of the labels file that are targets."""
        return list(dict.fromkeys(column for keys in self.all_tasks.values() for column in keys.label_columns.values()))

    @property
    def path(self) -> Path:
        """Where the manifest was read."""
        return self._path

    @property
    def text_format(self) -> TextFormat:
        """How its text files are written."""
        texts = (text for value in self.missing for text in as_text([value]))
        return TextFormat(frozenset(text for text in texts if text is not None), self.decimal, self.id is None)

    def form_of(self, keys: TaskKeys | FileKeys) -> TextFormat:
        """How the table that a task or a modality names is written, and which sheet of a workbook it is."""
        return replace(self.text_format, sheet=getattr(keys, "sheet", None))

    def resolve(self, file: str, key: str) -> Path:
        """Return the path of a file that the manifest names under `key`.

        Raises:
            ManifestError: There is no such file.
        """
        path = self._path.parent / file
        if path.is_file():
            return path
        place = f"{self._path.name}: {key}"
        if path.is_dir():
            raise ManifestError(f"{place}: {file!r} is a folder, expected a file")
        if "\\" in file:
            raise ManifestError(f"{place}: no file {file!r}, expected '/' between folders: {file.replace(chr(92), '/')!r}")
        folder = path.parent
        # By the part before the suffix, since every `.csv` looks like every other; of equals, the one with the same suffix.
        files = [entry for entry in folder.iterdir() if entry.exists()] if folder.is_dir() else []
        entries = sorted(files, key=lambda entry: (entry.suffix == path.suffix, entry))
        names = {entry.name.split(".")[0].lower(): entry.name for entry in entries}
        match = nearest(path.name.split(".")[0], names)
        hint = f"did you mean {names[match]!r}?" if match else f"expected a file in {str(folder)!r}"
        raise ManifestError(f"{place}: no file {file!r}, {hint}")


def manifest_model() -> type[Manifest]:
    """Return the model with the keys of every registered task and of every kind that can be read, a plug-in's among them."""
    return _with_entries(tuple(TASKS.values()), tuple(kind for kind in KINDS.values() if kind.loadable))


@cache
def _with_entries(tasks: tuple[type[Task], ...], kinds: tuple[Kind, ...]) -> type[Manifest]:
    task: Any = Union[tuple(task_model(entry) for entry in tasks)]  # noqa: UP007  # of a tuple that is known at run time
    part: Any = Union[tuple(part_model(entry) for entry in tasks)]  # noqa: UP007  # the same
    modality: Any = Union[tuple(kind_model(kind) for kind in kinds)]  # noqa: UP007  # the same
    fields: dict[str, Any] = {
        "task": (task | None, Field(default=None, discriminator="kind", description="What is predicted.")),
        "tasks": (
            dict[str, Annotated[part, Field(discriminator="kind")]] | None,
            Field(default=None, description="Name -> task, where several are predicted at once; instead of `task`."),
        ),
        "modalities": (
            dict[str, Annotated[modality, Field(discriminator="kind")]],
            Field(description="Name -> modality. A name is letters, digits and `_`.", min_length=1),
        ),
    }
    return create_model("Manifest", __base__=Manifest, __doc__=Manifest.__doc__, **fields)


def load_manifest(path: str | Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: The file is missing, is no YAML, or has an unknown, missing or wrong key.
    """
    faults, manifest = _read(Path(path))
    if manifest is None:
        more = f" (and {len(faults) - 1} more: see `fusearch check {path}`)" if len(faults) > 1 else ""
        raise ManifestError(faults[0] + more)
    return manifest


def manifest_faults(path: str | Path) -> list[str]:
    """Return everything that is wrong with a manifest, one line each; the files that it names are not opened."""
    try:
        return _read(Path(path))[0]
    except ManifestError as error:
        return [str(error)]


def _read(path: Path) -> tuple[list[str], Manifest | None]:
    document, model = read_document(path), manifest_model()
    try:
        manifest = model.model_validate(document)
    except ValidationError as error:
        return fault_lines(error, model, path.name), None
    if not manifest.name:
        manifest = manifest.model_copy(update={"name": path.stem})
    manifest._path = path
    return [], manifest
