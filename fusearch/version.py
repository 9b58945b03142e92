"""The version of the package; its metadata are made from it."""

__all__ = ["__version__"]

__version__ = "0.2.0"
