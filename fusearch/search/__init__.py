"""WHICH design next: samplers, proposer, executors, run folder, driver. Only this room imports ray, and only when it is used."""

from fusearch.search.driver import run_search
from fusearch.search.executor import EXECUTORS, Executor
from fusearch.search.job import Job, Outcome
from fusearch.search.progress import Progress
from fusearch.search.sampler import SAMPLERS, sampler_builder
from fusearch.search.strategies import STRATEGIES, Strategy
from fusearch.settings import Settings

__all__ = [
    "EXECUTORS",
    "SAMPLERS",
    "STRATEGIES",
    "Executor",
    "Job",
    "Outcome",
    "Progress",
    "Settings",
    "Strategy",
    "run_search",
    "sampler_builder",
]
