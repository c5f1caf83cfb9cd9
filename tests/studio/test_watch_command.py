"""``clearprop watch`` as one types it."""

import json
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from asking import COMMAND, MINE, SECONDS, Asker
from click.testing import CliRunner

from clearprop.cli import cli

LOOP = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(30, 4))
Y = rng.normal(size=(30, 2))
W = rng.normal(size=(4, 2))
epoch = 0
while True:
    diff = X @ W - Y
    loss = np.sum(diff ** 2) / 2
    dW = X.T @ diff
    W -= 0.001 * dW
    epoch += 1
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.py", "There is no file"),
        ("data.csv", "neither a .py file nor a notebook"),
    ],
)
def test_what_is_no_program_is_refused(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    result = CliRunner().invoke(cli, ["watch", str(tmp_path / name)])
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_port_in_use_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["watch", str(tmp_path / "mine.py"), "--port", str(port)])
    assert result.exit_code == 2
    assert f"Port {port} is in use" in result.stderr
    assert "Running" not in result.stderr


@pytest.mark.slow
def test_an_endless_loop_is_watched_ended_by_ctrl_c_and_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(LOOP)
    process = subprocess.Popen(
        [*COMMAND, "watch", "mine.py", "--json"],
        cwd=tmp_path,
        stdin=MINE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        asker = Asker(process.stderr.readline().split()[-1])
        assert asker.get("/state", token=None).status == 401
        with asker.events() as page:
            page.until(
                lambda name, data: (
                    name == "program" and len(data["arrays"]) >= 3 and data["verdict"] is not None
                )
            )
            process.send_signal(signal.SIGINT)
            _, data = page.until(
                lambda name, data: name == "program" and data["state"] == "stopped"
            )
        assert data["verdict"]["passed"] is True
        state = asker.get("/state").json()
        assert state["live"]["ended"] is True
        assert {one["name"] for one in state["program"]["arrays"]} >= {"W", "dW"}
        assert asker.control("rate").status == 400
        assert asker.control("close").status == 204
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    said = json.loads(out)
    assert (said["state"], said["verdict"]["passed"]) == ("stopped", True)
    assert "The page stays until Ctrl-C here" in err
