/** Functions that JavaScript's Math lacks, to the last digits where float64 has them. */

/** Return 1 / (1 + exp(-x)): far below zero exp overflows to infinity, and 1 / infinity is 0. */
export function sigmoidOf(x) {
  return 1 / (1 + Math.exp(-x));
}

/** Return log(1 + exp(x)) without overflow, and with the digits of small exp(x). */
export function softplusOf(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// Cephes, ndtr.c (Moshier, 1984): erf and erfc as ratios of polynomials, as SciPy computes them.
const ERF_P = [
  9.60497373987051638749, 9.00260197203842689217e1, 2.23200534594684319226e3,
  7.00332514112805075473e3, 5.55923013010394962768e4,
];
const ERF_Q = [
  1, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3,
  2.26290000613890934246e4, 4.92673942608635921086e4,
];
const ERFC_P = [
  2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687,
  4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2,
  9.3452852717195760754e2, 1.02755188689515710272e3, 5.57535335369399327526e2,
];
const ERFC_Q = [
  1, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
  9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3,
  1.65666309194161350182e3, 5.57535340817727675546e2,
];
const ERFC_R = [
  5.64189583547755073984e-1, 1.27536670759978104416, 5.01905042251180477414, 6.16021097993053585195,
  7.4097426995044893916, 2.9788666537210024067,
];
const ERFC_S = [
  1, 2.2605286322011727659, 9.39603524938001434673, 1.20489539808096656605e1,
  1.70814450747565897222e1, 9.60896809063285878198, 3.3690764510008151605,
];
const ERFC_SPLIT = 8; // where the second pair of polynomials of erfc begins

/** Return the standard normal distribution function of x, as scipy.special.ndtr does. */
export function normalDistribution(x) {
  const z = x * Math.SQRT1_2;
  const size = Math.abs(z);
  if (size < 1) {
    return 0.5 + 0.5 * erf(z);
  }
  const tail = 0.5 * erfcFrom1(size);
  return z > 0 ? 1 - tail : tail;
}

/** Return the standard normal density of x. */
export function normalDensity(x) {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

function erf(x) {
  const square = x * x;
  return (x * polynomial(square, ERF_P)) / polynomial(square, ERF_Q);
}

/** Return erfc of x from 1 on. */
function erfcFrom1(x) {
  const [p, q] = x < ERFC_SPLIT ? [ERFC_P, ERFC_Q] : [ERFC_R, ERFC_S];
  return (Math.exp(-x * x) * polynomial(x, p)) / polynomial(x, q);
}

function polynomial(x, coefficients) {
  let sum = 0;
  for (const one of coefficients) {
    sum = sum * x + one;
  }
  return sum;
}
