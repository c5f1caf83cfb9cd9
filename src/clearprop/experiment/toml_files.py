"""The TOML files of settings, which hold any path that a file system does.

A name that is not UTF-8 holds lone surrogates, which TOML can't say. It can say NUL, which no name
holds: a surrogate is written as a NUL and its four digits.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from clearprop.configuration import Json
from clearprop.core.reading import parsed_toml, read_bounded
from clearprop.errors import DataError
from clearprop.files.written import write_text

_LARGEST = 2**14  # bytes of TOML: its keys are read in the square of their length
_SURROGATE = re.compile("[\ud800-\udfff]")
_WRITTEN_SURROGATE = re.compile("\0(d[89a-f][0-9a-f]{2})")


def write_toml(path: str | os.PathLike[str], values: Mapping[str, Json]) -> None:
    """Write values by name, a line each.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    write_text(path, "\n".join(f"{name} = {_as_toml(one)}" for name, one in values.items()) + "\n")


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read values by name.

    Raises
    ------
    DataError
        If the file is missing or no TOML.
    """
    try:
        found = parsed_toml(read_bounded(path, _LARGEST).decode("utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is no TOML file of settings: {error}.") from error
    return {name: _as_path(value) for name, value in found.items()}


def _as_toml(value: Json) -> str:
    if isinstance(value, str):
        value = _SURROGATE.sub(lambda found: f"\0{ord(found[0]):04x}", value)
    # A JSON value of these types is a TOML value, too, but for a raw DEL in a string.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _as_path(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _WRITTEN_SURROGATE.sub(lambda found: chr(int(found[1], 16)), value)
