from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fusearch.data.drafting.drafted import Drafts
from fusearch.data.drafting.first_manifest import draft_manifest
from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.drafting.joined import Joined

IDS = [f"p{row}" for row in range(30)]


def drafts(folder: Path) -> Drafts:
    return Drafts(folder, Holdings(folder), Joined("id", IDS), ["y"], {name: ["yes" if row % 2 else "no"] for row, name in enumerate(IDS)})


def test_many_columns_are_told_by_patterns(tmp_path: Path) -> None:
    columns = {f"gene_{number}": np.arange(30) / 3 for number in range(20)} | {
        "snp_1": [1.5] * 30,
        "snp_2": [f"t{row}" for row in range(30)],
    }
    made = drafts(tmp_path)
    made.add_table(FoundTable(tmp_path / "omics.csv", None, pd.DataFrame({"id": IDS, **columns})), is_labels=False)
    assert made.modalities == {"omics": {"kind": "tabular", "file": "omics.csv", "columns": ["gene_*", "snp_1"]}}


def test_names_are_free_and_legal(tmp_path: Path) -> None:
    made = drafts(tmp_path)
    for name in ("CT scan", "ct-scan", "1st", "ü"):
        made.add_kind(name, "tabular", {})
    assert list(made.modalities) == ["ct_scan", "ct_scan_2", "tabular_1st", "tabular"]


def test_a_table_of_several_rows_without_a_time_is_left_out(tmp_path: Path) -> None:
    made = drafts(tmp_path)
    frame = pd.DataFrame({"id": IDS + IDS, "a": np.arange(60)[::-1], "b": 1.0})
    made.add_table(FoundTable(tmp_path / "visits.csv", None, frame), is_labels=False)
    assert made.modalities == {}
    assert made.notes == ["visits.csv: several rows a sample, and no column that rises within each; expected one row, or a time"]


def test_what_a_table_names_is_not_named_again_and_fasta_says_its_alphabet(tmp_path: Path) -> None:
    made = drafts(tmp_path)
    for place in ("pics", "notes"):
        (tmp_path / place).mkdir()
        for row, name in enumerate(IDS):
            (tmp_path / place / f"{'n' + str(row) if place == 'pics' else name}.txt").write_text("a text")
    (tmp_path / "x.fasta").write_text("".join(f">{name}\nACGTTGCA\n" for name in IDS))
    made.found.singles += sorted(tmp_path.rglob("*.txt"))
    made.found.records.append((tmp_path / "x.fasta", "fasta"))
    frame = pd.DataFrame({"id": IDS, "y": ["yes", "no"] * 15, "path": [f"n{row}.txt" for row in range(30)]})
    made.add_table(FoundTable(tmp_path / "labels.csv", None, frame), is_labels=True)
    made.add_file_groups("files.csv")
    made.add_records()
    assert made.modalities == {
        "path": {"kind": "text", "file": "labels.csv", "column": "path", "root": "pics"},
        "notes": {"kind": "text", "file": "files.csv", "column": "notes", "root": "."},
        "x": {"kind": "sequence", "file": "x.fasta", "alphabet": "dna"},
    }
    assert (list(made.index), made.notes) == (["notes"], [])


def test_arrays_of_other_rows_are_told(tmp_path: Path) -> None:
    made = drafts(tmp_path)
    np.savez(tmp_path / "a.npz", x=np.zeros((30, 4)), other=np.zeros((7, 4)), entry=np.zeros(30))
    np.savez(tmp_path / "b.npz", ct=np.zeros((5, 2, 3, 4)), id=np.array(IDS[:5]))
    made.found.arrays += [tmp_path / "a.npz", tmp_path / "b.npz"]
    made.add_arrays(30)
    assert made.modalities == {
        "x": {"kind": "tabular", "file": "a.npz", "key": "x"},
        "ct": {"kind": "image2d", "file": "b.npz", "key": "ct"},
    }
    assert made.notes == ["a.npz: other: 7 rows, and the labels have 30"]
    assert ("It holds no ids: its rows must be in the order of the labels." in made.comments["x"], len(made.comments["ct"])) == (True, 1)


def test_arrays_that_may_be_another_kind_are_told(tmp_path: Path) -> None:
    """Nothing in (T, H, W) says that the first axis is time."""
    (tmp_path / "us").mkdir()
    ids = [f"p{row:02d}" for row in range(12)]
    pd.DataFrame({"id": ids, "sick": [0, 1] * 6}).to_csv(tmp_path / "labels.csv", index=False)
    for name in ids:
        np.save(tmp_path / "us" / f"{name}.npy", np.zeros((6, 4, 4)))
    np.save(tmp_path / "all.npy", np.zeros((12, 8, 16, 16)))
    np.save(tmp_path / "deep.npy", np.zeros((12, 1, 8, 4, 4)))
    text = draft_manifest(tmp_path, targets=["sick"]).path.read_text(encoding="utf-8")
    for line in (
        "# Arrays, taken for D, H, W; as T, H, W they would be `kind: video`.",
        "# Could also be `kind: video`.",
    ):
        assert line in text
    words = " ".join(line.strip().removeprefix("# ") for line in text.splitlines())
    assert "8 channels; slices or frames of one would be an array of (12, 1, 8, 16, 16) and `kind: video` or `kind: volume3d`." in words
