"""A published study by the word that names it."""

from __future__ import annotations

import re

from fusearch.errors import UnknownNameError, suggestion
from fusearch.search_space.published.catalogue import PUBLISHED, PublishedStudy

__all__ = ["find_study"]

#: What a key or a number looks like; no formula does.
_NAME = re.compile(r"[A-Za-z0-9][\w-]*")
#: What the digest of a design, or its beginning, looks like.
_DIGEST = re.compile(r"(?=.*\d)[0-9a-f]{5,}")


def find_study(text: str) -> PublishedStudy | None:
    """Return the study that a word names by its number or its key; None where the text is a formula.

    Raises:
        UnknownNameError: It is a word, but names no study.
    """
    word = text.strip()
    if not _NAME.fullmatch(word):
        return None
    if word.isdigit():
        return PUBLISHED[int(word)]
    if word not in PUBLISHED:
        hint = suggestion(word, [study.key for study in PUBLISHED.values()])
        nearest = hint if hint.startswith("did you mean") else "`fusearch list designs` lists them"
        if _DIGEST.fullmatch(word):
            nearest = "a digest names a design of a run, and `fusearch status RUN` tells the formula of each on its front"
        raise UnknownNameError(f"{word!r} is no formula, and no published study: {nearest}")
    return PUBLISHED[word]
