from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fusearch.data.manifest.faults import fault_lines, read_document
from fusearch.errors import ManifestError


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Car(Part):
    kind: Literal["car"]
    wheels: int = Field(ge=3)


class Boat(Part):
    kind: Literal["boat"]
    sails: list[str] = []


class Yard(Part):
    name: str
    fleet: dict[str, Annotated[Car | Boat, Field(discriminator="kind")]] = {}
    best: Annotated[Car | Boat, Field(discriminator="kind")] | None = None


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({"nam": "x"}, ["y: nam: unknown key, did you mean 'name'?"]),
        ({}, ["y: name: missing key, expected in every yard"]),
        (
            {"name": "x", "fleet": {"a": {"kind": "car", "wheels": 4, "best": 4}}},
            ["y: fleet.a.best: unknown key here, it belongs at the top of the file"],
        ),
        ({"name": "x", "fleet": {"a": {"kind": "car", "wheles": 4}}}, ["y: fleet.a.wheles: unknown key, did you mean 'wheels'?"]),
        ({"name": "x", "fleet": {"a": {"kind": "car", "wheels": 2}}}, ["y: fleet.a.wheels: 2, expected greater than or equal to 3"]),
        ({"name": "x", "fleet": {"a": {"kind": "bot"}}}, ["y: fleet.a.kind: unknown kind 'bot', did you mean 'boat'?"]),
        ({"name": "x", "fleet": {"a": {}}}, ["y: fleet.a.kind: missing key, expected one of: car, boat"]),
        ({"name": "x", "best": {"kind": "boat", "sails": "one"}}, ["y: best.sails: 'one', expected a valid list"]),
        ({"name": "x", "best": {"kind": "boat", "wheels": 3}}, ["y: best.wheels: unknown key, expected one of: kind, sails"]),
        ({"name": "x", "best": 3}, ["y: best: 3, expected a mapping"]),
        (3, ["y: 3, expected a mapping"]),
        ({"name": "x" * 80, "best": "z" * 80}, [f"y: best: '{'z' * 56}..., expected a mapping"]),
        (
            {"name": 1, "colour": 2, "fleet": []},
            [
                "y: colour: unknown key, expected one of: name, fleet, best",
                "y: name: 1, expected a valid string",
                "y: fleet: [], expected a mapping",
            ],
        ),
    ],
)
def test_each_fault_is_one_line_with_the_path_as_the_user_wrote_it(document: object, lines: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Yard.model_validate(document)
    assert fault_lines(caught.value, Yard, "y") == lines


def test_the_document_of_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("1: {2: [{3: x}]}", encoding="utf-8")
    assert read_document(tmp_path / "m.yaml") == {"1": {"2": [{"3": "x"}]}}


@pytest.mark.parametrize("content", ["a: [", "- a", "a: 1\na: 2"])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "m.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"^m.yaml: .*$"):
        read_document(tmp_path / "m.yaml")
