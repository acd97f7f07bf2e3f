/**
 * From what an auditor drops or chooses to the files of a folder, by their paths below it.
 */

const RECORD = 1024 * 1024;

const inOrder = (files) => new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));

/** What was chosen with the folder button: paths begin with the folder's name. */
export function chosenFiles(list) {
  return rooted(new Map([...list].map((file) => [file.webkitRelativePath, file])));
}

/** The folder itself, or the one below it that holds `certificate/`: paths from there. */
function rooted(files) {
  const cert = [...files.keys()].filter((path) => /(^|\/)certificate\//.test(path)).sort((a, b) => a.length - b.length)[0];
  const root = cert === undefined ? ([...files.keys()][0] ?? "").split("/", 1)[0] : cert.slice(0, cert.lastIndexOf("certificate/")).replace(/\/$/, "");
  const below = [...files].filter(([path]) => root === "" || path.startsWith(`${root}/`));
  return { name: root.split("/").pop() || "the files", files: inOrder(below.map(([path, file]) => [root === "" ? path : path.slice(root.length + 1), file])) };
}

const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** All children of a folder; the browser hands them out in portions. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return all;
    all.push(...portion);
  }
}

async function walk(entry, path, files) {
  if (entry.isFile) files.set(path, await fileOf(entry).catch(() => null));
  else for (const child of await childrenOf(entry)) await walk(child, `${path}/${child.name}`, files);
}

/** What was dropped: folders with all that they hold, and single files. */
export async function droppedFiles(transfer) {
  // The items are gone after the first wait, so their entries are taken at once.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
  const files = new Map();
  for (const entry of entries) await walk(entry, entry.name, files);
  const folder = entries.find((entry) => entry.isDirectory);
  return { folder: folder ? rooted(files) : null, single: folder ? null : ([...files.values()][0] ?? null) };
}

/** The name of the input weights that `run.json` gives, when they do not lie in the folder. */
export async function namedInput(files) {
  const record = files.get("run.json");
  if (!record || record.size > RECORD) return null;
  try {
    const { input } = JSON.parse(await record.text());
    return typeof input === "string" && input !== "input.safetensors" ? input.split(/[\\/]/).pop() : null;
  } catch {
    return null;
  }
}
