"""Runs functions of the browser's verifier, in node where there is one, else in Chromium.

The modules are written for a browser; node reads the same files and starts in a tenth of the time.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "surgdsl" / "browser"
NODE = """
import { readFileSync } from "node:fs";
const script = %s;
process.stdout.write(JSON.stringify(await script(%s, JSON.parse(readFileSync(0, "utf8")))));
"""


def evaluate(script: str, value: object) -> Any:
    """What `async (base, input) => output` returns; modules are imported from `base`, values are JSON."""
    node = shutil.which("node")
    if node is not None:
        text = NODE % (script, json.dumps(ROOT.as_uri() + "/"))
        command = [node, "--input-type=module", "--eval", text]
        done = subprocess.run(
            command, input=json.dumps(value), capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return _in_chromium(script, value)


def _in_chromium(script: str, value: object) -> Any:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("neither node nor Chromium is here")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium)
        page = browser.new_page()
        page.route("http://localhost/**", _serve)
        page.goto("http://localhost/")
        return page.evaluate(f"([input]) => ({script})('http://localhost/', input)", [value])


def _serve(route: Any) -> None:
    """Answers for a site that is nowhere: modules are not loaded from files."""
    path = ROOT / route.request.url.removeprefix("http://localhost/")
    if path.suffix == ".js":
        route.fulfill(body=path.read_text(), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")
