"""Somebody who asks a server things, and hears its events."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clearprop.experiment import Task
from clearprop.training import Callback, History

SECONDS = 60
"""The time after which what never comes is no longer waited for."""

COMMAND = (sys.executable, "-m", "clearprop.studio.command_child")
"""The command ``clearprop``, which ends with its standard input: `MINE`."""

MINE, _ = os.pipe()
"""A standard input that ends with this process, even where it is killed."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Asker:
    """Asks a server, with the headers that a browser would send."""

    address: str

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        token: str | None = "",
        **headers: str,
    ) -> Answer:
        """Ask for something, with the right token as a bearer unless another or none is given."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            connection.request(method, path, body, self._headers(token, headers))
            found = connection.getresponse()
            given = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, given, found.read())

    def get(self, path: str, **given: Any) -> Answer:
        return self.ask("GET", path, **given)

    def control(self, action: Any, value: Any = None) -> Answer:
        """Ask for something as the page does."""
        asked = {"do": action} | ({} if value is None else {"value": value})
        return self.ask("POST", "/control", body=json.dumps(asked), content_type="application/json")

    def _headers(self, token: str | None, headers: dict[str, str]) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token or self.token}"
        return given

    def events(self) -> "Events":
        """Hear the events."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request("GET", "/events", headers=self._headers("", {}))
        return Events(connection, connection.getresponse())


class Events:
    """Server-sent events, one after the other."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self.connection, self.response = connection, response

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self.connection.close()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        name = ""
        while line := self.response.readline().decode():
            field, _, value = line.strip().partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)

    def until(self, is_it: Callable[[str, Any], bool]) -> tuple[str, Any]:
        """Pass over events up to one."""
        return next((name, data) for name, data in self if is_it(name, data))


class InThread(threading.Thread):
    """Does something in a thread, whose errors are raised where its end is waited for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.work, self.error, self.found = work, None, None
        self.start()

    def run(self) -> None:
        try:
            self.found = self.work()
        except BaseException as error:
            self.error = error

    def result(self) -> Any:
        self.join(SECONDS)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.found


def fit(task: Task, *callbacks: Callback, **changes: Any) -> History:
    """Train the network of a task, watched."""
    trainer = replace(task.trainer(), **changes)
    return trainer.fit(task.network, *task.prepared(task.train), callbacks=callbacks)
