/** Named arrays with a JSON description in one safetensors file: data only, never code. */

const KIND_OF_FILE = "model";
const FORMAT_READ = 1;
const DESCRIPTION_KEY = "clearprop";
const BYTES_OF_LENGTH = 8;

const TENSOR_READERS = {
  F32: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  F64: { size: 8, read: (view, at) => view.getFloat64(at, true) },
};

/**
 * Read a model file, whatever it claims: every claim is compared with the bytes that are there.
 *
 * @param {Uint8Array} bytes - The whole file.
 * @returns {{description: object, arrays: Map<string, {shape: number[], data: Float64Array}>}}
 *   What was saved with the arrays, and the arrays by name, widened to float64.
 * @throws {Error} If the file is cut short, claims more than it holds, or is no model file.
 */
export function readTensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, start } = headerOf(bytes, view);
  const arrays = new Map();
  let end = start;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  for (const [name, claim] of entries.sort(byFirstByte)) {
    const array = arrayOf(view, name, claim, start, end);
    arrays.set(name, array);
    end = start + claim.data_offsets[1];
  }
  if (end !== bytes.length) {
    throw new Error(`The model file has ${bytes.length} bytes, its arrays end at ${end}. ${AGAIN}`);
  }
  return { description: descriptionOf(header.__metadata__), arrays };
}

const AGAIN = "It was cut short or changed: make the page again from the model file.";

function headerOf(bytes, view) {
  const longest = bytes.length - BYTES_OF_LENGTH;
  const length = longest < 0 ? NaN : Number(view.getBigUint64(0, true));
  if (!(length <= longest)) {
    throw new Error(
      `The model file has ${bytes.length} bytes, too few for the header that it begins with. ${AGAIN}`,
    );
  }
  const text = bytes.subarray(BYTES_OF_LENGTH, BYTES_OF_LENGTH + length);
  const header = parsedObject(text, "header");
  return { header, start: BYTES_OF_LENGTH + length };
}

function parsedObject(bytes, what) {
  let found;
  try {
    const text =
      typeof bytes === "string" ? bytes : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    found = JSON.parse(withoutNaN(text));
  } catch {
    throw new Error(`The ${what} of the model file is no JSON. ${AGAIN}`);
  }
  if (found === null || typeof found !== "object" || Array.isArray(found)) {
    throw new Error(`The ${what} of the model file is no object of JSON. ${AGAIN}`);
  }
  return found;
}

/** Write null for NaN and infinities, which Python's JSON has and others' has not. */
function withoutNaN(text) {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : "null",
  );
}

function byFirstByte([, one], [, other]) {
  return (one?.data_offsets?.[0] ?? 0) - (other?.data_offsets?.[0] ?? 0);
}

function arrayOf(view, name, claim, start, expectedStart) {
  const { dtype, shape, data_offsets: offsets } = claim ?? {};
  const reader = Object.hasOwn(TENSOR_READERS, dtype) ? TENSOR_READERS[dtype] : undefined;
  if (reader === undefined) {
    throw new Error(
      `The array "${name}" is of type ${dtype}; a model file holds ${Object.keys(TENSOR_READERS).join(", ")}.`,
    );
  }
  const isShape =
    Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  const [first, last] = Array.isArray(offsets) ? offsets : [];
  const count = isShape ? shape.reduce((product, size) => product * size, 1) : NaN;
  if (
    start + first !== expectedStart ||
    last - first !== count * reader.size ||
    start + last > view.byteLength
  ) {
    throw new Error(
      `The array "${name}" claims the shape [${shape}] in the bytes [${offsets}], which the model ` +
        `file of ${view.byteLength} bytes does not hold. ${AGAIN}`,
    );
  }
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    data[i] = reader.read(view, start + first + i * reader.size);
  }
  return { shape, data };
}

function descriptionOf(metadata) {
  const text = metadata?.[DESCRIPTION_KEY];
  if (typeof text !== "string") {
    throw new Error(
      `The file has no description under "${DESCRIPTION_KEY}", so it is no model of clearprop's.`,
    );
  }
  const description = parsedObject(text, "description");
  if (description.kind !== KIND_OF_FILE) {
    throw new Error(`The file says it is a ${description.kind}, expected a ${KIND_OF_FILE}.`);
  }
  if (description.format !== FORMAT_READ) {
    throw new Error(
      `The model file is of format ${description.format}, this page reads format ${FORMAT_READ}. ` +
        "Make the page with the clearprop that saved the model.",
    );
  }
  return description;
}
