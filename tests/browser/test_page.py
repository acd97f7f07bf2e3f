"""The page in a real browser, offline: its verdicts on the corpus, what an auditor can do, what a liar cannot."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

from tests.browser.bundle import PAGE
from tests.browser.bundle import page as built

CORPUS = Path(__file__).resolve().parents[1] / "verifier" / "corpus"
CASES = sorted(path.parent for path in CORPUS.glob("*/*/expected.json"))
FIELDS = {
    "--expect-input": "#expect-input",
    "--expect-graph": "#expect-graph",
    "--expect-output": "#expect-output",
    "--expect-spec": "#expect-spec",
    "--min-sequence": "#min-sequence",
    "--signatures": "#signatures",
    "--trust": "#trust",
    "--require": "#require",
    "--key": "#keys",
}


def give(page: Page, folder: Path) -> str:
    """Hand a folder to the page, wait for the verdict and return its code ("" when accepted)."""
    page.set_input_files("#folder", folder)
    page.wait_for_selector("#verdict:not([hidden])")
    accepted = page.get_attribute("#verdict", "data-accepted")
    code = page.get_attribute("#verdict", "data-code") or ""
    assert (accepted == "true") == (code == "")
    return code


def expect(page: Page, case: Path, options: list[str]) -> None:
    """Fill in what the auditor of a case expects."""
    page.click("#expect summary")
    words = iter(options)
    for word in words:
        if word == "--strict":
            page.check("#strict")
            continue
        value = next(words)
        text = (case / value).read_text(encoding="utf-8") if word == "--key" else value
        field = page.locator(FIELDS[word])
        field.fill("\n".join(filter(None, (field.input_value().strip(), text.strip()))))


def test_the_file_is_what_the_modules_make() -> None:
    assert built() == PAGE.read_text(encoding="utf-8"), "make page"


def test_every_verdict_on_the_corpus_is_that_of_the_other_verifier(page: Page) -> None:
    wrong: list[str] = []
    for case in CASES:
        asked = json.loads((case / "expected.json").read_text(encoding="utf-8"))
        if asked.get("only") == "command":
            continue
        if asked["options"]:
            expect(page, case, asked["options"])
        code = give(page, case)
        if code != asked["code"]:
            reason = page.inner_text("#verdict .banner")
            wrong.append(f"{case.name}: {code or 'accepted'}, not {asked['code'] or 'accepted'}: {reason}")
        if asked["options"]:
            page.reload()
    assert wrong == []
    assert len(CASES) > 200


def drop(page: Page, path: Path) -> None:
    """Drop a folder or a file where an auditor would, as the mouse does."""
    box = page.locator("#drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 20, "data": data})


def test_a_folder_can_be_dropped(page: Page) -> None:
    drop(page, CORPUS / "good" / "prune-residual")
    page.wait_for_selector("#verdict:not([hidden])")
    assert "Accepted" in page.inner_text("#verdict")


@pytest.fixture
def apart(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate whose input weights lie elsewhere, as `run.json` says; and these weights."""
    folder = tmp_path / "result"
    shutil.copytree(CORPUS / "good" / "prune-residual", folder)
    weights = tmp_path / "trained.safetensors"
    (folder / "input.safetensors").rename(weights)
    (folder / "run.json").write_text('{"input": "../trained.safetensors"}', encoding="utf-8")
    return folder, weights


def test_input_weights_that_lie_elsewhere_are_asked_for(page: Page, apart: tuple[Path, Path]) -> None:
    folder, weights = apart
    page.set_input_files("#folder", folder)
    page.wait_for_selector("#ask-input:not([hidden])")
    assert "trained.safetensors" in page.inner_text("#ask-input")
    drop(page, weights)
    page.wait_for_selector("#verdict:not([hidden])")
    assert page.get_attribute("#verdict", "data-accepted") == "true"


def test_a_verdict_without_expectations_is_unbound_and_one_with_them_is_not(page: Page) -> None:
    case = CORPUS / "good" / "prune-residual"
    assert give(page, case) == ""
    assert "UNBOUND" in page.inner_text("#verdict")
    digests = page.locator("#verdict .box dd .mono").all_inner_texts()
    page.click("#expect summary")
    for field, digest in zip(
        ("#expect-input", "#expect-graph", "#expect-output", "#expect-spec"), digests, strict=True
    ):
        page.fill(field, digest)
    page.check("#strict")
    page.click("#check")
    page.wait_for_selector("#verdict dd:has-text('as you expected')")
    assert "UNBOUND" not in page.inner_text("#verdict")
    page.fill("#expect-spec", "0" * 64)
    page.click("#check")
    page.wait_for_selector("#verdict[data-code=V19]")


def test_a_requirement_that_is_not_met_is_the_reason(page: Page) -> None:
    page.click("#expect summary")
    page.fill("#require", "size <= 1%")
    assert give(page, CORPUS / "good" / "prune-residual") == "V19"
    assert "size <= 1%" in page.inner_text("#verdict")


def test_what_is_not_understood_in_the_form_is_said_and_nothing_is_checked(page: Page) -> None:
    assert give(page, CORPUS / "good" / "identity") == ""
    page.click("#expect summary")
    page.fill("#require", "make it good")
    page.fill("#expect-input", "abc")
    assert page.is_hidden("#verdict"), "a verdict is one on what was expected then"
    page.click("#check")
    page.wait_for_selector("#wrong:not([hidden])")
    assert page.locator("[aria-invalid=true]").count() == 2
    assert page.is_hidden("#verdict")


def test_names_of_a_liar_become_text_and_nothing_else(page: Page, tmp_path: Path) -> None:
    ran: list[bool] = []
    page.expose_function("robbed", lambda: ran.append(True))
    folder = tmp_path / "<img src=x onerror=robbed()>"
    shutil.copytree(CORPUS / "good" / "identity", folder)
    (folder / "certificate" / "<script>robbed()<").write_text("<b>", encoding="utf-8")
    assert give(page, folder) == "V01"
    assert page.locator("main img, main b, main script").count() == 0
    assert ran == []
    assert "<script>robbed()<" in page.inner_text("#verdict")


def test_characters_that_turn_the_writing_are_shown_as_what_they_are(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(CORPUS / "good" / "identity", folder)
    (folder / "certificate" / "a\u202eb\x1b[31m").write_text("", encoding="utf-8")
    assert give(page, folder) == "V01"
    shown = page.inner_text("#verdict")
    assert "a\\u202eb\\u001b[31m" in shown
    assert not set("\u202e\x1b") & set(shown)


def test_nothing_leaves_the_page_and_nothing_could(page: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    assert give(page, CORPUS / "good" / "prune-residual") == ""
    assert [address for address in asked if not address.startswith("blob:")] == []
    refused = page.evaluate("fetch('data:text/plain,x').then(() => 'went', (fault) => fault.name)")
    assert refused == "TypeError"
    ran = page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = 1";
      document.body.append(script);
      return window.ran;
    }""")
    assert ran is None


def test_the_policy_names_the_hash_of_the_one_script() -> None:
    text = PAGE.read_text(encoding="utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_the_page_can_be_used_with_the_keyboard_alone(page: Page) -> None:
    order: list[str] = []
    for _ in range(4):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert order[:2] == ["folder", "SUMMARY"]
    assert give(page, CORPUS / "good" / "identity") == ""
    assert page.evaluate("document.activeElement.id") == "verdict"
