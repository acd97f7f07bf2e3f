"""Random lies for both verifiers: edits of honest certificates, everything hashed again after the lie.

Two programs that were written from one page must give one verdict on whatever somebody invents, not only on the cases
of a corpus. `python -m tests.browser.forging SEED COUNT` prints where they differ.
"""

import base64
import contextlib
import copy
import hashlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import attrs

from surgdsl.verifier.main import main
from tests.browser.engine import evaluate

GOOD = Path(__file__).resolve().parents[1] / "verifier" / "corpus" / "good"
TEXTS = (
    *(
        "",
        "x",
        "B",
        "2*B",
        "B*T",
        "F32",
        "F16",
        "I64",
        "U8",
        "BOOL",
        "dense",
        "masked",
        "parameter",
        "buffer",
        "é",
        "inf",
    ),
    *(
        "0",
        "1",
        "-1",
        "1/2",
        "3/4",
        "9" * 20,
        "l0",
        "l1",
        "r0",
        "r1",
        "w0",
        "o0",
        "params/1",
        "macs/1",
        "nnz/1",
        "size/1",
    ),
    *(
        "reduce",
        "neutral",
        "<=",
        "<",
        ">=",
        ">",
        "before",
        "after",
        "mask/1",
        "recover/1",
        "rule/1",
        "accuracy",
        "loss",
    ),
    *("aten.relu.default", "aten.add.Tensor", "0x1.0000000000000p+0", "a" * 64, "0" * 64),
)
FIELDS = ("kind", "bits", "group", "axis", "extra", "few", "tile", "note", "sequence", "confidence", "bound")
VALUES: tuple[Any, ...] = (1, "x", [], True, {})
EDITS = ("drop", "double", "swap", "copy", "field", *("change",) * 12)
VERDICTS = """async (base, folders) => {
  const { verify } = await import(base + "verify.js");
  const { parseRequirement } = await import(base + "requirement.js");
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const file = (data) => ({ size: data.length, read: async (start, end) => data.slice(start, end) });
  const verdicts = [];
  for (const { files, options } of folders) {
    const entries = new Map(Object.entries(files).map(([path, text]) => [path, file(bytes(text))]));
    const brought = { ...options, require: (options.require ?? []).map(parseRequirement) };
    const { code, reason } = await verify({ entries, options: brought });
    verdicts.push({ code, reason });
  }
  return verdicts;
}"""


@attrs.frozen
class Forged:
    """A folder with a lie, where it came from and what was edited."""

    folder: Path
    source: str
    edits: tuple[str, ...]
    options: tuple[str, ...]


@attrs.frozen
class Answer:
    """A code ("" when accepted) and the words beside it."""

    code: str
    reason: str


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(domain: str, *parts: bytes) -> str:
    return hashlib.sha256(f"surg-{domain}-v1\0".encode() + b"".join(parts)).hexdigest()


def keys_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value))
    return list(range(len(cast("list[Any]", value)))) if isinstance(value, list) else []


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value inside one."""
    for key in keys_of(value):
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def reach(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def changed(value: Any, rng: random.Random, known: list[str]) -> Any:
    """Return another value of the same kind; a digest becomes one of those that are known."""
    match value:
        case bool():
            choices: tuple[Any, ...] = (not value,)
        case int():
            choices = (value + 1, value - 1, 0, 1, -1, 2, value * 2, 2**40, 2**53 - 1)
        case str() if value in known:
            choices = tuple(known)
        case str() if value.isdigit():
            choices = tuple(str(max(0, int(value) + by)) for by in (-1, 1, 2, 100))
        case str():
            choices = TEXTS
        case [*items]:
            choices = ([], items[::-1], items + items[:1], items[:-1], items[1:])
        case _:
            choices = ({}, [], {"none": True}, 3)
    return rng.choice(choices)


def edit(root: Any, rng: random.Random) -> str:
    """Change one place of a JSON value; return which."""
    every = list(paths(root))
    if not every:
        return "nothing"
    path = rng.choice(every)
    parent: Any = reach(root, path[:-1])
    key: Any = path[-1]
    items = cast("list[Any]", parent) if isinstance(parent, list) else []
    fields = cast("dict[str, Any]", parent) if isinstance(parent, dict) else {}
    kind = rng.choice(EDITS)
    known = sorted({text for one in every if isinstance(text := reach(root, one), str) and len(text) == 64})
    if kind == "drop":
        del parent[key]
    elif kind == "double" and items:
        items.insert(key, copy.deepcopy(items[key]))
    elif kind == "swap" and items:
        other = rng.randrange(len(items))
        items[key], items[other] = items[other], items[key]
    elif kind == "copy":
        parent[key] = copy.deepcopy(reach(root, rng.choice(every)))
    elif kind == "field" and fields:
        fields[rng.choice(FIELDS)] = rng.choice(VALUES)
    else:
        parent[key] = changed(parent[key], rng, known)
    return f"{kind} {'.'.join(map(str, path))}"


def replaced(blobs: Path, old: str, value: Any) -> str:
    """Write a blob anew; return its name."""
    data = canonical(value)
    new = hashlib.sha256(data).hexdigest()
    (blobs / old).unlink(missing_ok=True)
    (blobs / new).write_bytes(data)
    return new


def hashed_again(statement: Any) -> None:
    """Chain, head and seal agree with the lie."""
    predicate = statement["predicate"]
    chain = "0" * 64
    for step in predicate["steps"]:
        step.pop("chain", None)
        step["chain"] = chain = digest("step", bytes.fromhex(chain), canonical(step))
    predicate["head"] = chain
    predicate.pop("seal", None)
    predicate["seal"] = digest("seal", canonical(statement))


def forge(source: Path, folder: Path, rng: random.Random) -> tuple[str, ...]:
    """Make a copy of an honest certificate with one to three edits, hashed again."""
    shutil.copytree(source, folder)
    cert, blobs = folder / "certificate" / "cert.json", folder / "certificate" / "blobs"
    statement = json.loads(cert.read_bytes())
    predicate = statement["predicate"]
    given = predicate["input"]
    graph = json.loads((blobs / given["graphBlob"]).read_bytes())
    edits: list[str] = []
    parts = (("steps", predicate["steps"]),) * 4 + (("cert", statement), ("graph", graph))
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        part, root = rng.choice(parts)
        edits.append(f"{part}: {edit(root, rng)}")
    # An edit may have taken away what the next lines look for; the lie is then hashed as far as it goes.
    with contextlib.suppress(KeyError, TypeError, AttributeError, IndexError, ValueError, OSError):
        if canonical(graph) != (blobs / given["graphBlob"]).read_bytes():
            before, given["graph"] = given["graph"], digest("graph", canonical(graph))
            given["graphBlob"] = replaced(blobs, given["graphBlob"], graph)
            states = [predicate["steps"][0]] if predicate["steps"] else [predicate["output"]]
            for key in ("graphBefore", "graph"):
                if states[0].get(key) == before:
                    states[0][key] = given["graph"]
        hashed_again(statement)
    cert.write_bytes(canonical(statement))
    return tuple(edits)


def forged(seed: int, count: int, folder: Path) -> list[Forged]:
    """Make so many folders, each with a lie."""
    rng = random.Random(seed)  # noqa: S311 -- lies need no secrets
    sources = [path.parent for path in sorted(GOOD.glob("*/expected.json")) if "--key" not in path.read_text("utf-8")]
    cases: list[Forged] = []
    for i in range(count):
        source = rng.choice(sources)
        edits = forge(source, folder / str(i), rng)
        options = json.loads((source / "expected.json").read_bytes())["options"]
        cases.append(Forged(folder / str(i), source.name, edits, tuple(options)))
    return cases


def by_the_command(case: Forged) -> Answer:
    """Return what surg-verify says."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = main([os.fspath(case.folder), "--json", *case.options])
    last = json.loads(out.getvalue().splitlines()[-1])
    code = "" if status == 0 else str(last["reason"]).split()[0] if "code" not in last else str(last["code"])
    return Answer(code, str(last["reason"]))


def brought(options: tuple[str, ...]) -> dict[str, Any]:
    """Options of the command as those of the page, which takes its numbers as numbers and requirements by `require`."""
    found: dict[str, Any] = {"strict": "--strict" in options, "trust": [], "require": []}
    words = iter([word for word in options if word != "--strict"])
    for word, value in zip(words, words, strict=True):
        first, *more = word.removeprefix("--").split("-")
        name = first + "".join(map(str.title, more))
        if name in ("trust", "require"):
            found[name].append(value)
        else:
            found[name] = int(value) if name == "minSequence" else value
    return found


def by_the_page(cases: list[Forged]) -> list[Answer]:
    """Return what the modules of the page say."""
    folders = [
        {
            "files": {
                path.relative_to(case.folder).as_posix(): base64.b64encode(path.read_bytes()).decode()
                for path in sorted(case.folder.rglob("*"))
                if path.is_file()
            },
            "options": brought(case.options),
        }
        for case in cases
    ]
    return [Answer(one["code"], one["reason"]) for one in evaluate(VERDICTS, folders)]


def compared(seed: int, count: int) -> list[tuple[Forged, Answer, Answer]]:
    """Return every lie with both answers."""
    with tempfile.TemporaryDirectory() as folder:
        cases = forged(seed, count, Path(folder))
        return list(zip(cases, map(by_the_command, cases), by_the_page(cases), strict=True))


def told(case: Forged, one: Answer, other: Answer) -> str:
    """Return one difference as a line."""
    codes = (one.code or "accepted", other.code or "accepted")
    return " | ".join((*codes, case.source, "; ".join(case.edits), one.reason, other.reason)) + "\n"


if __name__ == "__main__":
    answers = compared(int(sys.argv[1]), int(sys.argv[2]))
    apart = [answer for answer in answers if answer[1].code != answer[2].code]
    verdicts = sum((one.code == "") != (other.code == "") for _, one, other in apart)
    harmless = sum(one.code == "" for _, one, _ in answers)
    sys.stdout.writelines(sorted(told(*answer) for answer in apart))
    sys.stdout.write(f"{len(answers)} lies, {harmless} harmless; {verdicts} verdicts differ, {len(apart)} codes\n")
