"""The page on serving: its curl commands are sent, its Dockerfile's command starts a service."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from conftest import TOKEN
from service_client import JSON, Client
from test_docs import blocks_of, not_told, run_blocks

import clearprop as cp
from clearprop.cli import cli
from clearprop.service.answers import Predictor
from clearprop.service.serving import _AT_ONCE, LARGEST, serve_model

PAGE = Path(__file__).parents[2] / "docs/serving.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Do what the page does before it serves a model, in a folder."""
    folder = tmp_path_factory.mktemp("page")
    before, _, _ = TEXT.partition("<!-- not run: it serves")
    (folder / "page.md").write_text(before, encoding="utf-8")
    with chdir(folder):
        run_blocks(folder / "page.md")
    return folder


def curls():
    """Return the arguments of each curl of the page, with what it shows."""
    found = []
    for block in blocks_of(TEXT):
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ curl"):
                found.append((shlex.split(line)[2:], []))
            elif line.startswith("$"):
                break
            elif found and block.language == "console" and "$ curl" in block.text:
                found[-1][1].append(line)
    return found


def sent(client, arguments):
    """Send what a curl command does: of as many of its options as the page takes."""
    url, headers, body = None, {}, None
    rest = iter(arguments)
    for one in rest:
        if one == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name.lower()] = value.replace("$TOKEN", TOKEN)
        elif one == "-d":
            body = next(rest)
        elif one != "-s":
            assert url is None
            url = one
    assert urlsplit(url).netloc == "127.0.0.1:8080"
    method = "GET" if body is None else "POST"
    return client.ask(method, urlsplit(url).path, body, **headers)


@pytest.mark.slow
def test_its_curl_commands_are_answered_as_it_shows(trained):
    model = cp.load(trained / "runs/people/model.safetensors")
    with serve_model(Predictor(model, "people"), token=TOKEN, complain=print) as server:
        client = Client(server.address, None)
        commands = curls()
        assert len(commands) == 3
        for arguments, shown in commands:
            assert shown
            said = sent(client, arguments).body.decode()
            assert not_told(shown, said) is None, said


@pytest.mark.slow
def test_the_command_of_its_dockerfile_serves(trained):
    (file,) = (block.text for block in blocks_of(TEXT) if block.language == "dockerfile")
    copied = re.search(r"^COPY (\S+) (\S+)$", file, re.M)
    program, *arguments = json.loads(re.search(r"^CMD (.*)$", file, re.M)[1])
    assert program == "clearprop"
    assert (trained / copied[1]).exists()
    place = arguments.index("--port")
    assert f"EXPOSE {arguments[place + 1]}" in file
    del arguments[place : place + 2]  # a free one
    arguments = [str(trained / copied[1]) if one == copied[2] else one for one in arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", "clearprop", *arguments, "--quiet"],
        env={**os.environ, "CLEARPROP_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        client = Client(process.stdout.readline().split()[-1], TOKEN)
        body = json.dumps({"rows": [{"age": 20, "city": "Oslo"}]})
        reply = client.predict(body, JSON, host="localhost:12345")
        assert reply.status == 200
        check = json.loads(re.search(r"^HEALTHCHECK CMD (.*)$", file, re.M)[1])
        check[-1] = check[-1].replace("8080", str(client.port))
        assert subprocess.run([sys.executable, *check[1:]], check=False).returncode == 0
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 0


def test_it_tells_the_bounds_that_hold():
    assert f"{LARGEST // 2**20} MiB" in TEXT
    assert f"{_AT_ONCE} requests are under way" in TEXT


def test_its_command_line_is_one():
    shown = CliRunner().invoke(cli, ["serve", "--help"]).output
    for option in re.findall(r"`(--[a-z-]+)", TEXT):
        assert option in shown or option in ("--publish",)
