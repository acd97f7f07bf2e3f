"""`make page`: puts the second verifier into one file, docs/verify.html.

An auditor wants a file that opens from a disk without a server, and browsers load no modules from there. So every module becomes
a function's scope of its own, in the order of their imports, and a policy in the page names the hash of the one script and forbids the network.
"""

import base64
import hashlib
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


def scoped(module: str) -> str:
    """Return a module as a statement that adds what it exports to the table of modules."""
    text = (MODULES / module).read_text(encoding="utf-8")
    handed = [f"{name}: M[{path_of(module, path)!r}].{name}" for kind, words, path in IMPORT.findall(text) if kind == "export" for name in names_of(words)]
    own = [next(filter(None, match.groups())) for match in EXPORT.finditer(text)]

    def bound(match: re.Match[str]) -> str:
        kind, words, path = match.groups()
        return f"const {{ {', '.join(names_of(words))} }} = M[{path_of(module, path)!r}];\n" if kind == "import" else ""

    body = EXPORT.sub("", IMPORT.sub(bound, text))
    if stray := re.search(r"^(import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{module}: not a form that a page can hold: {stray[0]}")
    return f"// {module}\nM[{module!r}] = (() => {{\n{body}\nreturn {{ {', '.join([*own, *handed])} }};\n}})();\n"


def digest(text: str) -> str:
    """Return how a policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page() -> str:
    """Return the whole page."""
    modules = "\n".join(scoped(module) for module in order(("worker.js", "page.js")))
    script = f'"use strict";\nconst house = () => {{\nconst M = Object.create(null);\n{modules}\nreturn M;\n}};\nhouse()["page.js"].start(house.toString());\n'
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a module would end the script of the page")
    style = (MODULES / "page.css").read_text(encoding="utf-8")
    parts = {"script-hash": digest(script), "style-hash": digest(style), "script": script, "style": style}
    frame = (MODULES / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{(script-hash|style-hash|script|style)\}", lambda match: parts[match[1]], frame)


if __name__ == "__main__":
    sys.stdout.write(page())
