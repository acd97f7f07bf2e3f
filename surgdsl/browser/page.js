/**
 * The page: takes files, starts the verification, shows how far it is, and then the verdict.
 */
import { fill, find, make } from "./dom.js";
import { readExpectations } from "./expectations.js";
import { chosenFiles, droppedFiles, namedInput } from "./gathering.js";
import { verdictOf } from "./verdict.js";
import { STAGES } from "./verify.js";

const WORDS = Object.freeze({
  __proto__: null,
  form: "Reading the certificate",
  weights: "Hashing every byte of the weights",
  input: "Typing and counting the input model",
  rewrites: "Re-computing the steps",
  output: "Comparing the result",
  claims: "Checking the claims",
  expectations: "Checking what you expect",
});

const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e7 ? 2 : 0 })} MB`;

/** What has been given, and the verification that runs. */
class Page {
  constructor(source) {
    this.source = source;
    this.folder = null;
    this.input = null;
    this.wanted = null;
    this.worker = null;
    this.busy = false;
  }

  listen() {
    find("folder").addEventListener("change", (event) => this.take({ folder: chosenFiles(event.target.files), single: null }));
    find("input").addEventListener("change", (event) => this.take({ folder: null, single: event.target.files[0] }));
    const drop = find("drop");
    const over = (on) => (event) => {
      event.preventDefault();
      drop.classList.toggle("over", on);
    };
    document.addEventListener("dragover", over(true));
    document.addEventListener("dragleave", over(false));
    document.addEventListener("drop", async (event) => {
      over(false)(event);
      const dropped = await droppedFiles(event.dataTransfer).catch(() => null);
      if (dropped === null) fill(find("chosen"), make("p.box.warn", "This browser does not let the page read what you dropped. Choose it with the button."));
      else this.take(dropped);
    });
    find("check").addEventListener("click", () => this.check());
    find("cancel").addEventListener("click", () => this.stop());
    // A verdict is one on what was expected then.
    find("form").addEventListener("input", () => (find("verdict").hidden = true));
    find("form").addEventListener("submit", (event) => event.preventDefault());
    // What is folded away is part of a printed report.
    globalThis.addEventListener("beforeprint", () => find("verdict").querySelectorAll("details").forEach((part) => part.setAttribute("open", "")));
  }

  /** Takes a folder, or the file of the input weights. */
  async take({ folder, single }) {
    find("verdict").hidden = true;
    if (folder) {
      this.folder = folder;
      this.input = null;
      this.wanted = await namedInput(folder.files);
    } else if (single) this.input = single;
    this.show();
    if (this.ready()) this.check();
  }

  ready() {
    return this.folder !== null && (this.input !== null || !this.needed());
  }

  needed() {
    return this.wanted !== null || !this.folder.files.has("input.safetensors");
  }

  show() {
    if (this.folder === null) return fill(find("chosen"), make("p", "Now the folder of the certificate, please."));
    const { name, files } = this.folder;
    const bytes = [...files.values()].reduce((total, file) => total + (file?.size ?? 0), 0);
    const input = this.input === null ? "" : ` Input weights: ${this.input.name}, ${megabytes(this.input.size)}.`;
    fill(find("chosen"), make("p", make("strong", name), `: ${files.size} files, ${megabytes(bytes)}.${input}`));
    find("ask-input").hidden = this.ready();
    const called = this.wanted === null ? "They are missing" : `They are called ${this.wanted}`;
    find("ask-words").textContent = `The weights that the surgery began with do not lie in this folder. ${called}; choose or drop them too.`;
    find("check").disabled = !this.ready();
  }

  /** Starts the verification with what the form expects. */
  check() {
    const { options, faults } = readExpectations();
    const wrong = find("wrong");
    fill(wrong, ...faults.map((fault) => make("p", fault)));
    wrong.hidden = faults.length === 0;
    find("verdict").hidden = true;
    if (faults.length > 0) {
      find("expect").open = true;
      return;
    }
    if (this.busy) this.stop();
    this.running(true);
    this.worker ??= this.started();
    this.worker.onmessage = ({ data }) => ("verdict" in data ? this.finish(data.verdict, options) : this.progress(data));
    this.worker.onerror = (event) => this.finish({ accepted: false, code: "V20", reason: `this verifier failed, which is no acceptance: ${event.message}`, stage: "form", found: null }, options);
    this.worker.postMessage({ files: [...this.folder.files], input: this.input, model: null, options });
  }

  /** A thread that holds the same modules as the page. */
  started() {
    const url = URL.createObjectURL(new Blob([`(${this.source})()["worker.js"].serve(self)`], { type: "text/javascript" }));
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    return worker;
  }

  running(on) {
    this.busy = on;
    find("progress").hidden = !on;
    find("cancel").hidden = !on;
    find("check").hidden = on;
    if (on) find("verdict").hidden = true;
    if (on) this.progress({ stage: "form" });
  }

  progress({ stage, done, total }) {
    const bar = find("progress-bar");
    const part = total > 0 ? done / total : 0;
    bar.value = (STAGES.indexOf(stage) + part) / STAGES.length;
    const words = find("progress-words");
    if (words.dataset.stage !== stage) words.textContent = `${WORDS[stage]} …`;
    words.dataset.stage = stage;
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
    this.running(false);
  }

  finish(verdict, options) {
    this.running(false);
    const section = find("verdict");
    fill(section, ...verdictOf(verdict, options, WORDS));
    section.dataset.accepted = String(verdict.accepted);
    section.dataset.code = verdict.code;
    find("check").textContent = "Check again";
    section.focus({ preventScroll: true });
    section.scrollIntoView({ block: "start" });
  }
}

/** Makes the page live. @param {string} source of the function that holds all modules, for the worker */
export function start(source) {
  if (!globalThis.crypto?.subtle) {
    fill(find("chosen"), make("p.box.warn", "This browser does not let a local page compute SHA-256. Use a current Chromium, Firefox or Safari."));
    return;
  }
  new Page(source).listen();
}
