"""`make page`: puts the second verifier into one file, docs/verify.html.

An auditor wants a file that opens from a disk without a server, and browsers load no modules from there. So every
module becomes a function's scope of its own, in the order of their imports, and a policy in the page names the hash
of the one script and forbids the network.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
MODULES = HOUSE / "surgdsl" / "browser"
PAGE = HOUSE / "docs" / "verify.html"

IMPORT = re.compile(r'^(import|export) \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|class (\w+)|const (\w+))", re.MULTILINE)


def path_of(module: str, imported: str) -> str:
    """Return the path of an imported module, from the folder of the verifier."""
    return (MODULES / module).parent.joinpath(imported).resolve().relative_to(MODULES.resolve()).as_posix()


def names_of(words: str) -> list[str]:
    return [name for word in words.split(",") if (name := word.strip())]


def order(entries: tuple[str, ...]) -> list[str]:
    """Return all modules that the entries need, each after those that it imports."""
    done: list[str] = []

    def visit(module: str, above: tuple[str, ...]) -> None:
        if module in done:
            return
        if module in above:
            raise ValueError(f"{' imports '.join((*above, module))}")
        for _, _, imported in IMPORT.findall((MODULES / module).read_text(encoding="utf-8")):
            visit(path_of(module, imported), (*above, module))
        done.append(module)

    for entry in entries:
        visit(entry, ())
    return done


def exports(text: str) -> list[str]:
    """Return the names that a module exports: its own, then those that it hands on."""
    own = [next(filter(None, match.groups())) for match in EXPORT.finditer(text)]
    return own + [name for kind, words, _ in IMPORT.findall(text) if kind == "export" for name in names_of(words)]


def bound(module: str, names: list[str], imported: str) -> str:
    """Return the statement that takes names from another module, which has them."""
    path = path_of(module, imported)
    taken = {name.split(" as ")[0] for name in names}
    if missing := taken - set(exports((MODULES / path).read_text(encoding="utf-8"))):
        raise ValueError(f"{module}: {path} does not export {', '.join(sorted(missing))}")
    return f"const {{ {', '.join(name.replace(' as ', ': ') for name in names)} }} = M[{json.dumps(path)}];\n"


def scoped(module: str) -> str:
    """Return a module as a statement that adds what it exports to the table of modules."""
    text = (MODULES / module).read_text(encoding="utf-8")
    body = EXPORT.sub("", IMPORT.sub(lambda match: bound(module, names_of(match[2]), match[3]), text))
    if stray := re.search(r"^(import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{module}: not a form that a page can hold: {stray[0]}")
    key = json.dumps(module)
    return f"// {module}\nM[{key}] = (() => {{\n{body}\nreturn {{ {', '.join(exports(text))} }};\n}})();\n"


def digest(text: str) -> str:
    """Return how a policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page() -> str:
    """Return the whole page."""
    modules = "\n".join(scoped(module) for module in order(("worker.js", "page.js")))
    house = f"const house = () => {{\nconst M = Object.create(null);\n{modules}\nreturn M;\n}};\n"
    script = f'"use strict";\n{house}house()["page.js"].start(house.toString());\n'
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a module would end the script of the page")
    style = (MODULES / "page.css").read_text(encoding="utf-8")
    parts = {"script-hash": digest(script), "style-hash": digest(style), "script": script, "style": style}
    frame = (MODULES / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{(script-hash|style-hash|script|style)\}", lambda match: parts[match[1]], frame)


if __name__ == "__main__":
    sys.stdout.write(page())
