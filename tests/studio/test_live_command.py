"""``clearprop train --live`` as one types it: the page comes with the training, and stays."""

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
from clearprop.experiment.runs import REPORT

TRAIN = [*COMMAND, "train", "moons", "--layers", "4", "--out", "run"]


@pytest.fixture
def typed(tmp_path):
    """Type a command in an empty folder, and give what follows: its process, and its address."""
    processes = []

    def start(*options):
        process = subprocess.Popen(
            [*TRAIN, *options],
            cwd=tmp_path,
            stdin=MINE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("Live page: "):
                return process, Asker(line.split()[-1])
        pytest.fail("".join(said))

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def said(process):
    """Return what a process says until it ends."""
    out, err = process.communicate(timeout=SECONDS)
    return out, err


@pytest.mark.slow
def test_a_run_is_steered_saved_shown_and_closed(typed, tmp_path):
    process, asker = typed("--live", "--folds", "0", "--epochs", "100000", "--patience", "0")
    with asker.events() as page:
        page.until(lambda name, data: name == "told" and data["epoch"] > 2)
        assert asker.control("rate", 0.0078125).status == 204
        page.until(lambda name, data: name == "row" and data["learning_rate"] == 0.0078125)
        assert asker.control("stop").status == 204
        page.until(lambda name, _: name == "state" and asker.get("/state").json()["live"]["ended"])
    state = asker.get("/state").json()
    report = json.loads((tmp_path / "run" / REPORT).read_text())
    (run,) = state["runs"]
    assert (run["name"], run["told"]["stopped"]) == ("run", "asked")
    # A page that is given away does not tell where the model lies.
    told = {key: one for key, one in report.items() if key not in ("model", "command")}
    assert run["report"] == told
    assert run["command"] == report["command"]
    assert report["stopped"] == "asked"
    by_hand, stopped = report["notes"][-2:]
    assert by_hand.startswith("The learning rate was set by hand, to 0.0078125 from epoch")
    assert stopped.startswith("Training was stopped by hand after ")
    assert process.poll() is None  # the page stays
    assert asker.control("close").status == 204
    out, err = said(process)
    assert process.returncode == 0
    assert "Trained " in out
    assert f"Live page: {asker.address}\nIt stays until Ctrl-C here" in err


@pytest.mark.slow
def test_ctrl_c_closes_the_page_of_a_saved_run_and_is_no_error(typed, tmp_path):
    process, asker = typed("--live", "--folds", "2", "--epochs", "2", "--json", "--quiet")
    for line in process.stderr:
        if line.startswith("It stays"):
            break
    assert [run["name"] for run in asker.get("/state").json()["runs"]] == ["run"]
    process.send_signal(signal.SIGINT)
    out, err = said(process)
    assert process.returncode == 0
    assert json.loads(out)["stopped"] == "finished"
    assert "Traceback" not in err
    assert (tmp_path / "run/model.safetensors").exists()


@pytest.mark.slow
def test_ctrl_c_in_the_training_ends_both_at_once(typed):
    process, asker = typed("--live", "--folds", "0", "--epochs", "100000", "--patience", "0")
    with asker.events() as page:
        page.until(lambda name, data: name == "told" and data["epoch"] > 2)
        asker.control("pause")
        page.until(lambda name, data: name == "told" and data["state"] == "paused")
        process.send_signal(signal.SIGINT)
        _, err = said(process)
    assert process.returncode == 130
    assert "To go on from its last checkpoint: clearprop train --resume --out run" in err


def test_a_port_without_a_page_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["train", "moons", "--port", "8080"])
    assert result.exit_code == 2
    assert "--live --port N" in result.stderr
    assert not any(Path().iterdir())


def test_a_port_in_use_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["train", "moons", "--live", "--port", str(port)])
    assert result.exit_code == 2
    assert f"Port {port} is in use" in result.stderr
    assert not any(Path().iterdir())


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_what_is_no_port_is_refused(port):
    result = CliRunner().invoke(cli, ["train", "moons", "--live", "--port", port])
    assert result.exit_code == 2
    assert "--port" in result.stderr
