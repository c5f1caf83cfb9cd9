"""The page's modules in Node, a process that answers questions line by line; and one browser."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Chromium, chromium
from run_pages import Shown, digits_run

HERE = Path(__file__).parent


class Node:
    """A driver beside the tests, which reads a JSON object a line and answers by one.

    Parameters
    ----------
    driver : str
        The name of its file: ``"engine_driver.mjs"``.
    """

    def __init__(self, driver: str) -> None:
        program = shutil.which("node")
        if program is None:
            pytest.skip("node is not installed, and the page's modules are JavaScript")
        self.process = subprocess.Popen(
            [program, HERE / driver],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, **question: Any) -> Any:
        """Return the answer to a question, or raise what the modules have thrown as NodeError."""
        told, heard = self.process.stdin, self.process.stdout
        assert told is not None
        assert heard is not None
        told.write(json.dumps(question) + "\n")
        told.flush()
        line = heard.readline()
        assert line, f"the driver ended with the status {self.process.wait()}; see its errors above"
        answer = json.loads(line)
        if "error" in answer:
            raise NodeError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End the process, and wait for it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.wait()


class NodeError(Exception):
    """The message of an Error that a module has thrown."""


@pytest.fixture(scope="session")
def node_error() -> type[NodeError]:
    return NodeError


@pytest.fixture(scope="session")
def engine() -> Iterator[Node]:
    node = Node("engine_driver.mjs")
    yield node
    node.close()


@pytest.fixture(scope="session")
def view() -> Iterator[Node]:
    """Start another driver, for what is drawn."""
    node = Node("panel_driver.mjs")
    yield node
    node.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """Start a browser for all files that start none of their own."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def digits() -> Shown:
    """Train the run on digits once."""
    return digits_run()
