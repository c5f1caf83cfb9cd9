/**
 * The windows of a picture that convolutions and pools look at, and where they lie.
 *
 * A window has one output. It begins at (i s, j s) for the output (i, j) with stride s, so that its
 * place (p, q) lies at (i s + p, j s + q) of a picture that may have a border of zeros.
 */

/** The windows of pictures of one size: of height and width each a pair. */
export class Windows {
  constructor({ size, stride, out, before = [0, 0] }) {
    this.size = size;
    this.stride = stride;
    this.out = out;
    /** The lines of zeros above and to the left of a picture. */
    this.before = before;
  }
}

/** Return the windows that lie wholly on a picture; what is left at its end has none. */
export function windowsThatFit(name, picture, size, stride) {
  if (size[0] > picture[0] || size[1] > picture[1]) {
    throw new Error(
      `${name} looks at ${size.join(" x ")} places at a time, found pictures of ${picture.join(" x ")}.` +
        " Give it larger pictures, or fewer layers below it that make them smaller.",
    );
  }
  checkStride(name, picture, stride);
  const out = [0, 1].map((axis) => Math.floor((picture[axis] - size[axis]) / stride[axis]) + 1);
  return new Windows({ size, stride, out });
}

/** Return one window for each stride, with as much border as they need: less of it before. */
export function windowsWithBorder(name, picture, size, stride) {
  checkStride(name, picture, stride);
  const out = [0, 1].map((axis) => Math.ceil(picture[axis] / stride[axis]));
  const before = [0, 1].map((axis) =>
    Math.floor(Math.max((out[axis] - 1) * stride[axis] + size[axis] - picture[axis], 0) / 2),
  );
  return new Windows({ size, stride, out, before });
}

/** Return the shape [H, W, C] of samples (H, W, C) or (H, W), which have one channel. */
export function pictureShape(name, inShape) {
  if (inShape.length === 2 || inShape.length === 3) {
    return [inShape[0], inShape[1], inShape[2] ?? 1];
  }
  throw new Error(
    `${name} takes pictures (H, W, C) or (H, W), found samples of shape [${inShape}]. ` +
      "Leave out the Flatten before it, or give the pictures' own shape as input_shape.",
  );
}

/** Return height and width of a size that is one number, or a pair. */
export function pairOf(name, what, value) {
  const pair = typeof value === "number" ? [value, value] : value;
  if (
    !Array.isArray(pair) ||
    pair.length !== 2 ||
    !pair.every((one) => Number.isInteger(one) && one >= 1)
  ) {
    throw new Error(
      `${name} needs a ${what} of a whole number from 1, or a pair of these; found ${value}.`,
    );
  }
  return pair;
}

function checkStride(name, picture, stride) {
  if (stride[0] > picture[0] || stride[1] > picture[1]) {
    throw new Error(
      `${name} has a stride of ${stride.join(" x ")}, which skips all but the first place of pictures ` +
        `of ${picture.join(" x ")}. Give it a smaller stride or larger pictures.`,
    );
  }
}
