/**
 * The second verifier from a shell: `node command.mjs FOLDER [options]`, for tests and debugging. The page is what an auditor uses.
 *
 * Options are those of `surg-verify`; exit codes too: 0 accepted, 2 usage, 4 rejected.
 */
import { constants } from "node:fs";
import { lstat, open, readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isDigest } from "./canonical.js";
import { reportOf } from "./report.js";
import { parseRequirement } from "./requirement.js";
import { keyOf } from "./signature.js";
import { verify } from "./verify.js";

const MANY = { type: "string", multiple: true };
const ONE = { type: "string" };
const OPTIONS = {
  input: ONE, model: ONE, "expect-input": ONE, "expect-graph": ONE, "expect-output": ONE, "expect-spec": ONE, "min-sequence": ONE, trust: MANY, key: MANY, signatures: ONE,
  require: MANY, strict: { type: "boolean" }, json: { type: "boolean" },
};

function usage(message) {
  process.stderr.write(`command.mjs: ${message}\n`);
  process.exit(2);
}

/** A file by its path, or null when it is none; never a link when `linked` is false. */
async function fileAt(path, linked) {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (linked ? 0 : constants.O_NOFOLLOW);
  const handle = await open(path, flags).catch(() => null);
  const stat = handle === null ? null : await handle.stat();
  if (stat === null || !stat.isFile()) return null;
  const read = async (start, end) => {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  };
  return { size: stat.size, read };
}

async function entriesOf(folder) {
  const entries = new Map();
  const walk = async (path) => {
    for (const item of await readdir(join(folder, path))) {
      const below = path === "" ? item : `${path}/${item}`;
      const isFolder = (await lstat(join(folder, below))).isDirectory();
      if (isFolder && ["certificate", "certificate/blobs"].includes(below)) await walk(below);
      else if (path !== "" || !isFolder) entries.set(below, await fileAt(join(folder, below), false));
    }
  };
  await walk("");
  return entries;
}

/** The input weights: as named by hand, else where `run.json` says, else in the folder. */
async function inputOf(folder, entries, given) {
  if (given !== undefined) return fileAt(given, true);
  if (!entries.has("run.json")) return null;
  const { input } = JSON.parse(await readFile(join(folder, "run.json"), "utf8"));
  return typeof input === "string" ? fileAt(resolve(folder, input), true) : null;
}

async function optionsOf(values) {
  for (const name of ["expect-input", "expect-graph", "expect-output", "expect-spec"]) if (name in values && !isDigest(values[name])) usage(`--${name}: no digest`);
  for (const digest of values.trust ?? []) if (!isDigest(digest)) usage("--trust: no digest");
  const keys = new Map();
  for (const path of values.key ?? []) {
    const key = keyOf(await readFile(path, "utf8").catch(() => ""));
    if (key === null) usage(`--key ${path}: no public key of Ed25519`);
    keys.set(key.join(), key);
  }
  const signatures = values.signatures === undefined ? undefined : Number(values.signatures);
  if (signatures !== undefined && !(Number.isInteger(signatures) && signatures >= 1 && signatures <= keys.size)) usage("--signatures: from 1 to the number of keys");
  const requirements = (values.require ?? []).map((text) => parseRequirement(text) ?? usage(`--require ${text}: no requirement`));
  return {
    expectInput: values["expect-input"], expectGraph: values["expect-graph"], expectOutput: values["expect-output"], expectSpec: values["expect-spec"], trust: values.trust ?? [],
    minSequence: Number(values["min-sequence"] ?? 0), require: requirements, strict: values.strict ?? false, keys: [...keys.values()], signatures,
  };
}

async function main() {
  const { values, positionals } = (() => {
    try {
      return parseArgs({ options: OPTIONS, allowPositionals: true });
    } catch (fault) {
      return usage(fault.message);
    }
  })();
  if (positionals.length !== 1) usage("one folder is expected");
  const [folder] = positionals;
  const entries = await entriesOf(folder).catch(() => new Map());
  const input = await inputOf(folder, entries, values.input).catch(() => null);
  const model = values.model === undefined ? null : await fileAt(values.model, true);
  const verdict = await verify({ entries, input, model, options: await optionsOf(values) });
  if (values.json) process.stdout.write(`${JSON.stringify({ accepted: verdict.accepted, code: verdict.code, reason: verdict.reason })}\n`);
  else process.stdout.write(`${reportOf(verdict).join("\n")}\n`);
  if (verdict.fault) process.stderr.write(`${verdict.fault.stack}\n`);
  process.exit(verdict.accepted ? 0 : 4);
}

await main();
