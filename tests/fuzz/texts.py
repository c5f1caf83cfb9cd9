"""Settings in TOML and histories in CSV, of which not all can be used."""

import csv
import io
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from mutations import ODD_NUMBERS, ODD_TEXTS, ODD_VALUES, as_json, changed_bytes

_SETTINGS: dict[str, Any] = {
    "data": "digits",
    "layers": [20, 7],
    "activation": "tanh",
    "learning_rate": 0.01,
    "epochs": 3,
    "batch_size": 32,
    "batch_norm": True,
    "validation": "0.2",
    "seed": 4,
    "size": [8, 8],
}
_WRITTEN = (
    *(
        "[a",
        "=",
        "[[x]]",
        "seed = 1979-05-27",
        "seed = 1" + "_1" * 3000,
        "seed = 1e400",
        "seed=nan",
    ),
    *("seed = 0x" + "f" * 400, "layers = " + "[" * 2000 + "]" * 2000, "a" + ".a" * 3000 + " = 1"),
    *("data = '''x'''", "'' = 1", '"\\u001b[2J" = 1', "epochs = {x = 1}", "seed = inf", "\t"),
    *("layers = [true]", "layers = [1.0]", "l2 = -0.0", "seed = -0", 'target = "\\u0000d800"'),
)
_COLUMNS = ("epoch", "step", "loss", "accuracy", "validation_loss", "learning_rate", "seconds")


def settings_files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of TOML files, without end."""
    while True:
        lines = [f"{name} = {json.dumps(value)}" for name, value in _SETTINGS.items()]
        for _ in range(random.choice((1, 1, 2))):
            place, name = random.randrange(len(lines)), random.choice([*_SETTINGS, *ODD_TEXTS])
            lines[place] = random.choice(
                (
                    f"{name} = {as_json(random.choice(ODD_VALUES))}",
                    f"{json.dumps(name)} = {as_json(random.choice(ODD_VALUES))}",
                    random.choice(_WRITTEN),
                )
            )
        content = "\n".join(lines).encode("utf-8", "surrogatepass")
        yield "config.toml", changed_bytes(content, random) if random.random() < 0.3 else content


def histories(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of CSV files, without end."""
    while True:
        rows: list[list[Any]] = [[epoch, 4 * epoch, *[0.5 / epoch] * 5] for epoch in (1, 2, 3)]
        lines = [list(_COLUMNS), *rows]
        for _ in range(random.choice((1, 1, 3))):
            line = random.choice(lines)
            if random.random() < 0.2 and len(line) > 1:
                del line[random.randrange(len(line))]
            else:
                odd = (*ODD_TEXTS, *ODD_NUMBERS, "9" * 5000, "1_0", "٣", "0x10", "1e5", "NA")
                line[random.randrange(len(line))] = random.choice(odd)
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        content = text.getvalue().encode("utf-8", "surrogatepass")
        yield "history.csv", changed_bytes(content, random) if random.random() < 0.3 else content
