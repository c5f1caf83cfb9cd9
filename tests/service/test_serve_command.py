"""``clearprop serve`` as one types it, and as a container starts and ends it."""

import builtins
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest
from click.testing import CliRunner
from conftest import TOKEN
from service_client import SECONDS, Client

import clearprop as cp
from clearprop.cli import cli


@pytest.fixture(scope="module")
def saved(people, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "people.safetensors"
    cp.save(path, people.model)
    return str(path)


@pytest.fixture
def start(saved):
    """Start a service; return its process, and the lines that it prints at first."""
    processes = []

    def started(*options, token=None):
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        environment.pop("CLEARPROP_TOKEN", None)
        if token is not None:
            environment["CLEARPROP_TOKEN"] = token
        process = subprocess.Popen(
            [sys.executable, "-m", "clearprop", "serve", saved, *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate(timeout=SECONDS)[1])
        return process, line

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def ended(process, how):
    process.send_signal(how)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


@pytest.mark.slow
def test_it_prints_its_address_and_a_new_token_and_ends_by_ctrl_c(start, people):
    process, line = start()
    address = line.removeprefix("Service: ").strip()
    token = process.stdout.readline().removeprefix("Token: ").strip()
    client = Client(address, token)
    assert client.predict(people.body()).status == 200
    assert client.ask("GET", "/openapi.json").json()["info"]["title"] == "people"
    code, out, err = ended(process, signal.SIGINT)
    assert (code, out) == (130, "")
    assert "It answers whoever has the token, on this machine alone" in err
    assert err.endswith("Interrupted.\n")


@pytest.mark.slow
def test_with_a_token_of_the_environment_it_prints_none_and_ends_when_it_is_told(start, people):
    process, line = start(token=TOKEN)
    client = Client(line.removeprefix("Service: ").strip(), TOKEN)
    assert client.predict(people.body()).status == 200
    assert client.predict(b"{").status == 400
    code, out, err = ended(process, signal.SIGTERM)
    assert (code, out) == (0, "")
    assert TOKEN not in line + err
    assert "Traceback" not in err


@pytest.mark.slow
def test_it_says_as_json_where_it_is_and_listens_for_all_if_asked_to(start, people):
    process, line = start(
        *("--json", "--quiet", "--no-token", "--host", "0.0.0.0"),  # noqa: S104 - of a test
        *("--allow-host", "predict.example"),
    )
    told = line
    while not told.endswith("}\n"):
        told += process.stdout.readline()
    said = json.loads(told)
    assert said["token"] is None
    client = Client(said["address"], None)
    assert client.predict(people.body(), host="predict.example").status == 200
    assert client.predict(people.body(), host="other.example").status == 403
    assert ended(process, signal.SIGTERM) == (0, "", "")


def refused(*options, **environment):
    given = {"CLEARPROP_TOKEN": None, **environment}
    result = CliRunner(env=given).invoke(cli, ["serve", *options])
    assert "Traceback" not in result.output
    return result.exit_code, result.stderr


def test_a_port_in_use_is_said(saved):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        code, said = refused(saved, "--port", str(port))
    assert code == 2
    assert f"Port {port} is in use, perhaps by another server of clearprop. Port" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 is not the loopback address: other machines can"),  # noqa: S104
        (["--host", "localhost"], "--host is localhost, expected an IPv4 address: 127.0.0.1"),
        (["--host", "::1"], "--host is ::1, expected an IPv4 address"),
        (["--host", "192.0.2.7", "--allow-host", "a"], "This machine has no address 192.0.2.7"),
        (["--allow-host", "http://a"], "--allow-host is 'http://a', expected a name alone"),
        (["--allow-host", "*.example"], "--allow-host is '*.example', expected a name alone"),
        (["--allow-host", "a:80"], "--allow-host is 'a:80', expected a name alone"),
        (["--allow-host", ""], "--allow-host is '', expected a name alone"),
        (["--port", "0"], "--port"),
        (["--features", "f.onnx"], "this model needs none: leave it out"),
    ],
)
def test_options_that_can_not_be_are_refused(saved, options, sentence):
    code, said = refused(saved, *options)
    assert code == 2
    assert sentence in " ".join(said.split())


def test_two_words_about_the_token_are_one_too_many(saved):
    code, said = refused(saved, "--no-token", CLEARPROP_TOKEN=TOKEN)
    assert code == 2
    assert "CLEARPROP_TOKEN holds a token, and --no-token says that there is none." in said
    assert TOKEN not in said


def test_a_token_that_is_none_is_not_told(saved):
    code, said = refused(saved, CLEARPROP_TOKEN="secret")  # noqa: S106 - of a test
    assert code == 2
    assert "CLEARPROP_TOKEN holds 6 characters, expected 16 or more" in said
    assert "secret" not in said


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(saved, package, monkeypatch):
    real = builtins.__import__

    def without(name, *given, **named):
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named {name!r}")
        return real(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    code, said = refused(saved)
    assert code == 1
    assert f"The service needs {package}, which is not installed." in said
    assert "pip install 'clearprop[live]'" in " ".join(said.split())


def test_a_model_that_is_not_there_is_said(tmp_path):
    code, said = refused(str(tmp_path / "none.safetensors"))
    assert code == 1
    assert "There is no model file" in said
