"""Somebody who asks a service."""

import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

SECONDS = 60
"""The time after which what never comes is no longer waited for."""

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """The sentence of a refusal, which has the form of one."""
        assert self.headers["content-type"] == "application/problem+json"
        told = self.json()
        assert told["status"] == self.status
        assert told["title"]
        return told["detail"]


@dataclass(frozen=True)
class Client:
    """Asks at an address, with a token unless there is none."""

    address: str
    token: str | None

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        given = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        given = {name: value for name, value in (given | named).items() if value is not None}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            connection.request(method, path, body, given)
            found = connection.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Reply(found.status, told, found.read())

    def predict(self, body: Any, kind: str | None = JSON, **headers: str | None) -> Reply:
        return self.ask("POST", "/predict", body, content_type=kind, **headers)
