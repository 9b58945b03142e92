"""WHAT a design is: graph, notation, labels, space, variation, published designs. No torch here."""

from __future__ import annotations

from fusearch.search_space import encoders, operators
from fusearch.search_space.design.candidate import Candidate
from fusearch.search_space.design.formula import parse
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.labels import Labels
from fusearch.search_space.design.parts import Depth, Fusion, Output, Stream, Tap, Trunk
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.recipe import Recipe
from fusearch.search_space.entries.encoder import ENCODERS, Encoder
from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param, Params, Value, complete_params
from fusearch.search_space.published import PUBLISHED, PublishedStudy, fitting_designs, printed_pattern, published_design
from fusearch.search_space.space.counting import Size
from fusearch.search_space.space.recipe_space import RecipeSpace
from fusearch.search_space.space.space import DEFAULT_OPERATORS, SearchSpace

__all__ = [
    "DEFAULT_OPERATORS",
    "ENCODERS",
    "OPERATORS",
    "PUBLISHED",
    "Candidate",
    "Depth",
    "Encoder",
    "Fusion",
    "FusionGraph",
    "FusionPattern",
    "Labels",
    "Operator",
    "Output",
    "Param",
    "Params",
    "PublishedStudy",
    "Recipe",
    "RecipeSpace",
    "SearchSpace",
    "Size",
    "Stream",
    "Tap",
    "Trunk",
    "Value",
    "complete_params",
    "encoders",
    "fitting_designs",
    "operators",
    "parse",
    "printed_pattern",
    "published_design",
]
