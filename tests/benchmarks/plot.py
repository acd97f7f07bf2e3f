"""A plot of seconds against sizes, both in powers of ten, as SVG: a straight line of slope one is linear growth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

WIDTH, HEIGHT = 720.0, 440.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 168.0, 64.0, 58.0
COLOURS = ("#1b6ca8", "#b4552d", "#3f7d4e")
STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px;fill:#1d2430}"
    ".q{font-size:15px;font-weight:700}.m{fill:#5c6470}.g{stroke:#e3e6eb}.a{stroke:#7a8494}"
    ".l{fill:none;stroke-width:2.2}.r{stroke:#7a8494;stroke-dasharray:5 4;stroke-width:1.4}"
)

Point = tuple[float, float]


def plot(title: str, summary: str, sizes: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> str:
    """The picture: one line for each name in `seconds`, and beside each the line of slope one through its first point.

    Args:
        title: stands on top.
        summary: stands below it, and says what one size is.
        sizes: what is counted, rising.
        seconds: for each name as many times as sizes.
    """
    across = _range(sizes)
    up = _range([value for values in seconds.values() for value in values])
    size = f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" rx="10" fill="#ffffff"/>',
        f'<text x="20" y="28" class="q">{title}</text>',
        f'<text x="20" y="47" class="m">{summary}</text>',
        *_grid(across, up),
        *_lines(sizes, seconds, across, up),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _range(values: Sequence[float]) -> Point:
    """Whole powers of ten around the values."""
    return math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)


def _at(size: float, second: float, across: Point, up: Point) -> Point:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    x = LEFT + wide * (math.log10(size) - across[0]) / (across[1] - across[0])
    return x, TOP + high * (up[1] - math.log10(second)) / (up[1] - up[0])


def _grid(across: Point, up: Point) -> Iterator[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    for power in range(int(across[0]), int(across[1]) + 1):
        x, _ = _at(10**power, 10 ** up[0], across, up)
        yield f'<line x1="{x:.1f}" y1="{TOP:g}" x2="{x:.1f}" y2="{floor:g}" class="g"/>'
        yield f'<text x="{x:.1f}" y="{floor + 18:g}" text-anchor="middle" class="m">{10**power:,}</text>'
    for power in range(int(up[0]), int(up[1]) + 1):
        _, y = _at(10 ** across[0], 10.0**power, across, up)
        yield f'<line x1="{LEFT:g}" y1="{y:.1f}" x2="{right:g}" y2="{y:.1f}" class="g"/>'
        yield f'<text x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end" class="m">{_second(power)}</text>'
    yield f'<path d="M{LEFT:g},{TOP:g}V{floor:g}H{right:g}" fill="none" class="a"/>'
    yield f'<text x="{(LEFT + right) / 2:g}" y="{floor + 40:g}" text-anchor="middle">operations</text>'


def _second(power: int) -> str:
    return f"{10**power} s" if power >= 0 else f"{10 ** (power + 3)} ms" if power >= -3 else f"1e{power} s"


def _lines(sizes: Sequence[int], seconds: Mapping[str, Sequence[float]], across: Point, up: Point) -> Iterator[str]:
    labels = _apart([_at(sizes[-1], values[-1], across, up)[1] for values in seconds.values()])
    for colour, label, (name, values) in zip(COLOURS, labels, seconds.items(), strict=False):
        points = [_at(size, value, across, up) for size, value in zip(sizes, values, strict=True)]
        end = _at(sizes[-1], min(values[0] * sizes[-1] / sizes[0], 10 ** up[1]), across, up)
        (x, y), (right, _) = points[0], points[-1]
        yield f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" class="r"/>'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" stroke="{colour}" class="l"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}"/>' for x, y in points)
        style = f'style="fill:{colour};font-weight:700"'
        yield f'<text x="{right + 12:.1f}" y="{label + 4:.1f}" {style}>{name}</text>'
    x, y = WIDTH - RIGHT, HEIGHT - BOTTOM - 14
    yield f'<line x1="{x - 92:g}" y1="{y:g}" x2="{x - 64:g}" y2="{y:g}" class="r"/>'
    yield f'<text x="{x - 56:g}" y="{y + 4:g}" class="m">linear</text>'


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights of labels, moved down where two would overlap."""
    found = list(heights)
    last = -math.inf
    for place in sorted(range(len(found)), key=found.__getitem__):
        last = found[place] = max(found[place], last + 16)
    return found
