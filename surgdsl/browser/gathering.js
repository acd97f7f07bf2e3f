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

/** A file or folder as Firefox and Safari hand it out, with all that it holds. */
async function walkEntry(entry, path, files) {
  if (entry.isFile) files.set(path, await fileOf(entry));
  else for (const child of await childrenOf(entry)) await walkEntry(child, `${path}/${child.name}`, files);
}

/** The same for Chromium, which reads no folder of the other kind on a page that was opened from a disk. */
async function walkHandle(handle, path, files) {
  if (handle.kind === "file") files.set(path, await handle.getFile());
  else for await (const [name, child] of handle.entries()) await walkHandle(child, `${path}/${name}`, files);
}

/**
 * What was dropped: a folder with all that it holds, or one file.
 * @returns {Promise<{folder: object | null, single: File | null}>} fails where the browser does not let the page read it.
 */
export async function droppedFiles(transfer) {
  // The items are gone after the first wait, so each is asked for at once.
  const asked = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.getAsFileSystemHandle?.() ?? item.webkitGetAsEntry());
  const files = new Map();
  let isFolder = false;
  for (const item of await Promise.all(asked)) {
    isFolder ||= item.isDirectory ?? item.kind === "directory";
    await ("isFile" in item ? walkEntry : walkHandle)(item, item.name, files);
  }
  return isFolder ? { folder: rooted(files), single: null } : { folder: null, single: [...files.values()][0] ?? null };
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
