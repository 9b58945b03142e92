"""WHAT is fused: modalities, manifests, splits, the embedded data sets.

Public names are resolved on first use, so that `fusearch.data.modality` stays light: neither pandas nor scikit-learn is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.lazy import lazy_names

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "DATA_SETS": "fusearch.data.embedded",
    "CheckResult": "fusearch.data.check.check",
    "Dataset": "fusearch.data.dataset",
    "EmbeddedData": "fusearch.data.embedded",
    "FirstManifest": "fusearch.data.drafting.first_manifest",
    "Fold": "fusearch.data.splits",
    "Manifest": "fusearch.data.manifest.manifest",
    "Modality": "fusearch.data.modality",
    "Preprocessor": "fusearch.data.preprocessing",
    "TableSchema": "fusearch.data.table_schema",
    "Task": "fusearch.tasks",
    "check_data": "fusearch.data.check.check",
    "draft_manifest": "fusearch.data.drafting.first_manifest",
    "data_set": "fusearch.data.embedded",
    "load_data": "fusearch.data.loading",
    "load_manifest": "fusearch.data.manifest.manifest",
}

__all__ = [
    "DATA_SETS",
    "CheckResult",
    "Dataset",
    "EmbeddedData",
    "FirstManifest",
    "Fold",
    "Manifest",
    "Modality",
    "Preprocessor",
    "TableSchema",
    "Task",
    "check_data",
    "data_set",
    "draft_manifest",
    "load_data",
    "load_manifest",
]

if TYPE_CHECKING:
    from fusearch.data.check.check import CheckResult, check_data
    from fusearch.data.dataset import Dataset
    from fusearch.data.drafting.first_manifest import FirstManifest, draft_manifest
    from fusearch.data.embedded import DATA_SETS, EmbeddedData, data_set
    from fusearch.data.loading import load_data
    from fusearch.data.manifest.manifest import Manifest, load_manifest
    from fusearch.data.modality import Modality
    from fusearch.data.preprocessing import Preprocessor
    from fusearch.data.splits import Fold
    from fusearch.data.table_schema import TableSchema
    from fusearch.tasks import Task


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
