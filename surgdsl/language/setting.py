"""Settings: ``--set name=value`` puts a value in the place of a param's own, in the text.

What was asked for is then one text, which the certificate holds: the same file with another value is another job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surgdsl.diagnostic import Diagnostic, Refusal, Source, hint
from surgdsl.language import tree
from surgdsl.language.parsing import parse, parse_expression
from surgdsl.language.spelling import spell

OPTION = "--set"


def settings(given: Sequence[str]) -> dict[str, str]:
    """The values of ``name=value`` by name.

    Raises:
        Refusal: with exit code 2, where one has another form or stands twice.
    """
    made: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        name = name.strip()
        if not equals or not name or name in made:
            told = f"`{name}` is set twice" if name in made else f"`{one}` sets nothing"
            raise Refusal(Diagnostic("E0107", told, label=f"expected {OPTION} name=value"), exit_code=2)
        made[name] = text
    return made


def with_settings(source: Source, given: Mapping[str, str]) -> Source:
    """`source` with the value of every param that is `given` replaced.

    Raises:
        Refusal: E0101 there is no such param, E00xx where a value is no expression; every syntax error of `source`.
    """
    if not given:
        return source
    parsed = parse(source)
    if parsed.faults:
        raise Refusal(*parsed.faults)
    params = {one.name.text: one for one in parsed.file.declarations if isinstance(one, tree.Param)}
    faults: list[Diagnostic] = []
    values: list[tuple[int, int, str]] = []
    for name, text in given.items():
        if name not in params:
            label = hint(name, params) or (f"there are {', '.join(params)}" if params else "the file declares none")
            faults.append(Diagnostic("E0101", f"`{source}` has no param `{name}`", label=label))
            continue
        read = parse_expression(Source(f"{OPTION} {name}", text))
        if isinstance(read, Diagnostic):
            faults.append(read)
            continue
        place = params[name].value.span
        values.append((place.start, place.stop, spell(read)))
    if faults:
        raise Refusal(*faults)
    return Source(source.path, _replaced(source.text, values))


def _replaced(text: str, values: list[tuple[int, int, str]]) -> str:
    for start, stop, value in sorted(values, reverse=True):  # from the end, so that the places before stay right
        text = text[:start] + value + text[stop:]
    return text
