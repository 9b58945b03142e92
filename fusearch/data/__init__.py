"""WHAT is fused: modalities, manifests, splits, the embedded data sets."""
