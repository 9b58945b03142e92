from __future__ import annotations

import base64
import re

import numpy as np

from fusearch.reports.findings.predicted import Predicted, SampleScores
from fusearch.reports.findings.shown_masks import ShownMasks
from fusearch.reports.page.masks_section import mask_cards

SCORES = Predicted(rows=3, scores=(SampleScores("the <best>, trial 1", "dice", (0.8, 0.5, 0.7, 0.85, 0.9)),))


def test_scores_stand_in_a_table_and_masks_in_one_picture() -> None:
    masks = np.zeros((2, 4, 4), np.uint8)
    shown = ShownMasks(("p1", "p<2"), masks, masks, {"trial 1": masks}, ("none", "core", "edema"))
    text = mask_cards(SCORES, shown)
    assert "the &lt;best&gt;, trial 1" in text
    assert "0.85" in text
    assert "p&lt;2" in text
    assert text.count("<span") == 2
    (data,) = re.findall(r"base64,([^\"]+)", text)
    assert base64.b64decode(data).startswith(b"\x89PNG")


def test_without_pictures_there_is_the_table_alone() -> None:
    assert "<img" not in mask_cards(SCORES, None)
