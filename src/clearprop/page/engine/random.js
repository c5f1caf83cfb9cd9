/** A small seeded source of random numbers: the same seed, the same numbers, in every browser. */

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/**
 * The generator sfc32 of PractRand, with the distributions that layers and data sets draw from.
 *
 * Its numbers are not those of NumPy's RandomState: a network that is made here starts elsewhere
 * than one that is made in Python with the same seed.
 *
 * Source: Doty-Humphrey, "PractRand" (2010), sfc32; the state is filled by splitmix32.
 */
export class Random {
  /** @param {number} seed - A whole number from 0 to 2**32 - 1. */
  constructor(seed) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= TWO_32) {
      throw new Error(`A seed is a whole number from 0 to 2**32 - 1, found ${seed}.`);
    }
    let mixed = seed | 0;
    const next = () => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let word = mixed ^ (mixed >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word ^= word >>> 15;
      word = Math.imul(word, 0x735a2d97);
      return word ^ (word >>> 15);
    };
    this.state = Int32Array.of(next(), next(), next(), 1);
    this.spare = NaN; // the second number of a pair of normal ones
    for (let i = 0; i < 12; i++) {
      this.uint32();
    }
  }

  /** Return a whole number from 0 to 2**32 - 1. */
  uint32() {
    const state = this.state;
    const sum = (state[0] + state[1] + state[3]) | 0;
    state[3] = (state[3] + 1) | 0;
    state[0] = state[1] ^ (state[1] >>> 9);
    state[1] = (state[2] + (state[2] << 3)) | 0;
    state[2] = (((state[2] << 21) | (state[2] >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Return a whole number from 0 to 65535, for dropout. */
  uint16() {
    return this.uint32() >>> 16;
  }

  /** Return a number from `low` up to, but without, `high`. */
  uniform(low = 0, high = 1) {
    const fraction = ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / TWO_53;
    return low + (high - low) * fraction;
  }

  /** Return a whole number from 0 up to, but without, `count`. */
  integer(count) {
    return Math.floor(this.uniform() * count);
  }

  /**
   * Return a standard normal number.
   *
   * Source: Marsaglia, Bray, "A Convenient Method for Generating Normal Variables" (1964).
   */
  normal() {
    if (!Number.isNaN(this.spare)) {
      const spare = this.spare;
      this.spare = NaN;
      return spare;
    }
    let x, y, square;
    do {
      x = this.uniform(-1, 1);
      y = this.uniform(-1, 1);
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.spare = y * factor;
    return x * factor;
  }

  /** Return a standard exponential number. */
  exponential() {
    return -Math.log1p(-this.uniform());
  }

  /**
   * Return the whole numbers from 0 to count - 1 in a random order.
   *
   * @param {number} count
   * @param {Uint32Array} [order] - The array to write to; a new one otherwise.
   * @returns {Uint32Array}
   */
  permutation(count, order = new Uint32Array(count)) {
    for (let i = 0; i < count; i++) {
      const j = this.integer(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
