"""From a manifest to a data set: read the labels, then join each modality's file to them."""

from __future__ import annotations

from dataclasses import replace

from fusearch.data.assembly.assembly import assemble
from fusearch.data.assembly.label_file import read_labels
from fusearch.data.assembly.mask_targets import refuse_no_grid
from fusearch.data.assembly.modality_files import read_modality
from fusearch.data.assembly.test_cohort import add_test_cohort
from fusearch.data.content import Content
from fusearch.data.dataset import Dataset
from fusearch.data.given_weights import GivenWeights
from fusearch.data.manifest.manifest import EncoderKeys, Manifest

__all__ = ["read_dataset", "read_given", "weights_named"]


def read_dataset(manifest: Manifest) -> Dataset:
    """Read everything that a manifest names.

    Raises:
        ManifestError: A file or a column is missing.
        DataError: The content cannot be used.
    """
    labels = read_labels(manifest)
    modalities = {name: read_modality(manifest, name, labels) for name in manifest.modalities}
    refuse_no_grid(labels.task, modalities, manifest.path.name)
    if manifest.splits.test is not None:
        labels, modalities = add_test_cohort(manifest, labels, modalities)
    content = assemble(
        manifest.name,
        modalities,
        labels.targets,
        labels.task,
        ids=labels.ids,
        plan=labels.plan,
        groups=labels.groups,
        source=str(manifest.path),
        notes=labels.notes,
    )
    return Dataset.of(_with_encoders(content, manifest))


def _with_encoders(content: Content, manifest: Manifest) -> Content:
    """Return the content with the encoders that a manifest names, and the weights that they start from."""
    modalities = tuple(
        replace(modality, encoders=tuple(keys.encoder for keys in manifest.encoders.get(modality.name, ())))
        for modality in content.modalities
    )
    given = [read_given(manifest, name, keys) for name, keys in weights_named(manifest)]
    return replace(content, modalities=modalities, given_weights=tuple(given))


def weights_named(manifest: Manifest) -> list[tuple[str, EncoderKeys]]:
    """Return the encoders of a manifest that start from weights in a file, each with the name of its modality."""
    return [(name, keys) for name, listed in manifest.encoders.items() for keys in listed if keys.weights is not None]


def read_given(manifest: Manifest, name: str, keys: EncoderKeys) -> GivenWeights:
    """Return what is known of the weights that an encoder of a modality starts from.

    Raises:
        ManifestError: There is no such file.
        DataError: It cannot be read.
    """
    return GivenWeights.read(name, keys.encoder, manifest.resolve(str(keys.weights), f"encoders.{name}.weights"), keys.freeze)
