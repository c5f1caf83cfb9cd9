"""The functions of C that operations are calls of; a file holds those alone that it needs."""

from collections.abc import Iterable
from string import Template
from typing import Final

_DOT: Final = """
/* The sum of x[i] w[i]: in blocks, and in four sums each, so that float32 errs little. */
static float dot(const float *x, const $weight *w, int count)
{
    float sum = 0.0f;
    for (int start = 0; start < count; start += 128) {
        const int stop = count - start < 128 ? count : start + 128;
        float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
        int i = start;
        for (; i < stop - 3; i += 4) {
            s0 += x[i] * ${as_float}w[i];
            s1 += x[i + 1] * ${as_float}w[i + 1];
            s2 += x[i + 2] * ${as_float}w[i + 2];
            s3 += x[i + 3] * ${as_float}w[i + 3];
        }
        for (; i < stop; i++) {
            s0 += x[i] * ${as_float}w[i];
        }
        sum += (s0 + s1) + (s2 + s3);
    }
    return sum;
}"""

_AFFINE: Final = """
/* y[m] = b[m] + ${of_unit}sum_d x[d] W[m][d], of each row of x. */
static void affine(const float *x, int rows, int inputs, const $weight *W,$scale
    const float *b, int units, float *y)
{
    for (int row = 0; row < rows; row++) {
        for (int m = 0; m < units; m++) {
            y[m] = ${of_unit}dot(x, W + m * inputs, inputs) + b[m];
        }
        x += inputs;
        y += units;
    }
}"""

_CONVOLUTION: Final = """
typedef struct {
    int height, width, channels; /* of the picture that goes in */
    int window_height, window_width;
    int down, across; /* the steps from one window to the next */
    int above, left;  /* the lines of zeros around the picture */
    int out_height, out_width, filters;
} convolution_sizes;

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* y[i][j][m] = b[m] + ${of_unit}sum_pqc x[i0 + p][j0 + q][c] W[m][p][q][c] of windows at i0, j0. */
static void convolution(const convolution_sizes *s, const float *x, const $weight *W,$scale
    const float *b, float *y)
{
    for (int i = 0; i < s->out_height; i++) {
        for (int j = 0; j < s->out_width; j++) {
            /* The part of the window that lies on the picture: outside there are zeros. */
            const int top = i * s->down - s->above, side = j * s->across - s->left;
            const int p0 = top < 0 ? -top : 0, p1 = least(s->window_height, s->height - top);
            const int q0 = side < 0 ? -side : 0, q1 = least(s->window_width, s->width - side);
            const int count = (q1 - q0) * s->channels;
            for (int m = 0; m < s->filters; m++) {
                float sum = 0.0f;
                for (int p = p0; p < p1; p++) {
                    const int from = (top + p) * s->width + side + q0;
                    const int weight = (m * s->window_height + p) * s->window_width + q0;
                    sum += dot(x + from * s->channels, W + weight * s->channels, count);
                }
                *y++ = ${of_unit}sum + b[m];
            }
        }
    }
}"""

_POOLING_SIZES: Final = """
typedef struct {
    int width, channels; /* of the picture that goes in */
    int window_height, window_width;
    int down, across; /* the steps from one window to the next */
    int out_height, out_width;
} pooling_sizes;"""

_LARGEST: Final = """
/* The largest number of each window, channel by channel. */
static void largest_of(const pooling_sizes *s, const float *x, float *y)
{
    for (int i = 0; i < s->out_height; i++) {
        for (int j = 0; j < s->out_width; j++) {
            const float *window = x + (i * s->down * s->width + j * s->across) * s->channels;
            for (int c = 0; c < s->channels; c++) {
                float largest = window[c];
                for (int p = 0; p < s->window_height; p++) {
                    for (int q = 0; q < s->window_width; q++) {
                        const float here = window[(p * s->width + q) * s->channels + c];
                        largest = here > largest ? here : largest;
                    }
                }
                *y++ = largest;
            }
        }
    }
}"""

_MEAN: Final = """
/* The mean of each window, channel by channel: a sum for each line, so that float32 errs little. */
static void mean_of(const pooling_sizes *s, const float *x, float *y)
{
    const float places = (float)(s->window_height * s->window_width);
    for (int i = 0; i < s->out_height; i++) {
        for (int j = 0; j < s->out_width; j++) {
            const float *window = x + (i * s->down * s->width + j * s->across) * s->channels;
            for (int c = 0; c < s->channels; c++) {
                float sum = 0.0f;
                for (int p = 0; p < s->window_height; p++) {
                    float line = 0.0f;
                    for (int q = 0; q < s->window_width; q++) {
                        line += window[(p * s->width + q) * s->channels + c];
                    }
                    sum += line;
                }
                *y++ = sum / places;
            }
        }
    }
}"""

_SCALING: Final = """
/* y = x factor + shift, channel by channel. */
static void scaling(const float *x, int count, const float *factor, const float *shift,
    int channels, float *y)
{
    for (int i = 0; i < count; i += channels) {
        for (int c = 0; c < channels; c++) {
            y[i + c] = x[i + c] * factor[c] + shift[c];
        }
    }
}"""

_NORMALISATION: Final = """
/* The sum of numbers, or of their squares: in blocks, so that float32 errs little. */
static float sum_of(const float *x, int count, int squares)
{
    float sum = 0.0f;
    for (int start = 0; start < count; start += 32) {
        float block = 0.0f;
        for (int i = start; i < count && i < start + 32; i++) {
            block += squares ? x[i] * x[i] : x[i];
        }
        sum += block;
    }
    return sum;
}

/* y = gamma (x - mean) / sqrt(variance + epsilon) + beta, by the moments of x itself. */
static void normalisation(const float *x, int count, const float *gamma, const float *beta,
    float epsilon, float *y)
{
    const float mean = sum_of(x, count, 0) / (float)count;
    for (int i = 0; i < count; i++) {
        y[i] = x[i] - mean;
    }
    const float deviation = sqrtf(sum_of(y, count, 1) / (float)count + epsilon);
    for (int i = 0; i < count; i++) {
        y[i] = y[i] / deviation * gamma[i] + beta[i];
    }
}"""

_WAVES: Final = """
/* y[d][k] = sum_f cos(x[d] turn[d][f] + b1[d][f]) W2[d][f][k] + b2[d][k]. */
static void waves(const float *x, int numbers, int frequencies, int width, const float *turn,
    const float *b1, const float *W2, const float *b2, float *y)
{
    for (int d = 0; d < numbers; d++) {
        for (int k = 0; k < width; k++) {
            y[k] = 0.0f;
        }
        for (int f = 0; f < frequencies; f++) {
            const float wave = cosf(x[d] * *turn++ + *b1++);
            for (int k = 0; k < width; k++) {
                y[k] += wave * *W2++;
            }
        }
        for (int k = 0; k < width; k++) {
            y[k] += *b2++;
        }
        y += width;
    }
}"""

_LOOKED: Final = """
/* y[c] = E[first[c] + x[c]]; a code that there is no row for counts as 0, unknown. */
static void looked_up(const float *x, int codes, const int32_t *first, const float *E, int width,
    float *y)
{
    for (int c = 0; c < codes; c++) {
        const float rows = (float)(first[c + 1] - first[c]);
        const int code = x[c] >= 0.0f && x[c] < rows ? (int)x[c] : 0;
        memcpy(y + c * width, E + (first[c] + code) * width, (size_t)width * sizeof *y);
    }
}"""

_PHI: Final = """
/* The normal distribution function. */
static float normal(float x)
{
    return 0.5f * erfcf(x * -0.70710678f);
}"""

_FUNCTIONS: Final = {
    "dot": _DOT,
    "affine": _AFFINE,
    "convolution": _CONVOLUTION,
    "pooling": _POOLING_SIZES,
    "largest": _LARGEST,
    "mean": _MEAN,
    "scaling": _SCALING,
    "normalisation": _NORMALISATION,
    "waves": _WAVES,
    "looked": _LOOKED,
    "normal": _PHI,
}
"""The functions in the order in which they must stand."""

_NEEDS: Final = {
    "affine": ("dot",),
    "convolution": ("dot",),
    "largest": ("pooling",),
    "mean": ("pooling",),
}


def functions(names: Iterable[str], *, int8: bool) -> list[str]:
    """Return the definitions of functions, and of what these call.

    Parameters
    ----------
    names : iterable of str
        Of `_FUNCTIONS`.
    int8 : bool
        Whether weights are whole numbers, with a scale for each unit.
    """
    wanted = {needed for name in names for needed in (name, *_NEEDS.get(name, ()))}
    words = {
        "weight": "int8_t" if int8 else "float",
        "as_float": "(float)" if int8 else "",
        "scale": " const float *scale," if int8 else "",
        "of_unit": "scale[m] * " if int8 else "",
    }
    return [
        Template(text).substitute(words).strip()
        for name, text in _FUNCTIONS.items()
        if name in wanted
    ]
