"""The networks of the encoders. Importing this package registers them; the encoders themselves, as data, live in the search space."""

from __future__ import annotations

from fusearch.evaluators.encoders import graphs, images, raw, sequences, sets, tables, videos

__all__ = ["graphs", "images", "raw", "sequences", "sets", "tables", "videos"]
