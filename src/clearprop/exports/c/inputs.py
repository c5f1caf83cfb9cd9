"""Samples as a caller of C has them, and how they become what the network takes."""

from string import Template
from typing import Final, Protocol

import numpy as np

from clearprop.exports.c import text as c_text
from clearprop.exports.c.resizing import RESIZED, RESIZED_DECLARED
from clearprop.exports.c.source import Source, loop, size_of
from clearprop.exports.c.tables import TableCode
from clearprop.exports.description import Inputs, NumberInputs, PictureInputs, TableInputs


class SampleCode(Protocol):
    """What C needs to know of samples.

    Attributes
    ----------
    parameter, argument : str
        A sample as a parameter, and as an argument.
    refuses : str
        The words for what `NAME_logits` returns of a sample that it can't use; "" where it can use
        all, and returns nothing.
    declared : str
        What the header says of samples.
    defined : str
        Functions that others may call.
    sizes : dict of str to (int, str)
        Constants of the header, and the words for them.
    """

    parameter: str
    argument: str
    refuses: str
    declared: str
    defined: str
    sizes: dict[str, tuple[int, str]]

    def prepare(self, source: Source, x: str) -> None:
        """Add the statements that write the network's input to the array x."""


def sample_code(inputs: Inputs, name: str, size: int) -> SampleCode:
    """Return what C needs to know of samples.

    Parameters
    ----------
    inputs : TableInputs, PictureInputs or NumberInputs
    name : str
        The model's, as names begin.
    size : int
        The number of the network's inputs.
    """
    match inputs:
        case PictureInputs():
            return _Pictures(inputs, name)
        case NumberInputs():
            return _Numbers(inputs, name, size)
        case TableInputs():
            return TableCode(inputs, name)


class _Pictures:
    refuses = ""

    def __init__(self, inputs: PictureInputs, name: str) -> None:
        (height, width), channels = inputs.size, inputs.channels
        self.size = height * width * channels
        upper = name.upper()
        self.parameter = f"const uint8_t picture[{upper}_PIXELS]"
        self.argument = "picture"
        words = {"name": name, "NAME": upper}
        self.declared = Template(RESIZED_DECLARED).substitute(words).strip()
        self.defined = Template(RESIZED).substitute(words).strip()
        self.sizes = {
            "HEIGHT": (height, ""),
            "WIDTH": (width, ""),
            "CHANNELS": (channels, "grey" if channels == 1 else "red, green, blue"),
            "PIXELS": (self.size, "bytes of a picture, row by row, its channels side by side"),
        }

    def prepare(self, source: Source, x: str) -> None:
        source.put(loop(self.size, f"{x}[i] = (float)picture[i] / 255.0f;"))


_STANDARDISED: Final = """\
for (int i = 0; i < $size; i++) {
    const double z = (numbers[i] - $mean) / $std;
    if (!(fabs(z) <= (double)FLT_MAX)) {
        return i + 1;
    }
    $x[i] = (float)z;
}"""


class _Numbers:
    refuses = "the place of the first number, counted from 1, that is not finite"
    defined = ""

    def __init__(self, inputs: NumberInputs, name: str, size: int) -> None:
        self.inputs, self.size = inputs, size
        # Prepared numbers are float32 already. Others may lie far from zero, and lose digits in it.
        self.kind = "float" if is_plain(inputs) else "double"
        upper = name.upper()
        self.parameter = f"const {self.kind} numbers[{upper}_INPUTS]"
        self.argument = "numbers"
        self.declared = ""
        self.sizes = {"INPUTS": (size, "numbers of a sample, the last axis fastest")}

    def prepare(self, source: Source, x: str) -> None:
        if self.kind == "float":
            checked = "if (!(fabsf(numbers[i]) <= FLT_MAX)) {\n        return i + 1;\n    }\n"
            source.put(loop(self.size, f"{checked}    {x}[i] = numbers[i];"))
            return
        words = {"size": str(self.size), "x": x}
        for name in ("mean", "std"):
            values = np.atleast_1d(getattr(self.inputs, name)).ravel()
            if (values == values[0]).all():
                words[name] = c_text.double(values[0])
            else:
                words[name] = f"{source.table('double', name, map(c_text.double, values))}[i]"
        source.put(Template(_STANDARDISED).substitute(words))


def is_plain(inputs: NumberInputs) -> bool:
    """Whether numbers go into the network as they are."""
    return not inputs.mean.any() and bool((inputs.std == 1).all())


def told(inputs: Inputs, shape: tuple[int, ...]) -> str:
    """Return the words for a sample."""
    match inputs:
        case PictureInputs():
            return f"a picture of {size_of(shape)} bytes"
        case NumberInputs():
            return f"{size_of(shape)} numbers"
        case TableInputs():
            return f"a row of {len(inputs.columns)} columns"
