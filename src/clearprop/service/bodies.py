"""The JSON of a request, read strictly: each name once, no NaN, numbers of any length."""

import json
from collections import Counter
from typing import Any

from clearprop.errors import shortened
from clearprop.service.problems import RefusedError

_LONGEST = 19  # digits of a whole number that stays one, as some are names; others are floats


def parsed(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    RefusedError
        If it is none.
    """
    if not body:
        raise RefusedError(400, "The body is empty, expected JSON: see GET /openapi.json.")
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place = f"byte {error.start + 1} is none"
        raise RefusedError(400, f"The body is not in UTF-8, as JSON is: {place}.") from error
    except json.JSONDecodeError as error:
        raise RefusedError(400, f"The body is no JSON: {error}.") from error
    except RecursionError as error:
        raise RefusedError(400, "The body's lists and objects are nested too deep.") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise RefusedError(400, f"An object of the body has {shortened(twice)} twice.")
    return found


def _no_constant(name: str) -> Any:
    raise RefusedError(400, f"JSON has no {name}. Where a number is missing, write null.")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST else float(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_each_once, parse_constant=_no_constant, parse_int=_whole
)
