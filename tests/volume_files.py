"""Tiny volumes on disk, written by the real writers: nibabel and pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
pydicom = pytest.importorskip("pydicom", reason="needs fusearch[volumes]")

#: A step along each axis of an array (D, H, W) in RAS, as volumes are kept.
KEPT = np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])


def write_nifti(path: Path, values_DHW: np.ndarray, spacing: tuple[float, float, float] = (1, 1, 1), *, turned: bool = False) -> None:
    """Write a volume as scanners do (i to the left), or `turned`, with other axes first and the other way round; channels come last."""
    affine = np.eye(4)
    affine[:3, :3] = KEPT * np.array(spacing)
    values = np.asarray(values_DHW)
    if turned:
        values = np.flip(values, 1).swapaxes(0, 2)
        affine[:3, :3] = affine[:3, [2, 1, 0]] * np.array([1, -1, 1])
    image = nibabel.Nifti1Image(values, affine)
    nibabel.save(image, path)


def write_series(folder: Path, values_DHW: np.ndarray, spacing: tuple[float, float, float] = (1, 1, 1), **changes: Any) -> None:
    """Write a CT series of axial slices; what is stored has half the values plus 1000. The names of the files are not in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    series = changes.pop("series", pydicom.uid.generate_uid())
    start = changes.pop("start", 0)
    height = values_DHW.shape[1]
    for index, values_HW in enumerate(values_DHW):
        facts = {
            "SeriesInstanceUID": series,
            "InstanceNumber": index + 1,
            "ImageOrientationPatient": [-1, 0, 0, 0, -1, 0],  # rows run to the right, columns to the front: towards -x and -y in LPS
            "ImagePositionPatient": [0, (height - 1) * spacing[1], start + index * spacing[0]],
            "PixelSpacing": list(spacing[1:]),
            "SliceThickness": spacing[0],
            "RescaleSlope": 2,
            "RescaleIntercept": -2000,
            **changes,
        }
        write_dicom(folder / f"{(7 * index + 3) % 101:03d}_{start:g}.dcm", (values_HW / 2 + 1000).astype(np.uint16), **facts)


def write_dicom(path: Path, stored: np.ndarray | None, **facts: Any) -> None:
    """Write one DICOM file; frames come first, and None is a file without pixels."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = pydicom.uid.CTImageStorage, pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID = "CT", "p"
    if stored is not None:
        if stored.ndim == 3:
            dataset.NumberOfFrames = len(stored)
        dataset.Rows, dataset.Columns = stored.shape[-2:]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, facts.pop("PhotometricInterpretation", "MONOCHROME2")
        dataset.BitsAllocated = dataset.BitsStored = 8 * stored.dtype.itemsize
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(stored.dtype.kind == "i")
        dataset.PixelData = stored.tobytes()
    for keyword, value in facts.items():
        if value is not None:
            setattr(dataset, keyword, value)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
