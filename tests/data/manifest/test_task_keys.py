import pytest
from pydantic import ValidationError

from fusearch.data.manifest.task_keys import TaskKeys, part_model, task_model
from fusearch.tasks import TASKS

SURVIVAL, LABELS, CLASSES = (TASKS[kind] for kind in ("survival", "multilabel", "classification"))


def test_a_task_names_its_columns():
    keys = task_model(SURVIVAL)(kind="survival", file="l.csv", time="days", event="died")
    assert keys.label_columns == {"time": "days", "event": "died"}
    assert keys.written("event") == "event"
    assert keys.class_names is None


def test_of_a_list_each_column_stands_under_its_own_name():
    keys = task_model(LABELS)(kind="multilabel", file="l.csv", columns=["a", "b"])
    assert keys.label_columns == {"a": "a", "b": "b"}
    assert keys.written("b") == "columns"


@pytest.mark.parametrize(
    ("columns", "told"), [(["a", "a"], "'a' stands twice"), ("a", r"expected a list of columns, such as \[a\]"), ([], "at least 1 item")]
)
def test_what_is_no_list_of_columns(columns, told):
    with pytest.raises(ValidationError, match=told):
        task_model(LABELS)(kind="multilabel", file="l.csv", columns=columns)


def test_a_sheet_needs_a_workbook():
    keys = {"kind": "classification", "column": "sick", "sheet": "now"}
    assert task_model(CLASSES)(file="l.xlsx", **keys).sheet == "now"
    with pytest.raises(ValidationError, match="sheet"):
        task_model(CLASSES)(file="l.csv", **keys)


def test_one_of_several_has_a_weight_above_zero_beside_the_keys_of_its_kind():
    keys = {"kind": "classification", "file": "l.csv", "column": "sick"}
    part = part_model(CLASSES)(**keys, weight=0.5, balanced=True, labels=["no", "yes"])
    assert isinstance(part, TaskKeys)
    assert (part.weight, part.balanced, part.class_names) == (0.5, True, ["no", "yes"])
    with pytest.raises(ValidationError, match="greater than 0"):
        part_model(CLASSES)(**keys, weight=0)
    with pytest.raises(ValidationError, match="weight"):
        task_model(CLASSES)(**keys, weight=1)
