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
    Code("E0216", "a target that decides nothing"),
    Code("E0217", "more candidates than are tried"),
    Code("E0301", "unknown unit"),
    Code("E0302", "quantities of different dimensions"),
    Code("E0303", "MACs and FLOPs compared"),
    Code("E0304", "division by zero"),
    Code("E0305", "a number too large to compute with"),
    Code("E0312", "a percentage of nothing"),
    Code("E0321", "a criterion that scores the wrong axis"),
    Code("E0322", "a criterion for a rule that ranks nothing"),
    Code("E0323", "a rule that needs a criterion"),
    Code("E0324", "an axis that is not there"),
    Code("E0325", "a formula over other axes than declared"),
    Code("E0326", "a criterion or metric with other parameters"),
    Code("E0341", "a box of an unknown kind"),
    Code("E0342", "a box that is written wrongly"),
    Code("E0343", "not a size"),
    Code("E0344", "two wires without a box"),
    Code("E0345", "a wire that K and the sides disagree about"),
    Code("E0346", "a span that is not linear"),
    Code("E0347", "a size that only R knows"),
    Code("E0348", "a weight of R without its value"),
    Code("E0349", "a bound that is none"),
    Code("E0350", "nothing decreases"),
    Code("E0351", "a left side in pieces"),
    Code("E0352", "boxes that do not fit"),
    Code("E0353", "an exact rule that is not exact"),
    Code("E0406", "`choose` where nothing is chosen"),
    Code("E0408", "not executed yet: stages of this rule"),
    Code("E0411", "not executed yet: for all of this set"),
    Code("E0412", "not executed yet: an interface inside the model"),
    Code("E0413", "not executed yet: choosing by a measured figure"),
    Code("E0416", "not executed yet: recovery other than fine-tuning"),
    Code("E0417", "not executed yet: live scores"),
    Code("E0418", "not executed yet: sizes computed from dims"),
    Code("E0419", "not executed yet: this source of data"),
    Code("E0420", "not executed yet: this form of claim"),
    Code("E0421", "a primitive outside the standard library"),
    Code("E0422", "not a constant"),
    Code("E0501", "a selector that means no place in the model"),
    Code("E0502", "steps that meet without an order"),
    Code("E0503", "an axis that is pinned"),
    Code("E0504", "a step that would change nothing"),
    Code("E0505", "encodings that do not compose"),
    Code("E0506", "a weight that is not finite"),
    Code("E0507", "not positions of this axis"),
    Code("E0508", "a step that cannot be done here"),
    Code("E0509", "side by side, but not independent"),
    Code("E0510", "which one of the file"),
    Code("E0511", "a score that is no number"),
    Code("E0512", "a channel of which nothing is scored"),
    Code("E0513", "choices that cannot be weighed against each other"),
    Code("E0601", "a model that cannot be exported"),
    Code("E0602", "an exported model that cannot be a net"),
    Code("E0603", "an operation without a cost rule"),
    Code("E0604", "a model with other ports than the file says"),
    Code("E0605", "Python that cannot be used"),
    Code("E0606", "weights that do not fit the model"),
    Code("E0607", "an operation that the verifier does not know"),
    Code("E0608", "a result that does not fit the class"),
    Code("E0701", "no such file"),
    Code("E0702", "a folder in place of a file"),
    Code("E0703", "a file that cannot be read"),
    Code("E0704", "a file that is not text"),
    Code("E0705", "an import that is not pinned"),
    Code("E0706", "an import that is not what was pinned"),
    Code("E0707", "a lock that cannot be read"),
    Code("E0711", "not a safetensors file"),
    Code("E0712", "not the file that was named"),
    Code("E0713", "a dtype that no certificate can state"),
    Code("E0715", "a name that no certificate can hold"),
    Code("E0716", "a certificate that would be too large"),
    Code("E0717", "a folder without a certificate"),
    Code("E0718", "not a key that can sign"),
    Code("E0719", "signing without the package for it"),
    Code("E0720", "rows that do not fit"),
    Code("E0721", "labels that are not classes of the model"),
    Code("E0801", "a counted promise that the plan cannot keep"),
    Code("E0802", "a measured promise that the result does not keep"),
    Code("E0803", "a recovery that diverged"),
    Code("E0804", "a choice of which no value can be taken"),
    Code("E0805", "a budget that is spent"),
    Code("E0806", "a curvature that cannot be used"),
    Code("E0901", "a folder that is not a result"),
    Code("E0902", "a result that cannot be written"),
    Code("E0903", "a result that the verifier rejects"),
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
