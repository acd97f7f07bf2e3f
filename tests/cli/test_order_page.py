"""docs/order.md: every file that it shows is planned, and says what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from surgdsl.cli import main as front

PAGE = (Path(__file__).parents[2] / "docs" / "order.md").read_text(encoding="utf-8")
PAIR = r"^```surg\n(.*?)^```\n.*?^```console\n\$ surg plan slim.surg\n(.*?)^```$"
SHOWN = re.findall(PAIR, PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(3))
def test_the_page_shows_what_is_printed(number: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = SHOWN[number]
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    code = front.run(["plan", "slim.surg"])
    out, err = capsys.readouterr()
    assert code == (1 if "error[" in expected else 0)
    assert expected in out + err


def test_every_example_is_tried() -> None:
    assert len(SHOWN) == PAGE.count("```surg") == PAGE.count("```console") == 3
