"""A program around an exported model, for testing it: rows of a file in, all its answers out."""

from collections.abc import Iterator
from string import Template
from typing import Final

import numpy as np

from clearprop.exports.c.answers import AnswerCode
from clearprop.exports.c.inputs import SampleCode, is_plain
from clearprop.exports.c.tables import members_of
from clearprop.exports.description import Inputs, NumberInputs, PictureInputs, TableInputs
from clearprop.exports.rows import Rows
from clearprop.preprocessing.cells import CategoryCells

_LONGEST: Final = 8  # bytes that a text is longer than any category, and then as good as unknown

_PROGRAM: Final = """\
#ifdef ${NAME}_MAIN
/* A program for testing, which the library has no need of: "FILE ROWS$more" prints what the model
   says of the rows of a file, and "FILE 0$more" the seconds that the first one takes.
   $format */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void print(const char *what, int digits, const double *numbers, int count)
{
    fputs(what, stdout);
    for (int i = 0; i < count; i++) {
        printf(" %.*g", digits, numbers[i]);
    }
    putchar('\\n');
}

static void print_answers(const float *logits)
{
    double numbers[${NAME}_OUTPUTS];
    for (int k = 0; k < ${NAME}_OUTPUTS; k++) {
        numbers[k] = (double)logits[k];
    }
    print("logits", 9, numbers, ${NAME}_OUTPUTS);
$answers
}

static double seconds_of($parameter)
{
    static ${name}_workspace workspace;
    float logits[${NAME}_OUTPUTS] = {0.0f};
    volatile float kept = 0.0f; /* so that nothing is left out */
    for (double times = 1.0;; times *= 4.0) {
        const clock_t start = clock();
        for (double run = 0.0; run < times; run += 1.0) {
            ${name}_logits(&workspace, $argument, logits);
            kept = logits[0];
        }
        const double seconds = (double)(clock() - start) / (double)CLOCKS_PER_SEC;
        (void)kept;
        if (seconds >= 0.02) {
            return seconds / times;
        }
    }
}

$reading

int main(int argc, char **argv)
{
    static ${name}_workspace workspace;
    static sample sample_read;
    float logits[${NAME}_OUTPUTS];
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fputs("usage: FILE ROWS$more\\n", stderr);
        return 2;
    }
    const long rows = strtol(argv[2], NULL, 10);
    for (long row = 0; row < rows || row == 0; row++) {
        if (!read_sample(file, &sample_read, argc, argv)) {
            fputs("the file ends too early\\n", stderr);
            return 1;
        }
        if (rows == 0) {
            printf("seconds %.9g\\n", seconds_of($read));
        } else {
$told
        }
    }
    return fclose(file) == 0 ? 0 : 1;
}
#endif"""

_ANSWER: Final = """\
    double $what[$count];
    ${name}_$what(logits, $what);
    print("$what", 17, $what, $count);"""

_SET: Final = """\
    uint8_t holds[${NAME}_CLASSES];
    ${name}_set(logits, holds);
    for (int k = 0; k < ${NAME}_CLASSES; k++) {
        printf(k == 0 ? "set %d" : " %d", holds[k]);
    }
    putchar('\\n');"""

_NUMBERS: Final = """\
typedef struct {
    $kind numbers[$count];
} sample;

static int read_sample(FILE *file, sample *read, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return fread(read->numbers, sizeof read->numbers, 1, file) == 1;
}"""

_PICTURE: Final = """\
typedef struct {
    uint8_t pixels[${NAME}_PIXELS];
} sample;

static int read_sample(FILE *file, sample *read, int argc, char **argv)
{
    const int height = argc > 4 ? (int)strtol(argv[3], NULL, 10) : ${NAME}_HEIGHT;
    const int width = argc > 4 ? (int)strtol(argv[4], NULL, 10) : ${NAME}_WIDTH;
    const size_t size = (size_t)height * (size_t)width * ${NAME}_CHANNELS;
    const size_t numbers = (size_t)${NAME}_SCRATCH(height, width);
    uint8_t *picture = malloc(size);
    int32_t *scratch = malloc(numbers * sizeof *scratch);
    const int is_read = picture != NULL && scratch != NULL && fread(picture, size, 1, file) == 1;
    if (is_read) {
        ${name}_resized(picture, height, width, scratch, read->pixels);
    }
    free(scratch);
    free(picture);
    return is_read;
}"""

_ROW: Final = """\
typedef struct {
    ${name}_row row;
$texts} sample;

$readers
static int read_sample(FILE *file, sample *read, int argc, char **argv)
{
    int is_read = 1;
    (void)argc;
    (void)argv;
$members
    return is_read;
}"""

_NUMBER_READER: Final = """\
static int read_number(FILE *file, double *number)
{
    return fread(number, sizeof *number, 1, file) == 1;
}
"""

_TEXT_READER: Final = """\
static int read_text(FILE *file, const char **text, char *kept, int size)
{
    const int is_there = fgetc(file);
    int length = 0;
    for (int one = is_there; is_there == 1 && one != EOF;) {
        one = fgetc(file);
        if (one <= 0) {
            break;
        }
        kept[length] = (char)one;
        length += length < size - 1;
    }
    kept[length] = '\\0';
    *text = is_there == 1 ? kept : NULL;
    return is_there != EOF;
}
"""


def main_text(name: str, inputs: Inputs, sample: SampleCode, answers: AnswerCode) -> str:
    """Return the text of a program.

    Parameters
    ----------
    name : str
        What the model's functions begin with.
    inputs : TableInputs, PictureInputs or NumberInputs
    sample : SampleCode
    answers : AnswerCode
    """
    reading, read, layout, more = _reading(inputs, name)
    upper = name.upper()
    told = [f'    printf("class %d\\n", {name}_class(logits));'] if answers.is_class else []
    for what, count in answers.answers.items():
        text = _SET if what == "set" else _ANSWER
        words = {"name": name, "NAME": upper, "what": what, "count": count}
        told.append(Template(text).substitute(words))
    computed = f"{name}_logits(&workspace, {read}, logits)"
    if sample.refuses:
        lines = [
            f"const int refused = {computed};",
            "if (refused) {",
            '    printf("refused %d\\n", refused);',
            "} else {",
            "    print_answers(logits);",
            "}",
        ]
    else:
        lines = [f"{computed};", "print_answers(logits);"]
    return Template(_PROGRAM).substitute(
        name=name,
        NAME=upper,
        format=layout,
        more=more,
        parameter=sample.parameter,
        argument=sample.argument,
        reading=reading,
        read=read,
        answers="\n".join(told),
        told="\n".join(f"            {line}" for line in lines),
    )


def _reading(inputs: Inputs, name: str) -> tuple[str, str, str, str]:
    """Return what reads a sample, the sample, the words for its layout, and more arguments."""
    upper = name.upper()
    match inputs:
        case PictureInputs():
            text = Template(_PICTURE).substitute(name=name, NAME=upper)
            layout = "A row is a picture's bytes, of the network's size or of that which is given."
            return text, "sample_read.pixels", layout, " [HEIGHT WIDTH]"
        case NumberInputs():
            kind = "float" if is_plain(inputs) else "double"
            text = Template(_NUMBERS).substitute(kind=kind, count=f"{upper}_INPUTS")
            return text, "sample_read.numbers", f"A row is its numbers, each a {kind}.", ""
        case TableInputs():
            layout = (
                "A row is a double for each number and date; for a text a byte 1, the text and a "
                "NUL,\n   or a byte 0 where it is missing."
            )
            return _row_reading(inputs, name), "&sample_read.row", layout, ""


def _row_reading(inputs: TableInputs, name: str) -> str:
    texts, members = [], []
    for number, (member, cells) in enumerate(
        zip(members_of(inputs.columns), inputs.columns, strict=True)
    ):
        if isinstance(cells, CategoryCells):
            size = longest_text(cells)
            texts.append(f"    char text_{number}[{size}];\n")
            kept = f"&read->row.{member}, read->text_{number}, {size}"
            members.append(f"    is_read = is_read && read_text(file, {kept});")
        else:
            members.append(f"    is_read = is_read && read_number(file, &read->row.{member});")
    readers = [_TEXT_READER] * bool(texts) + [_NUMBER_READER] * (len(texts) < len(members))
    words = {"name": name, "texts": "".join(texts), "members": "\n".join(members)}
    return Template(_ROW).substitute(words, readers="\n".join(readers))


def longest_text(cells: CategoryCells) -> int:
    """Return the bytes that the program has for a text: more than any category takes."""
    sizes = (len(one.encode("utf-8", "surrogatepass")) for one in cells.categories)
    return max(sizes, default=0) + _LONGEST


def rows_as_bytes(inputs: Inputs, rows: Rows) -> Iterator[bytes]:
    """Yield rows as the program reads them."""
    if isinstance(inputs, TableInputs):
        for place in range(rows.count):
            for cells in inputs.columns:
                cell = rows.columns[cells.name][place]
                if isinstance(cells, CategoryCells):
                    # No text of C holds a NUL; in its place stands what no category holds either.
                    text = None if cell is None else str(cell).encode("utf-8", "surrogatepass")
                    yield b"\0" if text is None else b"\1" + text.replace(b"\0", b"\1") + b"\0"
                else:
                    yield np.float64(cell).tobytes()
    elif rows.array is not None:
        kind: type[np.generic] = np.uint8
        if isinstance(inputs, NumberInputs):
            kind = np.float32 if is_plain(inputs) else np.float64
        for row in rows.array:
            yield np.ascontiguousarray(row, kind).tobytes()
