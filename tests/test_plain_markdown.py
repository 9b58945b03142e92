from fusearch.plain_markdown import as_code, as_words


def test_words_stay_words() -> None:
    assert as_words("a_b <i>*c*</i> [x](y) | `z` \\") == r"a\_b \<i\>\*c\*\</i\> \[x\](y) \| \`z\` " + "\\\\"
    assert as_words("one\ntwo") == "one two"


def test_code_stays_code_in_a_table() -> None:
    assert as_code("F1 = cat(a@L)\nF2 | `x`") == r"`F1 = cat(a@L); F2 \| 'x'`"
