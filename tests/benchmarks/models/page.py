"""The page of the curves: a table for each model from the rows that were measured, and one picture of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import picture
from subject import Subject

Row = Mapping[str, Any]
HEAD = """# Real models

Accuracy against stored bytes on trained networks, beside other libraries on the same weights and the same calibration
rows. `make bench-models` makes this page: it installs the models, the data and the peers, and measures what is missing.

Ours are whole runs of a surgery of one step, as a user would write it: published, and accepted by the verifier. A cell
is the score, and the bytes of all tensors in percent of the network as trained: buffers, scales, zero points, masks and
codebooks included, headers of files not, as the peers have none. Peers are run as they come: quanto leaves embeddings
alone, torchao convolutions; where nncf has no 4-bit form of a layer it takes 8. llmcompressor is made for language
models on a hub, so its own functions for one layer are called here on the layers in order, and its embeddings are
rounded to the nearest. Sparse weights are one bit a place and what is kept, for ours and theirs; embeddings stay dense.
No rows are trained on: what is calibrated is calibrated on rows that no score is taken on. Blank: not measured.

![Accuracy against stored bytes](pictures/curves.svg)
"""
COLUMNS = {False: ((8, 4, 3, 2), "{} bit"), True: ((30, 50, 70), "{} % zero")}


def write(folder: Path, kept: Mapping[Subject, Sequence[Row]]) -> None:
    """Write `models.md` and its picture into the folder of the documentation."""
    parts = [HEAD]
    for subject, rows in kept.items():
        parts += _section(subject, rows)
    (folder / "models.md").write_text("\n".join(parts), encoding="utf-8")
    (folder / "pictures" / "curves.svg").write_text(picture.draw(kept), encoding="utf-8")


def _section(subject: Subject, rows: Sequence[Row]) -> Iterator[str]:
    trained = next(row for row in rows if row["method"] == "as trained")
    scores = ", ".join(
        f"{name} **{_figure(value)}**" for (name, _), value in zip(subject.scores, trained["scores"], strict=True)
    )
    yield f"\n## {subject.name}\n\n{subject.what}. As trained: {scores}, {trained['bytes']:,} bytes.\n"
    yield from [f"{subject.more}\n"] * bool(subject.more)
    for sparse, (levels, form) in COLUMNS.items():
        found = {(row["method"], row["level"]): row for row in rows if row["sparse"] == sparse}
        names = dict.fromkeys(name for name, _ in found if name != "as trained")
        if not names:
            continue
        methods = sorted(names, key=lambda name: not name.startswith("surgdsl"))
        yield "| method | " + " | ".join(map(form.format, levels)) + " |\n|---|" + "---|" * len(levels)
        for method in methods:
            cells = [_cell(found.get((method, level)), trained["bytes"]) for level in levels]
            yield f"| {method} | " + " | ".join(cells) + " |"
        yield ""
    faults = dict.fromkeys(f"{row['method']} at {row['level']}: {row['fault']}" for row in rows if "fault" in row)
    yield from (f"- {fault}" for fault in faults)


def _cell(row: Row | None, whole: int) -> str:
    if row is None:
        return ""
    if "fault" in row:
        return "fails"
    return " / ".join(map(_figure, row["scores"])) + f" · {row['bytes'] / whole:.1%}"


def _figure(value: float) -> str:
    return f"{value:.3f}"
