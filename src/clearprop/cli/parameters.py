"""Kinds of arguments that several commands take."""

from typing import Any

import click


class _WholeNumbers(click.ParamType[list[int]]):
    """Hidden layers: ``20,7,5``, or ``none``."""

    name = "layers"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[int]:
        if isinstance(value, list):
            return value
        if value == "none":
            return []
        try:
            units = [int(part) for part in value.split(",")]
        except ValueError:
            self.fail(
                f"{value!r} is no list of layer sizes. Write the units of each hidden layer, as in "
                "20,7,5, or none.",
                param,
                ctx,
            )
        if min(units) < 1:
            self.fail(
                f"a layer needs at least one unit, found {min(units)} in {value}.", param, ctx
            )
        return units


class _Size(click.ParamType[tuple[int, int]]):
    """Height and width of pictures: ``64x64``, or ``64`` for both."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        parts = value.lower().split("x")
        try:
            height, width = (int(part) for part in (parts * 2 if len(parts) == 1 else parts))
        except ValueError:
            self.fail(f"{value!r} is no size. Write height and width, as in 64x64.", param, ctx)
        if height < 1 or width < 1:
            self.fail(f"a picture has at least one pixel a side, found {value}.", param, ctx)
        return height, width


class _BatchSize(click.ParamType[int]):
    """Samples an update sees, or ``full`` for all of them, which settings write as 0."""

    name = "batch size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if value == "full":
            return 0
        try:
            size = int(value)
        except ValueError:
            self.fail(f"{value!r} is no batch size. Write a whole number, or full.", param, ctx)
        if size < 1:
            self.fail(f"a batch has at least one sample, found {size}; or write full.", param, ctx)
        return size


LAYERS = _WholeNumbers()
SIZE = _Size()
BATCH_SIZE = _BatchSize()
