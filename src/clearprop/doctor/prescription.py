"""Changed settings as one types them."""

from collections.abc import Mapping

from clearprop.doctor.words import IN_PYTHON
from clearprop.initializers import INITIALIZERS
from clearprop.layers import ACTIVATIONS

_BY_NAME: Mapping[str, Mapping[str, object]] = {"init": INITIALIZERS, "activation": ACTIVATIONS}


def in_python(name: str, value: object, optimizer: str) -> str:
    """Write a changed setting as one types it in Python."""
    class_name = type(_BY_NAME.get(name, {}).get(str(value))).__name__
    return IN_PYTHON[name].format(value=value, class_name=class_name, optimizer=optimizer)


def as_option(name: str, value: object) -> str:
    """Write a changed setting as an option of ``clearprop train``."""
    option = f"--{name.replace('_', '-')}"
    if value is True:
        return option
    if isinstance(value, list):
        return f"{option} {','.join(map(str, value))}"
    return f"{option} {value:g}" if isinstance(value, float) else f"{option} {value}"
