"""The styles of our own SVG files, resolved: classes and variables become plain values. It knows no more of CSS than they use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

__all__ = ["StyleSheet"]

_COMMENT_OR_MEDIA = re.compile(r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
#: What holds for the element alone, and not for what stands in it.
_OWN = ("opacity",)

#: A part of a selector: a tag, or none, and classes.
_Compound = tuple[str, frozenset[str]]


@dataclass(frozen=True)
class _Rule:
    path: tuple[_Compound, ...]
    values: Mapping[str, str]

    @property
    def weight(self) -> tuple[int, int]:
        return sum(len(classes) for _, classes in self.path), sum(bool(tag) for tag, _ in self.path)


class StyleSheet:
    """The rules of a style sheet, in light colours.

    Args:
        css: Its text: descendants of tags and classes, variables, no other selectors. Rules for dark screens are left out.
    """

    def __init__(self, css: str) -> None:
        rules = []
        for selectors, body in _RULE.findall(_COMMENT_OR_MEDIA.sub("", css)):
            values = _declarations(body)
            rules += [_Rule(tuple(map(_compound, selector.split())), values) for selector in selectors.split(",")]
        self._rules = sorted(rules, key=lambda rule: rule.weight)  # of equal weight the later one wins: sorting keeps their order

    def style_of(self, element: Element, above: Sequence[Element], inherited: Mapping[str, str]) -> dict[str, str]:
        """Return every value that holds for an element.

        Args:
            element: The element.
            above: The elements that it stands in, outermost first.
            inherited: Values of the one around it.
        """
        style = {name: value for name, value in inherited.items() if name not in _OWN}
        for rule in self._rules:
            if _fits(rule.path, [*above, element]):
                style |= rule.values
        style |= _declarations(element.get("style", ""))
        return {name: _VARIABLE.sub(lambda found: style.get(found[1], "none"), value) for name, value in style.items()}


def _declarations(body: str) -> dict[str, str]:
    parts = (part.partition(":") for part in body.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, _, value in parts}


def _compound(text: str) -> _Compound:
    tag, *classes = text.strip().split(".")
    return tag, frozenset(classes)


def _fits(path: Sequence[_Compound], chain: Sequence[Element]) -> bool:
    """Whether the last of a chain of elements is what a selector means."""
    if not _is(path[-1], chain[-1]):
        return False
    waiting = list(path[:-1])
    for element in reversed(chain[:-1]):
        if waiting and _is(waiting[-1], element):
            waiting.pop()
    return not waiting


def _is(compound: _Compound, element: Element) -> bool:
    tag, classes = compound
    return tag in ("", element.tag.rpartition("}")[2]) and classes <= set(element.get("class", "").split())
