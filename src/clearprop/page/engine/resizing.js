/**
 * Pictures to one size, as Pillow brings them there: to the last bit.
 *
 * Canvases of browsers shrink each in its own way, so that one picture would be answered in
 * different ways. Decoding is the browser's all the same: a JPEG may differ by a level here and
 * there, colours of more than 8 bits are cut to 8, and pixels that are partly transparent have lost
 * what a canvas rounds.
 */

const FRACTION_BITS = 22; // of the filter's whole numbers, as in Pillow's Resample.c
const LANCZOS_REACH = 3;
const OPAQUE = 255;

/**
 * Lay a picture on white where it is transparent, make it grey or RGB, and bring it to a size.
 *
 * @param {{width: number, height: number, data: Uint8ClampedArray}} picture - RGBA, row by row.
 * @param {number[]} size - Height and width.
 * @param {number} channels - 3 for RGB, 1 for grey.
 * @returns {Uint8ClampedArray} (height, width, channels).
 */
export function resizedPicture(picture, [height, width], channels) {
  let found = {
    width: picture.width,
    height: picture.height,
    pixels: channels === 1 ? greyOf(picture) : colourOf(picture),
  };
  // Levels are rounded after each of the two, so that their order counts; it is that of Pillow 13.
  const [narrower, lower] = [picture.width - width, picture.height - height];
  const downFirst = lower > 0 && lower > 2 * narrower;
  for (const isDown of downFirst ? [true, false] : [false, true]) {
    found = isDown
      ? resampledDown(found, height, channels)
      : resampledAcross(found, width, channels);
  }
  return found.pixels;
}

function colourOf({ width, height, data }) {
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[to + channel] = onWhite(data[from + channel], data[from + 3]);
    }
  }
  return pixels;
}

/** The weights are those of ITU-R 601-2, in 65536ths. */
function greyOf({ width, height, data }) {
  const pixels = new Uint8ClampedArray(width * height);
  for (let at = 0; at < pixels.length; at++) {
    const alpha = data[4 * at + 3];
    const red = onWhite(data[4 * at], alpha);
    const green = onWhite(data[4 * at + 1], alpha);
    const blue = onWhite(data[4 * at + 2], alpha);
    pixels[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return pixels;
}

/** Lay a level on white, with the whole numbers of Pillow's AlphaComposite.c. */
function onWhite(level, alpha) {
  if (alpha === OPAQUE) {
    return level;
  }
  if (alpha === 0) {
    return OPAQUE;
  }
  const outAlpha = alpha * 255 + 255 * (255 - alpha);
  const share = Math.floor((alpha * 255 * 255 * 128) / outAlpha);
  const mixed = level * share + 255 * (255 * 128 - share) + (0x80 << 7);
  return ((mixed >>> 8) + mixed) >>> 15;
}

function resampledAcross({ width, height, pixels }, wanted, channels) {
  const along = { lines: height, count: width, wanted };
  const steps = { lineStep: width, step: 1, outLineStep: wanted, outStep: 1 };
  return { width: wanted, height, pixels: resampled(pixels, channels, { ...along, ...steps }) };
}

function resampledDown({ width, height, pixels }, wanted, channels) {
  const along = { lines: width, count: height, wanted };
  const steps = { lineStep: 1, step: width, outLineStep: 1, outStep: width };
  return { width, height: wanted, pixels: resampled(pixels, channels, { ...along, ...steps }) };
}

/** Resample every line of a picture to another number of pixels, along one of its axes. */
function resampled(
  pixels,
  channels,
  { lines, count, wanted, lineStep, step, outLineStep, outStep },
) {
  if (count === wanted) {
    return pixels;
  }
  const { firsts, weights } = lanczosWeights(count, wanted);
  const out = new Uint8ClampedArray(lines * wanted * channels);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < wanted; i++) {
      for (let channel = 0; channel < channels; channel++) {
        let at = (line * lineStep + firsts[i] * step) * channels + channel;
        let sum = 1 << (FRACTION_BITS - 1);
        for (const weight of weights[i]) {
          sum += pixels[at] * weight;
          at += step * channels;
        }
        out[(line * outLineStep + i * outStep) * channels + channel] = sum >> FRACTION_BITS;
      }
    }
  }
  return out;
}

/** Return where each new pixel's window begins, and the weights of the old pixels in it. */
function lanczosWeights(count, wanted) {
  const scale = count / wanted;
  const stretch = Math.max(scale, 1);
  const reach = LANCZOS_REACH * stretch;
  const firsts = new Int32Array(wanted);
  const weights = Array.from({ length: wanted }, (_, i) => {
    const middle = (i + 0.5) * scale;
    firsts[i] = Math.max(Math.trunc(middle - reach + 0.5), 0);
    const stop = Math.min(Math.trunc(middle + reach + 0.5), count);
    const shares = Float64Array.from({ length: stop - firsts[i] }, (_, place) =>
      lanczos((place + firsts[i] - middle + 0.5) / stretch),
    );
    const total = shares.reduce((sum, share) => sum + share, 0);
    return Int32Array.from(shares, (share) => {
      const scaled = (share / total) * 2 ** FRACTION_BITS;
      return scaled < 0 ? scaled - 0.5 : scaled + 0.5;
    });
  });
  return { firsts, weights };
}

function lanczos(x) {
  return x >= -LANCZOS_REACH && x < LANCZOS_REACH ? sinc(x) * sinc(x / LANCZOS_REACH) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
