"""The torch halves of the tasks. Every module in this folder is imported; each registers one in `TASK_LAYERS`, by the task's name."""

from __future__ import annotations

import importlib
import pkgutil

from fusearch.evaluators.tasks.task_layer import TASK_LAYERS, TaskLayer, bind_task, task_layer

__all__ = ["TASK_LAYERS", "TaskLayer", "bind_task", "task_layer"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
