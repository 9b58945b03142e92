from __future__ import annotations

import pytest

from fusearch.errors import FormulaError
from fusearch.search_space.notation import parse_document


def test_every_kind_of_line() -> None:
    document = parse_document(
        "cxr = image:resnet | labs:mlp(layers=3) | ehr\nafter = m2:mlp(tie=before)\ntrain = staged\n"
        "F1 = cat(cxr.1@3, labs^y2+1; align=true, trunk=continue(cxr)) -> grade; labs@score -> aux"
    )
    assert [(item.name, item.modality, item.encoder, item.tie) for item in document.streams] == [
        ("cxr", "image", "resnet", None),
        ("labs", "labs", "mlp", None),
        ("ehr", None, None, None),
        ("after", "m2", "mlp", "before"),
    ]
    assert document.training == "staged"
    (fusion,) = document.fusions
    assert [(arg.source, arg.port, arg.depth) for arg in fusion.args] == [("cxr", "1", 3), ("labs", None, "y2+1")]
    assert fusion.params == {"align": True}
    assert fusion.trunk is not None
    assert fusion.trunk.stream == "cxr"
    assert [(output.tap.source, output.tap.depth, output.task) for output in document.outputs] == [
        ("F1", None, "grade"),
        ("labs", "score", "aux"),
    ]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("F1 = cat(a@1 b@1) ->", "expected ',', ';' or ')', found 'b'", "b@1"),
        ("F1 = cat(a@1, b@1", "expected ',', ';' or ')', found the end of the line", ""),
        ("F1 = cat(a, b@1) ->", "expected '@' and a depth after 'a', as in 'a@L'", ", b@1"),
        ("F1 = cat(a@-1, b@1) ->", "expected a depth", "-1"),
        ("F1 = cat(a@1.5, b@1) ->", "expected a depth", "1.5"),
        ("F1 = cat(a.@1, b@1) ->", "expected a port", "@1, b"),
        ("F1 = cat(a@1, b@1) -> main extra", "expected the end of the line, found 'extra'", "extra"),
        ("F1 = 3(a@1, b@1) ->", "expected an operator, found '3'", "3("),
        ("F1 cat(a@1, b@1) ->", "expected '->', found 'cat'", "cat("),
        ("a:mlp | ", "expected the name of a stream, found the end of the line", ""),
        ("a:", "expected the name of an encoder", ""),
        ("train = 3", "expected a training mode, found '3'", "3"),
        ("->", "expected a fusion such as", "->"),
        ("   ", "empty formula", ""),
    ],
)
def test_mistakes_are_shown(text: str, message: str, place: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_document(text)
    assert message in str(caught.value)
    assert caught.value.column is not None
    assert caught.value.text[caught.value.column :].startswith(place)


def test_the_caret_stands_under_the_mistake() -> None:
    with pytest.raises(FormulaError) as caught:
        parse_document("a:mlp | b:mlp; F1 = cat(a@1 b@1) ->")
    _message, line, caret = str(caught.value).splitlines()
    assert line[caret.index("^")] == "b"
    assert line.strip() == "a:mlp | b:mlp; F1 = cat(a@1 b@1) ->"
