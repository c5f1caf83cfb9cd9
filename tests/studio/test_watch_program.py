"""A program that is watched: its own arrays, by its own names, as a plain run of it leaves them."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.studio.program_messages import Seen
from clearprop.studio.program_roles import end_of, roles_in
from clearprop.studio.program_state import Listener
from clearprop.studio.programs import Program

sys.path.append(str(Path(__file__).parents[1] / "gradcheck"))  # where files in all styles lie

from seen_styles import ADAM, COURSE, STYLES

SECONDS = 60
QUICK = ("course functions with dicts", "layer classes")
EVERY = [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in STYLES]

VERDICTS = Path(__file__).parents[2] / "docs" / "verdicts.md"
NETWORKS = {
    "xor.py": {"syn0", "syn1"},
    "course.py": {"W1", "b1", "W2", "b2"},
    "red.py": {"pesos1", "pesos2"},
    "layers.py": {"net[0].W", "net[0].b", "net[2].W", "net[2].b"},
    "nielsen.py": {f"net.{kind}[{n}]" for kind in ("weights", "biases") for n in range(3)},
    "softmax.py": {"W"},
    "rnn.py": {"Wx", "Wh", "Wy"},
    "conv.py": {"filters"},
    "adam.py": {"W1", "W2", "W3"},
    "shapes.py": {"W"},
}
"""The files of the ten verdicts, each in a style of its own, and the names of their parameters."""

STEPS = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(30, 4))
Y = rng.normal(size=(30, 2))
W = rng.normal(size=(4, 2))
shares, errors = [], []
for epoch in range(60):
    diff = X @ W - Y
    loss = np.mean(diff ** 2)
    dW = 2 * X.T @ diff / diff.size
    shares.append(float(np.linalg.norm(0.1 * dW) / np.linalg.norm(W)))
    errors.append(float(loss))
    W = W - 0.1 * dW
"""


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Watch a text as a program until it has ended, and close it after the test."""
    opened = []

    def watched(text: str, timeout: float | None = SECONDS) -> Program:
        file = tmp_path / "mine.py"
        file.write_text(text, encoding="utf-8")
        program = Program(file, timeout)
        opened.append(program)
        program.start()
        program.wait()
        return program

    yield watched
    for one in opened:
        one.close()


def test_a_program_ends_with_its_watcher_whatever_it_waits_for(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n")
    command = [sys.executable, "-m", "clearprop.studio.program_child"]
    with subprocess.Popen(
        [*command, json.dumps({"file": str(file)})], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(SECONDS) == 1
        finally:
            process.kill()


def numbers(one: Seen) -> Any:
    return np.frombuffer(one.numbers, "<f4").reshape(one.rows, one.columns)


@pytest.mark.parametrize("style", EVERY)
def test_each_style_shows_its_network(style: str, watch: Callable[..., Program]) -> None:
    text, count = STYLES[style]
    program = watch(text)
    assert (program.state, program.why) == ("ended", "")
    seen = [one for one in program.arrays.values() if one.role == "parameter"]
    ends = {end_of(one.name) for one in seen}
    assert len(seen) >= count
    assert ends == roles_in(program.file, SECONDS)[0].parameters


@pytest.mark.parametrize(
    "name",
    [one if one == "course.py" else pytest.param(one, marks=pytest.mark.slow) for one in NETWORKS],
)
def test_each_of_the_ten_verdicts_shows_its_network(
    name: str, watch: Callable[..., Program]
) -> None:
    blocks = dict(re.findall(r"```python (\S+)\n(.*?)```", VERDICTS.read_text(), re.DOTALL))
    program = watch(blocks[name])
    seen = {one.name for one in program.arrays.values() if one.role == "parameter"}
    assert seen == NETWORKS[name]


def test_of_functions_that_nothing_calls_a_call_is_shown(watch: Callable[..., Program]) -> None:
    text = COURSE[: COURSE.index("X = np.random")]
    program = watch(text)
    assert program.state == "ended"
    assert program.note.startswith("It trains nothing when it is run. The check has called ")
    dW1 = program.arrays["dW1"]
    assert (dW1.role, dW1.of, dW1.shape) == ("gradient", "W1", program.arrays["W1"].shape)
    assert dW1.statistics["norm"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (COURSE, {name: ("parameters", name) for name in ("W1", "b1", "W2", "b2")}),
        (ADAM, {f"params[{n}]": ("params", n) for n in range(4)}),
    ],
)
def test_the_last_picture_is_what_a_plain_run_leaves(
    text: str, paths: dict[str, tuple[str, Any]], watch: Callable[..., Program]
) -> None:
    plain: dict[str, Any] = {}
    exec(text, plain)  # noqa: S102 - the oracle
    program = watch(text)
    for name, (holder, key) in paths.items():
        left = np.atleast_2d(plain[holder][key])
        assert np.array_equal(numbers(program.arrays[name]), left.astype(np.float32))
        assert program.arrays[name].statistics["norm"] == pytest.approx(np.linalg.norm(left))
    cost = plain["cost"] if "cost" in plain else plain["loss"]
    assert program.rows[-1]["cost"] == pytest.approx(float(cost))


def test_gradients_belong_to_their_parameters(watch: Callable[..., Program]) -> None:
    program = watch(ADAM)
    of = {one.name: one.of for one in program.arrays.values() if one.role == "gradient"}
    assert of == {"gW1": "params[0]", "gb1": "params[1]", "gW2": "params[2]", "gb2": "params[3]"}


def test_layers_of_one_class_keep_their_gradients_apart(watch: Callable[..., Program]) -> None:
    text, _ = STYLES["layer classes"]
    program = watch(text)
    of = {one.name: one.of for one in program.arrays.values() if one.role == "gradient"}
    assert of
    for name, parameter in of.items():
        assert parameter == name.replace("grad_", "")


def test_an_update_is_measured_and_growing_lists_come_whole(watch: Callable[..., Program]) -> None:
    plain: dict[str, Any] = {}
    exec(STEPS, plain)  # noqa: S102 - the oracle
    program = watch(STEPS)
    measured = [row["ratios"]["W"] for row in program.rows if "W" in row["ratios"]]
    assert measured
    for one in measured:
        assert any(math.isclose(one, share, rel_tol=1e-9) for share in plain["shares"])
    assert program.lists["errors"] == pytest.approx(plain["errors"])


def test_a_cost_that_is_only_printed_is_read(watch: Callable[..., Program]) -> None:
    text, _ = STYLES["class with self.W1"]
    program = watch(text)
    (printed,) = re.findall(r"Loss: (\S+)\n$", program.told(0, {})["printed"])
    assert program.rows[-1]["cost"] == float(printed)


def test_what_a_program_writes_stays_in_a_scratch_folder(
    watch: Callable[..., Program], tmp_path: Path
) -> None:
    program = watch(f"{STEPS}\nopen('out.txt', 'w').write('1')\nnp.save('W.npy', W)\n")
    assert (program.state, program.why) == ("ended", "")
    assert [one.name for one in tmp_path.iterdir()] == ["mine.py"]


def test_the_network_is_out_of_reach(watch: Callable[..., Program]) -> None:
    program = watch("import socket\nsocket.create_connection(('127.0.0.1', 9))\n")
    assert program.state == "failed"
    assert "PermissionError" in program.why


def test_a_program_that_fails_keeps_its_last_picture(watch: Callable[..., Program]) -> None:
    program = watch(f"{STEPS}\nW @ X\n")
    assert program.state == "failed"
    assert 'File "mine.py", line 16' in program.why
    assert "clearprop" not in program.why
    assert program.arrays["W"].shape == (4, 2)


def test_a_program_that_trains_nothing_says_so(watch: Callable[..., Program]) -> None:
    program = watch("def forward(x):\n    return x\n")
    assert program.state == "ended"
    assert program.why.startswith("Nothing trained in it")


def test_an_endless_program_ends_with_its_time(watch: Callable[..., Program]) -> None:
    program = watch("while True:\n    pass\n", 1.0)
    assert program.state == "late"
    assert program.why == "It ran longer than 1 s: --timeout SECONDS."
    assert program._process is not None
    assert program._process.wait(SECONDS) != 0


def test_a_program_that_dies_is_told(watch: Callable[..., Program]) -> None:
    program = watch("import ctypes\nctypes.string_at(0)\n")
    assert program.state == "failed"
    assert program.why.startswith("Its process ended with exit code")


def test_a_notebook_is_watched(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": part} for part in STEPS.split("\nshares", 1)]
    cells[1]["source"] = f"%matplotlib inline\nshares{cells[1]['source']}"
    file = tmp_path / "mine.ipynb"
    file.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    program = Program(file, SECONDS)
    program.start()
    program.wait()
    try:
        assert (program.state, program.why) == ("ended", "")
        assert program.arrays["W"].role == "parameter"
    finally:
        program.close()


def test_a_page_hears_each_row_and_value_once(watch: Callable[..., Program]) -> None:
    program = watch(STEPS)
    program.wait_checked()
    early, late = Listener(program), Listener(program)
    assert early.news() == late.news() == ["event: state\ndata: {}\n\n"]
    assert early.news() == []
    rows = len(program.rows)
    told = program.told(rows - 1, {"errors": 58})
    assert len(told["rows"]) == 1
    assert told["lists"]["errors"] == {"first": 58, "values": program.lists["errors"][58:]}
    assert told["verdict"]["passed"] is True
