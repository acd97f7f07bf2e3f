/**
 * A strict reader of safetensors headers (section 5).
 *
 * The file says where its tensors lie; nothing is believed before it is compared with the size of the file. An output file has one
 * possible header, so that one is written again and compared byte for byte.
 */
import { isDtype, isName, parseLoosely, quoted } from "./canonical.js";
import { WIDTH } from "./number.js";
import { demand } from "./reject.js";

const HEADER = 64 * 1024 * 1024;
const RANK = 8;
const TENSORS = 200000;
const LARGE = 2 ** 46;

const whole = (value) => Number.isSafeInteger(value) && value >= 0 && value < LARGE;

/** Whether a value is an object of texts, none of them with half of a surrogate pair. */
function isTexts(value) {
  const texts = typeof value === "object" && !Array.isArray(value) ? Object.entries(value).flat() : [null];
  return texts.every((text) => typeof text === "string" && !/\p{Surrogate}/u.test(text));
}

/** One row of a header, checked by itself. */
function row(name, fields, what) {
  const keys = typeof fields === "object" && !Array.isArray(fields) ? Object.keys(fields).sort().join(" ") : "";
  demand(isName(name), "V07", `${what}: the name ${JSON.stringify(name)}`);
  demand(keys === "data_offsets dtype shape", "V07", `${what}: the fields of ${name}`);
  const { dtype, shape, data_offsets: offsets } = fields;
  demand(isDtype(dtype), "V07", `${what}: the dtype of ${name}`);
  demand(Array.isArray(shape) && shape.length <= RANK && shape.every(whole), "V07", `${what}: the shape of ${name}`);
  const pair = Array.isArray(offsets) && offsets.length === 2 && offsets.every(whole);
  demand(pair && offsets[0] <= offsets[1], "V07", `${what}: the offsets of ${name}`);
  const nbytes = shape.reduce((total, extent) => total * BigInt(extent), BigInt(WIDTH[dtype]));
  demand(nbytes === BigInt(offsets[1] - offsets[0]), "V07", `${what}: ${name} has ${offsets[1] - offsets[0]} bytes, its shape asks for ${nbytes}`);
  return { dtype, shape, start: offsets[0], end: offsets[1] };
}

/** The rows cover the data, each byte once. */
function demandCover(rows, length, what) {
  let at = 0;
  for (const [name, { start, end }] of [...rows].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    demand(start === at, "V07", `${what}: a hole or an overlap before ${name}`);
    at = end;
  }
  demand(at === length, "V07", `${what}: ${length} bytes of data, ${at} of them in tensors`);
}

/** The one header that an output file with these rows has. */
function canonicalHeader(rows) {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const items = sorted.map(([name, { dtype, shape, start, end }]) =>
    `${quoted(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${start},${end}]}`);
  const text = `{${items.join(",")}}`;
  return new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
}

function demandCanonical(rows, header, what) {
  const expected = canonicalHeader(rows);
  const equal = expected.length === header.length && expected.every((byte, i) => byte === header[i]);
  demand(equal, "V07", `${what}: the header is not canonical`);
  let at = 0;
  for (const [name, { start, end }] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    demand(start === at, "V07", `${what}: ${name} does not lie in the order of the names`);
    at = end;
  }
}

/**
 * The tensors of a weight file.
 * @param {{size: number, read: (start: number, end: number) => Promise<Uint8Array>}} file
 * @param {{canonical: boolean, what: string}} options `canonical`: as the output file has to be.
 * @returns {Promise<Map<string, {dtype: string, shape: number[], start: number, end: number}>>} offsets in the file. Rejects with V07, V20.
 */
export async function readHeader(file, { canonical, what }) {
  demand(file.size >= 8, "V07", `${what}: shorter than 8 bytes`);
  const first = await file.read(0, 8);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  demand(length <= BigInt(HEADER), "V20", `${what}: a header of ${length} bytes`);
  demand(length + 8n <= BigInt(file.size), "V07", `${what}: a header that is longer than the file`);
  const data = 8 + Number(length);
  const header = await file.read(8, data);
  demand(header[0] === 0x7b, "V07", `${what}: the header does not begin with {`);
  const json = parseLoosely(header);
  demand(typeof json === "object" && !Array.isArray(json), "V07", `${what}: the header is no object`);
  demand(isTexts(json.__metadata__ ?? {}), "V07", `${what}: __metadata__ is no object of texts`);
  demand(Object.keys(json).length <= TENSORS + 1, "V20", `${what}: more than ${TENSORS} tensors`);
  const rows = new Map();
  for (const [name, fields] of Object.entries(json)) {
    if (name !== "__metadata__" || canonical) rows.set(name, row(name, fields, what));
  }
  demandCover(rows, file.size - data, what);
  if (canonical) demandCanonical(rows, header, what);
  return new Map([...rows].map(([name, { start, end, ...rest }]) => [name, { ...rest, start: start + data, end: end + data }]));
}
