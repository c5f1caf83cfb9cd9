"""Changes of bytes, texts and JSON values, each of which somebody's file has had."""

import json
from copy import deepcopy
from random import Random
from typing import Any

ODD_TEXTS = (
    *("", " ", "\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\u202egpj.exe", "a\u200bb", "\ufeff"),
    *("\ud800", "\udcff", "\0", "a\nError: b", "\r\n", "$x_{$", "ß" * 40, "名前", "x" * 5000),
)
ODD_NUMBERS = (
    *(0, -1, 1, 2, 3, 2**31, 2**53, 2**63, 2**64, -(2**70), 10**30, 10**400),
    *(0.5, -0.5, 1e-320, 1e308, -1e308, 1.7e308, float("nan"), float("inf"), -0.0),
)
_NESTED = "lists in lists"  # which only the text has, as Python's own tools refuse them
ODD_VALUES = (*ODD_TEXTS, *ODD_NUMBERS, _NESTED, None, True, False, [], {}, [[]], {"type": "Dense"})


def changed_bytes(content: bytes, random: Random) -> bytes:
    """Flip bits, cut, leave out, insert, repeat: one to four times."""
    for _ in range(random.choice((1, 1, 2, 4))):
        if not content:
            return content
        start = random.randrange(len(content))
        end = min(len(content), start + random.choice((1, 2, 8, 64, 1024)))
        content = random.choice(
            (
                content[:start] + bytes([content[start] ^ 1 << random.randrange(8)]),
                content[:start],
                content[:start],
                content[:start] + random.randbytes(end - start),
                content[:start] + content[start:end] * 2,
                content[:start] + b"\xff" * (end - start),
                content[:start] + b"\0" * (end - start),
            )
        ) + random.choice((content[end:], content[start + 1 :], content[end:]))
    return content


def changed_json(value: Any, random: Random) -> Any:
    """Change one to three places of a JSON value, anywhere in it."""
    value = deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        change, place = _place(value, random)
        kind = random.random()
        if kind < 0.6:
            change[place] = random.choice(ODD_VALUES)
        elif kind < 0.75:
            del change[place]
        elif kind < 0.85 and isinstance(change, dict):
            change[random.choice(ODD_TEXTS)] = random.choice(ODD_VALUES)
        elif kind < 0.95 and isinstance(change, list):
            change.insert(place, random.choice(ODD_VALUES))
        else:
            other, at = _place(value, random)
            change[place] = deepcopy(other[at])
    return value


def as_json(value: Any) -> str:
    """Write a value as JSON, with raw surrogates, NaN and numbers of hundreds of digits."""
    return json.dumps(value).replace(f'"{_NESTED}"', "[" * 900 + "]" * 900)


def _place(value: Any, random: Random) -> tuple[Any, Any]:
    """Pick a list or object in a value, not too evenly, and a place in it."""
    found, places = value, _keys(value)
    while True:
        place = random.choice(places)
        inner = _keys(found[place])
        if not inner or random.random() < 0.15:
            return found, place
        found, places = found[place], inner


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []
