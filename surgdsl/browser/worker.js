/**
 * The verification on a thread of its own, so that the page stays alive: files in, progress and a verdict out.
 */
import { verify } from "./verify.js";

/** A file of the browser as what the verifier reads: never more of it than asked. */
const reading = (file) => file && { size: file.size, read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()) };

/** Answers the one request of a page. @param {Worker} scope the worker's own */
export function serve(scope) {
  scope.onmessage = async ({ data: { files, input, model, options } }) => {
    const entries = new Map(files.map(([path, file]) => [path, reading(file)]));
    const progress = (stage, done, total) => scope.postMessage({ stage, done, total });
    const { fault: _fault, ...verdict } = await verify({ entries, input: reading(input), model: reading(model), options, progress });
    scope.postMessage({ verdict });
  };
}
