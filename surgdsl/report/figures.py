"""Figures: counts, shares and index lists in the form in which reports print them.

>>> share(75, 100), share(100, 100), ranges((0, 1, 2, 5, 7, 8))
('-25.0 %', '=', '0-2 5 7-8')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def amount(metric: str, value: int) -> str:
    """A count with thousands separated; sizes in the largest fitting unit.

    >>> amount("params/1", 12345), amount("size/1", 471_000)
    ('12,345', '460.0 KiB')
    """
    if not metric.startswith("size"):
        return f"{value:,}"
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value} B"


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "step"), counted(2, "step")
    ('1 step', '2 steps')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def share(after: int, before: int) -> str:
    """The change in percent."""
    if after == before or not before:
        return "="
    return f"{(after - before) / before * 100:+.1f} %"


def ranges(positions: Sequence[int], limit: int = 12) -> str:
    """Rising positions with runs abbreviated, at most `limit` runs of them."""
    runs = [f"{low}-{high}" if high > low else str(low) for low, high in _runs(positions)]
    return " ".join(runs[:limit]) + (f" … {len(runs) - limit} more" if len(runs) > limit else "")


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = previous = None
    for position in positions:
        if start is None or previous is None:
            start = position
        elif position != previous + 1:
            yield start, previous
            start = position
        previous = position
    if start is not None and previous is not None:
        yield start, previous


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """Rows in aligned columns, the first column to the left and figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield indent + "  ".join(cells).rstrip()
