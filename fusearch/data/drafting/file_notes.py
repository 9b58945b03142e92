"""What `init` says of files that it leaves out because of their names: a line for each reason, with an example and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from fusearch.data.drafting.id_places import runs_in
from fusearch.data.drafting.named_by_id import FileGroup, NamedFiles, suffix_of
from fusearch.data.files.ids import near_miss
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS

__all__ = ["numbered_files", "rare_names", "several_suffixes", "unclear_names", "unnamed_files", "unread_files"]

#: What names files whatever they are called.
_COLUMN = "a column of their paths in the labels"

#: The number of a file, with the marks beside it.
_NUMBER = re.compile(r"[_\-. ]*#[_\-. ]*")

#: Files whose names are compared with the ids, and patterns that are told one by one.
_LOOKED_AT, _TOLD = 1000, 3


def several_suffixes(files: NamedFiles) -> Iterator[str]:
    """Say where a few samples alone have a file of each of two suffixes, which makes them two modalities."""
    alike: dict[tuple[str, str], list[FileGroup]] = {}
    for group in files.groups:
        alike.setdefault((group.stem, group.reader), []).append(group)
    for one, other in (pair for groups in alike.values() for pair in combinations(groups, 2)):
        both = [name for name in one.files if name in other.files]
        if 0 < len(both) < min(len(one.files), len(other.files)) / 2:
            what = f"{one.pattern} and {other.pattern} became two modalities, as {len(both)} samples (such as {both[0]!r}) have both"
            yield f"{what}; where they are one, leave one file a sample"


def numbered_files(files: NamedFiles) -> Iterator[str]:
    """Say which files are numbered within each sample, and what would make one modality of them."""
    for pattern, paths in files.series.items():
        kind = next(kind.name for kind in KINDS.values() for name in kind.formats if paths[0].name.lower().endswith(READERS[name].inside))
        own = _NUMBER.sub("", pattern.removesuffix(suffix_of(paths[0])))
        what = f"{pattern}: {len(paths)} files that are numbered within each sample were left out (`*` is the id, `#` the number)"
        one = f"where they are slices or frames of one, put those of each sample into a folder of its own ({own}/) for `kind: {kind}`"
        yield f"{what}; {one}, or stack them in one .npy file; where each is a modality, give it a name in letters, or {_COLUMN}"


def unclear_names(files: NamedFiles) -> str | None:
    """Say how many files fit several ids; None where none does."""
    if not files.unclear:
        return None
    path, ids = next(iter(files.unclear.items()))
    example = f"such as {path.name!r}: {' and '.join(map(repr, ids))}"
    return (
        f"{len(files.unclear)} files were left out, since their names fit several ids ({example}); expected names with one id, or {_COLUMN}"
    )


def rare_names(groups: Sequence[FileGroup]) -> str | None:
    """Say which files stand alone, or nearly so, with what their names hold beside the id; None where none does."""
    if not groups:
        return None
    told = ", ".join(group.pattern for group in groups[:_TOLD]) + (f" and {len(groups) - _TOLD} more" if len(groups) > _TOLD else "")
    count = sum(len(group.files) for group in groups)
    what = f"{count} files were left out, since few others are named like them ({told}; `*` is the id)"
    return f"{what}; expected one form of names, or {_COLUMN}"


def unnamed_files(files: NamedFiles, ids: Sequence[str]) -> str | None:
    """Say how many files hold no id, and what would make it one; None where all do."""
    if not files.unnamed:
        return None
    told = f"{len(files.unnamed)} files are not named by an id of the labels (such as {files.unnamed[0].name!r})"
    if not ids:
        return told
    stems = [path.name if path.is_dir() else path.stem for path in files.unnamed[:_LOOKED_AT]]
    hint = near_miss(ids, list(dict.fromkeys(run for stem in stems for run in runs_in(stem))))
    return f"{told}; ids are such as {ids[0]!r}" + (f"; {hint}" if hint else "")


def unread_files(files: NamedFiles) -> str | None:
    """Say how many files hold an id in their names and nothing that a reader takes for a sample; None where none does."""
    if not files.unread:
        return None
    return (
        f"{len(files.unread)} files are named by an id, and no reader takes what they hold for a sample (such as {files.unread[0].name!r})"
    )
