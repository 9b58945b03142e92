from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from fusearch.reports.page.markup import Cell, embed, formula, pills, prose, table, values

EVIL = '</script><script>alert("x")</script>&'


def test_everything_is_escaped() -> None:
    made = [
        Cell(EVIL, note=EVIL).html(),
        Cell(EVIL, kind="code").html(),
        formula(f"{EVIL}\n{EVIL}"),
        pills([(EVIL, EVIL)]),
        values([(EVIL, EVIL, EVIL)]),
        table([(EVIL, False)], [[Cell(EVIL)]], identifier="table"),
    ]
    assert all("<script" not in text and "</script" not in text for text in made)


@given(st.recursive(st.none() | st.text() | st.integers() | st.floats(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)))
def test_embedded_facts_cannot_end_the_element_and_read_back(facts: object) -> None:
    text = embed(facts)
    assert "<" not in text

    def finite(value: object) -> object:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, list):
            return [finite(each) for each in value]
        return {key: finite(each) for key, each in value.items()} if isinstance(value, dict) else value

    assert json.loads(text) == finite(facts)


def test_cells_are_sorted_by_their_values() -> None:
    assert Cell("1.20 k", 1200.0, kind="number").html() == '<td class="n" data-value="1200">1.20 k</td>'
    assert Cell("", kind="number").html() == '<td class="n" data-value=""></td>'


def test_only_a_table_with_an_id_has_buttons_to_sort_by() -> None:
    assert "<button" in table([("AUROC", True)], [], identifier="table")
    assert "<button" not in table([("AUROC", True)], [])


def test_on_a_narrow_screen_each_value_has_its_name_without_a_word_in_the_rows() -> None:
    html = table([("AUROC", True), ('a"</style>', False)], [[Cell("1"), Cell("x")]] * 50, identifier="table")
    assert html.startswith('<style>@media (max-width:640px){#table td:nth-child(1)::before{content:"AUROC"}')
    assert html.count("AUROC") == 2
    assert "a\\000022 \\00003c \\00002f style\\00003e " in html


def test_prose_has_code_in_backticks_and_words_with_their_meaning() -> None:
    html = prose("`a MACs<b` costs MACs")
    assert html.startswith('<code>a MACs&lt;b</code> costs <abbr title="')
    assert html.endswith('">MACs</abbr>')
