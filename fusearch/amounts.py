"""How an amount is written for people: `5.221`, `2,184`, `12,346`; and how many there are of a thing."""

from __future__ import annotations

__all__ = ["amount", "counted"]


def amount(value: float) -> str:
    """Write a number in four digits, and one of five or more to its ones.

    Example:
        >>> amount(0.0666449), amount(2184.0), amount(9999.7), amount(12345.6)
        ('0.06664', '2,184', '10,000', '12,346')
    """
    return f"{value:,.0f}" if abs(value) >= 9999.5 else f"{value:,.4g}"


def counted(total: int, noun: str, plural: str | None = None) -> str:
    """Write how many there are of a thing.

    Example:
        >>> counted(1, "design"), counted(1024, "design"), counted(2, "class", "classes")
        ('1 design', '1,024 designs', '2 classes')
    """
    return f"{total:,} {noun if total == 1 else plural or noun + 's'}"
