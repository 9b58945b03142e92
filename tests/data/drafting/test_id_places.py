from __future__ import annotations

import pytest

from fusearch.data.drafting.id_places import find_ids, runs_in

PATIENTS = frozenset(str(row) for row in range(1, 41))


def test_the_longest_id_between_marks_is_taken_and_every_place_of_it_becomes_a_star() -> None:
    found = find_ids(["cxr/p-1", "sub-p-1/anat/sub-p-1_T1w", "xp-1"], frozenset(["p", "p-1"]))
    assert found.named == {"cxr/p-1": ("p-1", "cxr/*"), "sub-p-1/anat/sub-p-1_T1w": ("p-1", "sub-*/anat/sub-*_T1w")}
    assert (found.unnamed, found.unclear) == (["xp-1"], {})


@pytest.mark.parametrize(
    ("form", "star"),
    [
        ("xr/{id}_{view}", "xr/*_2"),
        ("xr/{view}_{id}", "xr/2_*"),
        ("{id}/{view}", "*/2"),
        ("{view}/{id}_ap", "2/*_ap"),
        ("sub-{id}/ses-{view}/sub-{id}_ses-{view}_T1w", "sub-*/ses-2/sub-*_ses-2_T1w"),
    ],
)
def test_what_varies_least_beside_an_id_tells_which_number_is_one(form: str, star: str) -> None:
    paths = {form.format(id=name, view=view): name for name in PATIENTS for view in (1, 2)}
    found = find_ids(paths, PATIENTS)
    assert {path: told[0] for path, told in found.named.items()} == paths
    assert found.named[form.format(id="24", view=2)] == ("24", star)


def test_bids_says_which_number_is_the_subject() -> None:
    assert find_ids(["sub-1_ses-2_T1w"], PATIENTS).named == {"sub-1_ses-2_T1w": ("1", "sub-*_ses-2_T1w")}


def test_a_name_that_fits_two_ids_is_unclear() -> None:
    paths = {f"xr/{row}_{row * 7 % 40 + 1}": [str(row), str(row * 7 % 40 + 1)] for row in range(1, 41)}
    found = find_ids(paths, PATIENTS)
    assert (found.named, found.unclear, found.unnamed) == ({}, paths, [])


def test_one_file_in_the_folder_of_another_sample_is_unclear_alone() -> None:
    paths = [f"{row}/{row}_T1w" for row in range(1, 20)]
    found = find_ids([*paths, "20/21_T1w"], PATIENTS)
    assert (list(found.named), found.unclear) == (paths, {"20/21_T1w": ["20", "21"]})


def test_runs_stand_between_marks() -> None:
    assert sorted(runs_in("a_b/c")) == ["a", "a_b", "b", "c"]
