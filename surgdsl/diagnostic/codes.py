"""Every code that a user can meet, with its title. A code is never reused and never changes its meaning.

The first two digits name the room: 00 syntax, 01 names, 02 types, 03 units, 04 understood but not executed in this
version, 05 paths and planning, 06 model and capture, 07 data and files, 08 targets. Each has a page in docs/errors.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.diagnostic.refusal import Diagnostic, Refusal
from surgdsl.diagnostic.shipped import shipped
from surgdsl.diagnostic.suggestion import hint


@frozen
class Code:
    """A stable code and the title of its page."""

    code: str
    title: str


CODES: tuple[Code, ...] = (
    Code("E0001", "a character that begins nothing"),
    Code("E0002", "a word in the wrong place"),
    Code("E0003", "the file ends too early"),
    Code("E0004", "a text without its closing quote"),
    Code("E0005", "an edition that this version does not know"),
    Code("E0006", "the first line is not `surg 1`"),
    Code("E0007", "nested too deeply"),
    Code("E0101", "unknown name"),
    Code("E0102", "a name declared twice"),
    Code("E0103", "a name that is already taken"),
    Code("E0104", "a keyword used as a name"),
    Code("E0105", "declarations that refer to each other in a circle"),
    Code("E0106", "not in the standard library"),
    Code("E0107", "a clause or field given twice"),
    Code("E0108", "a field that does not belong here"),
    Code("E0109", "a required field is missing"),
    Code("E0201", "a value of the wrong type"),
    Code("E0202", "a name of the wrong kind"),
    Code("E0203", "an argument given twice"),
    Code("E0204", "an argument that the rule does not have"),
    Code("E0205", "a required argument is missing"),
    Code("E0206", "an argument without its name"),
    Code("E0207", "a value out of range"),
    Code("E0208", "not a SHA-256 digest"),
    Code("E0209", "not a Python reference"),
    Code("E0210", "a measured promise without data"),
    Code("E0211", "an order that does not name every step once"),
    Code("E0212", "an interface that differs from its model"),
    Code("E0213", "exhaustively, but nothing decreases"),
    Code("E0214", "a surgery that does nothing"),
    Code("E0215", "a claim that says nothing about the model"),
    Code("E0301", "unknown unit"),
    Code("E0302", "quantities of different dimensions"),
    Code("E0303", "MACs and FLOPs compared"),
    Code("E0304", "division by zero"),
    Code("E0305", "a number too large to compute with"),
    Code("E0312", "a percentage of nothing"),
    Code("E0321", "a criterion that scores the wrong axis"),
    Code("E0322", "a criterion for a rule that ranks nothing"),
    Code("E0323", "a rule that needs a criterion"),
    Code("E0401", "not executed yet: a rule of the file"),
    Code("E0402", "not executed yet: a criterion of the file"),
    Code("E0403", "not executed yet: a metric of the file"),
    Code("E0404", "not executed yet: extern"),
    Code("E0405", "not executed yet: sweep"),
    Code("E0406", "not executed yet: choose"),
    Code("E0407", "not executed yet: param"),
    Code("E0408", "not executed yet: stages"),
    Code("E0409", "not executed yet: steps side by side"),
    Code("E0410", "not executed yet: budget"),
    Code("E0411", "not executed yet: for all"),
    Code("E0412", "not executed yet: an interface inside the model"),
    Code("E0413", "not executed yet: minimize and maximize"),
    Code("E0414", "not executed yet: use of a file"),
    Code("E0415", "not executed yet: where in a selector"),
    Code("E0416", "not executed yet: recovery other than fine-tuning"),
    Code("E0417", "not executed yet: live scores"),
    Code("E0418", "not executed yet: sizes computed from dims"),
    Code("E0419", "not executed yet: this source of data"),
    Code("E0420", "not executed yet: this form of claim"),
    Code("E0421", "a primitive outside the standard library"),
    Code("E0422", "not executed yet: this expression"),
    Code("E0701", "no such file"),
    Code("E0702", "a folder in place of a file"),
    Code("E0703", "a file that cannot be read"),
    Code("E0704", "a file that is not text"),
)


def page(code: str) -> str:
    """The text of the page of `code`.

    Raises:
        Refusal: E0101, where no such code exists.
    """
    wanted = code.upper()
    known = tuple(row.code for row in CODES)
    if wanted not in known:
        raise Refusal(Diagnostic("E0101", f"there is no error code `{code}`", label=hint(wanted, known)), exit_code=2)
    return (shipped("errors") / f"{wanted}.md").read_text(encoding="utf-8")
