"""WHAT is predicted: an entry of facts for each task, one file each. No torch: the other half of a task is in `evaluators/tasks`.

Every module in this folder is imported, so that a new task is a new file.
"""

from __future__ import annotations

import importlib
import pkgutil

from fusearch.tasks.refused import REFUSED
from fusearch.tasks.several import SeveralTasks, TaskPart, read_task
from fusearch.tasks.task import TASKS, Task, task_entry

__all__ = ["REFUSED", "TASKS", "SeveralTasks", "Task", "TaskPart", "read_task", "task_entry"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
