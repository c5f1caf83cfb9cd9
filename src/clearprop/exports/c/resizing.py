"""Pictures of any size to the network's, as Pillow brings them there: to the last bit.

Nothing is allocated: the caller gives memory for one window's weights and for the picture between
its two passes.
"""

from typing import Final

RESIZED_DECLARED: Final = """
/* The memory, in numbers of int32_t, that ${name}_resized needs for a picture of a size. */
#define ${NAME}_SCRATCH(height, width) \\
    (((height) > (width) ? (height) : (width)) + \\
     (((height) * ${NAME}_WIDTH > ${NAME}_HEIGHT * (width) ? (height) * ${NAME}_WIDTH \\
                                                       : ${NAME}_HEIGHT * (width)) * \\
          ${NAME}_CHANNELS + 3) / 4)

/* Bring a picture of any height and width, of the same channels, to the network's size: by Lanczos'
   filter, bit for bit as Pillow does. Sides of up to 16,384 pixels. */
void ${name}_resized(const uint8_t *picture, int height, int width, int32_t *scratch,
    uint8_t resized[${NAME}_PIXELS]);
"""

RESIZED: Final = """
/* The lines of a picture along one of its axes: how many, and the steps between and along them. */
typedef struct {
    int lines, count, between, along;
} picture_lines;

static double sinc(double x)
{
    const double turned = x * 3.14159265358979323846;
    return x == 0.0 ? 1.0 : sin(turned) / turned;
}

static double lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

/* Bring every line to another number of pixels, by weights in 2^-22 that sum up to 1. */
static void resampled(const uint8_t *from, picture_lines in, uint8_t *to, picture_lines out,
    int32_t *weights)
{
    const double scale = (double)in.count / out.count;
    const double stretch = scale > 1.0 ? scale : 1.0, reach = 3.0 * stretch;
    for (int i = 0; i < out.count; i++) {
        const double middle = (i + 0.5) * scale;
        const int first = middle - reach + 0.5 > 0.0 ? (int)(middle - reach + 0.5) : 0;
        const int last = (int)(middle + reach + 0.5);
        const int size = (last < in.count ? last : in.count) - first;
        double total = 0.0;
        for (int k = 0; k < size; k++) {
            total += lanczos((k + first - middle + 0.5) * (1.0 / stretch));
        }
        for (int k = 0; k < size; k++) {
            const double weight = lanczos((k + first - middle + 0.5) * (1.0 / stretch)) / total;
            weights[k] = (int32_t)(weight * 4194304.0 + (weight < 0.0 ? -0.5 : 0.5));
        }
        for (int line = 0; line < in.lines; line++) {
            for (int c = 0; c < ${NAME}_CHANNELS; c++) {
                int at = (line * in.between + first * in.along) * ${NAME}_CHANNELS + c;
                int32_t sum = 2097152; /* a half */
                for (int k = 0; k < size; k++) {
                    sum += from[at] * weights[k];
                    at += in.along * ${NAME}_CHANNELS;
                }
                const int32_t level = sum < 0 ? 0 : sum / 4194304;
                to[(line * out.between + i * out.along) * ${NAME}_CHANNELS + c] =
                    (uint8_t)(level > 255 ? 255 : level);
            }
        }
    }
}

static void across(const uint8_t *from, int height, int width, uint8_t *to, int32_t *weights)
{
    const picture_lines in = {height, width, width, 1};
    const picture_lines out = {height, ${NAME}_WIDTH, ${NAME}_WIDTH, 1};
    resampled(from, in, to, out, weights);
}

static void down(const uint8_t *from, int height, int width, uint8_t *to, int32_t *weights)
{
    const picture_lines in = {width, height, 1, width}, out = {width, ${NAME}_HEIGHT, 1, width};
    resampled(from, in, to, out, weights);
}

void ${name}_resized(const uint8_t *picture, int height, int width, int32_t *scratch,
    uint8_t resized[${NAME}_PIXELS])
{
    uint8_t *between = (uint8_t *)(scratch + (height > width ? height : width));
    const int narrower = width - ${NAME}_WIDTH, lower = height - ${NAME}_HEIGHT;
    if (narrower == 0 && lower == 0) {
        memcpy(resized, picture, ${NAME}_PIXELS);
    } else if (lower == 0) {
        across(picture, height, width, resized, scratch);
    } else if (narrower == 0) {
        down(picture, height, width, resized, scratch);
    } else if (lower > 0 && lower > 2 * narrower) {
        /* Levels are rounded after each of the two, so that their order counts. */
        down(picture, height, width, between, scratch);
        across(between, ${NAME}_HEIGHT, width, resized, scratch);
    } else {
        across(picture, height, width, between, scratch);
        down(between, height, ${NAME}_WIDTH, resized, scratch);
    }
}
"""
