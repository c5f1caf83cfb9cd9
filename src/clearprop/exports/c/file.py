"""The text of a file of C and of its header."""

import re
from string import Template
from typing import Final

from clearprop.errors import UsageError, shortened
from clearprop.exports.c import text as c_text
from clearprop.exports.c.answers import answer_code
from clearprop.exports.c.functions import functions
from clearprop.exports.c.inputs import sample_code, told
from clearprop.exports.c.layers import write_operations
from clearprop.exports.c.main import main_text
from clearprop.exports.c.memory import Memory
from clearprop.exports.c.source import Source, comment
from clearprop.exports.c.tables import CELL_FUNCTIONS
from clearprop.exports.description import Description
from clearprop.version import __version__

_INCLUDED: Final = re.compile(r"[\w .+@()-]+")

_HEADER: Final = """\
$head
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

$sizes

$workspace

$sample$logits

$answers

#ifdef __cplusplus
}
#endif

#endif
"""

_HEAD: Final = """\
/* $title, in C99: exported by clearprop $version.
 *
 *     static ${name}_workspace workspace;
 *     float logits[${NAME}_OUTPUTS];
 *     ${name}_logits(&workspace, $argument, logits);
 *     $use
 *
 * It computes in float32$rounded. Nothing is allocated, and nothing is kept
 * from one call to the next: every thread needs a workspace of its own, of $memory bytes. Constants
 * take $constants bytes. An int must have 32 bits, a float be that of IEEE 754; -ffast-math and its
 * like break missing numbers.
 */"""

_CODE: Final = """\
/* $title, in C99: exported by clearprop $version. $header describes it. */
#include "$header"

#include <float.h>
#include <math.h>
#include <string.h>

$parts

$main
"""


class CFile:
    """A file of C and its header, of a model.

    Parameters
    ----------
    description : Description
    int8 : bool
        Whether weights are whole numbers.

    Attributes
    ----------
    name : str
        What the names begin with that others see.
    constants, memory : int
        The bytes of all tables, and those of a workspace.

    Raises
    ------
    UsageError
        If a constant is beyond float32, a text holds a NUL, or nothing can include a file of the
        model's name.
    """

    def __init__(self, description: Description, *, int8: bool) -> None:
        if not _INCLUDED.fullmatch(description.name):
            raise UsageError(
                f"No file of C can include a header called {shortened(description.name)}. Call the "
                "file by letters, digits, hyphens, underscores, dots and spaces."
            )
        self.description, self.name = description, prefix_of(description.name)
        self._upper, self._header = self.name.upper(), f"{description.name}.h"
        self._sample = sample_code(description.inputs, self.name, description.input.size)
        self._answer = answer_code(description.answer, description.output.size, self.name)
        self._memory = Memory(description)
        self._source = Source(int8=int8)
        self._sample.prepare(self._source, str(self._memory.of(description.input)))
        write_operations(description, self._memory, self._source)
        self.constants = self._source.constants + self._answer.constants
        self.memory = 4 * sum(self._memory.sizes.values())

    def header(self) -> str:
        """Return the text of the header."""
        sizes = {
            **self._sample.sizes,
            "OUTPUTS": (self.description.output.size, ""),
            **self._answer.sizes,
        }
        arrays = (f"    float {name}[{size}];" for name, size in self._memory.sizes.items())
        workspace = [
            "/* The memory that a sample is computed in; nobody needs to clear it. */",
            *("typedef struct {", *arrays, f"}} {self.name}_workspace;"),
        ]
        return self._filled(
            _HEADER,
            sizes="\n".join(
                f"#define {self._upper}_{what} {size}{words and f' /* {words} */'}"
                for what, (size, words) in sizes.items()
            ),
            workspace="\n".join(workspace),
            sample=f"{self._sample.declared}\n\n" if self._sample.declared else "",
            logits=f"{comment(self._promise())}\n{self._logits_head()};",
            answers="\n\n".join([*self._answer.declared, self._predict(declared=True)]),
            head=self._head(),
        )

    def code(self) -> str:
        """Return the text of the file."""
        cells = [
            CELL_FUNCTIONS[name].strip() for name in CELL_FUNCTIONS if name in self._source.needs
        ]
        used = functions(self._source.needs, int8=self._source.int8)
        parts = [*cells, *used, *self._source.tables, self._logits(), self._sample.defined]
        parts += [*self._answer.defined, self._predict(declared=False)]
        main = main_text(self.name, self.description.inputs, self._sample, self._answer)
        return self._filled(_CODE, parts="\n\n".join(filter(None, parts)), main=main)

    def _filled(self, template: str, **words: str) -> str:
        every = {"name": self.name, "NAME": self._upper, "header": self._header}
        title = f"The model {c_text.spoken(self.description.name)}"
        return Template(template).substitute(every, title=title, version=__version__, **words)

    def _head(self) -> str:
        use = f"{self.name}_values(logits, values);"
        if self._answer.is_class:
            use = f"const char *answer = {self.name}_class_names[{self.name}_class(logits)];"
        return self._filled(
            _HEAD,
            use=use,
            argument=f"{'&' if self._sample.argument == 'row' else ''}{self._sample.argument}",
            memory=f"{self.memory:,}",
            constants=f"{self.constants:,}",
            rounded=", of weights of 8 bits" if self._source.int8 else "",
        )

    def _promise(self) -> str:
        """Return the words for what the function of logits does."""
        what = told(self.description.inputs, self.description.input.shape)
        refuses = self._sample.refuses
        returned = f" Return 0; or {refuses}: then there are no logits." if refuses else ""
        return f"Write the logits of {what}.{returned}"

    def _logits_head(self) -> str:
        kind = "int" if self._sample.refuses else "void"
        arguments = f"{self.name}_workspace *workspace, {self._sample.parameter}"
        return f"{kind} {self.name}_logits({arguments},\n    float logits[{self._upper}_OUTPUTS])"

    def _logits(self) -> str:
        arrays = [f"    float *const {name} = workspace->{name};" for name in self._memory.sizes]
        end = ["    return 0;"] if self._sample.refuses else []
        lines = [self._logits_head(), "{", *arrays, "", *self._source.statements, *end, "}"]
        return "\n".join(lines)

    def _predict(self, *, declared: bool) -> str:
        """Return the function that goes from a sample to the answer, or its declaration."""
        refuses, name = bool(self._sample.refuses), self.name
        computed = f"{name}_logits(workspace, {self._sample.argument}, logits)"
        more, words = "", "Return the index of a sample's class"
        if self._answer.is_class:
            words += "; -1 where a sample can't be used." if refuses else "."
            result = f"return {name}_class(logits);"
            refused = "return -1;"
        else:
            more = f", double values[{self._upper}_VALUES]"
            words = "Write the values of a sample"
            words += f". Return what {name}_logits does." if refuses else "."
            result = f"{name}_values(logits, values);"
            refused = "return refused;"
        kind = "int" if refuses or self._answer.is_class else "void"
        arguments = f"{name}_workspace *workspace, {self._sample.parameter}{more}"
        head = f"{kind} {name}_predict({arguments})"
        if declared:
            return f"{comment(words)}\n{head};"
        lines = [head, "{", f"    float logits[{self._upper}_OUTPUTS];"]
        if refuses:
            lines += [
                *(f"    const int refused = {computed};", "    if (refused) {"),
                *(f"        {refused}", "    }"),
            ]
        else:
            lines.append(f"    {computed};")
        lines.append(f"    {result}")
        if refuses and not self._answer.is_class:
            lines.append("    return 0;")
        return "\n".join([*lines, "}"])


def prefix_of(name: str) -> str:
    """Return what the names begin with that others see, of a model's name."""
    return c_text.identifier(name, "model")


def flash_of(constants: int, measured: int | None) -> str:
    """Return the words for what a file takes of flash."""
    if measured is None:
        return f"{constants:,} bytes of constants, and a few thousand of code"
    return f"{measured:,} bytes, {constants:,} of them constants, compiled for this machine"
