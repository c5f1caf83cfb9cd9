/**
 * A picture from outside, as pixels: looked at before it is decoded, and decoded within bounds.
 *
 * A file of some kilobytes may claim a billion pixels, so its size is read from its first bytes,
 * and what is too large never reaches the browser's decoder.
 */

import { say } from "./words.js";

/** Pixels of a file at most. */
const MOST_PIXELS = 100_000_000;

/** Bytes of a file at most. */
const MOST_PICTURE_BYTES = 200_000_000;

/** The longest side that is kept: a larger picture is made smaller once it is decoded. */
const LONGEST_SIDE = 2048;

/** The first bytes, in which nearly every file says its size; a photo's comes behind its preview. */
const HEAD_BYTES = 2 ** 19;

/**
 * Decode a picture.
 *
 * @param {File|Blob} file
 * @returns {Promise<{width: number, height: number, data: Uint8ClampedArray, note: ?string}>} Its
 *   pixels, upright, RGBA, and a sentence where it was made smaller.
 * @throws {Error} With a sentence, where it is no picture, too large or broken.
 */
export async function readPictureFile(file) {
  const name = file.name || say("the picture");
  if (file.size > MOST_PICTURE_BYTES) {
    throw new Error(
      say("{name} has {count} MB, more than the {most} MB that are read. Save it smaller.", {
        name,
        count: Math.ceil(file.size / 1e6),
        most: MOST_PICTURE_BYTES / 1e6,
      }),
    );
  }
  const size = await sizeOfFile(file);
  if (size === null) {
    throw new Error(
      say("{name} is no picture that this page reads. Save it as PNG or JPEG.", { name }),
    );
  }
  const pixels = size.width * size.height;
  if (pixels > MOST_PIXELS) {
    throw new Error(
      say(
        "{name} has {count} megapixels, more than the {most} that are decoded. Make it smaller.",
        {
          name,
          count: Math.ceil(pixels / 1e6),
          most: MOST_PIXELS / 1e6,
        },
      ),
    );
  }
  const bitmap = await bitmapOf(file, name);
  // Only now is it known how wide it is: a photo may lie on its side until it is decoded.
  const share = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const sides = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(share * side)));
  const picture = pixelsOf(bitmap, ...sides);
  const note = say("{name}, {width} × {height}, was made smaller to {side} pixels a side.", {
    name,
    width: String(bitmap.width),
    height: String(bitmap.height),
    side: String(LONGEST_SIDE),
  });
  bitmap.close(); // its memory, up to 400 MB, would wait for a collector that does not see it
  return { ...picture, note: share < 1 ? note : null };
}

/**
 * Return the pixels of what a canvas can draw, transparent parts on white.
 *
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {{width: number, height: number, data: Uint8ClampedArray}}
 */
export function pixelsOf(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, width, height);
  return { width, height, data: pen.getImageData(0, 0, width, height).data };
}

/**
 * Read width and height from the first bytes of a file.
 *
 * @param {Uint8Array} bytes
 * @returns {{width: number, height: number}|null} Null where they are not those of a PNG, JPEG,
 *   GIF, WebP, BMP or AVIF, or end too soon.
 */
export function pictureSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = (at, text) =>
    at + text.length <= bytes.length &&
    [...text].every((sign, i) => bytes[at + i] === sign.charCodeAt(0));
  try {
    const found = SIZE_READERS.find(({ isOne }) => isOne(mark))?.size(view, mark) ?? null;
    return found && found.width > 0 && found.height > 0 ? found : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // behind the last byte
    throw error;
  }
}

const SIZE_READERS = [
  {
    isOne: (mark) => mark(0, "\x89PNG\r\n\x1a\n"),
    size: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  },
  { isOne: (mark) => mark(0, "\xff\xd8\xff"), size: jpegSize },
  {
    isOne: (mark) => mark(0, "GIF8"),
    size: (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) }),
  },
  { isOne: (mark) => mark(0, "RIFF") && mark(8, "WEBP"), size: webpSize },
  {
    isOne: (mark) => mark(0, "BM"),
    size: (view) => ({
      width: Math.abs(view.getInt32(18, true)),
      height: Math.abs(view.getInt32(22, true)), // negative from top to bottom
    }),
  },
  { isOne: (mark) => mark(4, "ftypavif") || mark(4, "ftypavis"), size: avifSize },
];

/** Source: ITU-T T.81, annex B: the frame header is one of the markers C0 to CF but C4, C8, CC. */
function jpegSize(view) {
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // a fill byte
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
}

/** Source: RFC 9649: a picture that may lose, one that loses nothing, or an extended header. */
function webpSize(view, mark) {
  if (mark(12, "VP8 ")) {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (mark(12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  const wide = (at) => 1 + (view.getUint32(at, true) & 0xffffff);
  return mark(12, "VP8X") ? { width: wide(24), height: wide(27) } : null;
}

/** Source: ISO/IEC 23008-12: each "ispe" property is a size; the picture's is the largest. */
function avifSize(view, mark) {
  let largest = null;
  for (let at = 0; at + 16 <= Math.min(view.byteLength, 2 ** 16); at++) {
    if (view.getUint8(at) !== 0x69 || !mark(at, "ispe")) continue;
    const found = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (largest === null || found.width * found.height > largest.width * largest.height) {
      largest = found;
    }
  }
  return largest;
}

async function sizeOfFile(file) {
  const head = pictureSize(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (head !== null || file.size <= HEAD_BYTES) return head;
  return pictureSize(new Uint8Array(await file.arrayBuffer()));
}

async function bitmapOf(file, name) {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Error(
      say("{name} can't be decoded: it is broken or cut short. Save it anew as PNG or JPEG.", {
        name,
      }),
    );
  }
}
