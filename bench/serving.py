"""``python -m bench.serving MODEL``: how quickly a service answers one row, and what it keeps.

The service has one core, the asker another. Requests are sent when they are due, whether the ones
before are answered or not, and each waits from that moment: a pause of the service is counted for
all that it holds up. Before that, 200,000 requests show whether its memory grows; after it, a large
request is answered again and again while others ask whether the service is alive.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WARM_UP, _GROWTH = 20_000, 200_000
_CONNECTIONS = 32  # of requests that are due
_CLOSED = 4  # connections that ask as fast as they are answered
_SERVER_CORE, _OWN_CORE = 0, 1
_LENGTH = re.compile(rb"content-length: (\d+)")
_ROWS = 2_000  # of a large request
_ALIVE = 100  # questions a second meanwhile


def main() -> None:
    """Measure a model."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--no-growth", action="store_true", help="leave the memory out")
    given = parser.parse_args()
    os.sched_setaffinity(0, {_OWN_CORE})
    command = [sys.executable, "-m", "clearprop", "serve", given.model, "--json", "--quiet"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {_SERVER_CORE}),
    ) as process:
        try:
            service = _Service(process)
            asyncio.run(_measure(service, given.rate, given.seconds, not given.no_growth))
        finally:
            process.terminate()


@dataclass
class _Service:
    """A service that was started, as its asker sees it.

    Parameters
    ----------
    process : subprocess.Popen
        It has printed where it listens.
    """

    process: "subprocess.Popen[str]"
    port: int = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - a pipe
        text = ""
        while not text.endswith("}\n"):
            text += self.process.stdout.readline()
        told = json.loads(text)
        self.port, self.token = int(told["address"].rpartition(":")[2]), told["token"]

    @property
    def memory(self) -> int:
        """The bytes that it has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return 1024 * int(found[1]) if found else 0

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Write a request."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class _Connection:
    """A connection that stays open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, service: _Service) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", service.port))

    async def ask(self, request: bytes) -> bytes:
        """Send a request, and return the body of the answer."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None  # noqa: S101 - the service says it always
        body = await self.reader.readexactly(int(length[1]))
        if b" 200 " not in head[:20]:
            raise SystemExit(f"The service says {body.decode()}")
        return body


async def _measure(service: _Service, rate: int, seconds: int, growth: bool) -> None:
    first = await _Connection.to(service)
    described = json.loads(await first.ask(service.request("GET", "/openapi.json")))
    asked = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    example: dict[str, Any] = asked["example"]
    one = service.request("POST", "/predict", json.dumps(example).encode())
    took = await _as_fast_as_it_goes(service, one, _WARM_UP)
    print(f"{_WARM_UP:,} requests as fast as they go: {_WARM_UP / took:,.0f} a second")
    before = service.memory
    if growth:
        took = await _as_fast_as_it_goes(service, one, _GROWTH)
        grown = (service.memory - before) / 1e6
        print(
            f"{_GROWTH:,} requests more: {_GROWTH / took:,.0f} a second; memory "
            f"{before / 1e6:.1f} MB before, {grown:+.2f} MB since"
        )
    waits = await _at_a_rate(service, one, rate, rate * seconds)
    print(f"one row, {rate} a second for {seconds} s: {_in_words(waits)}")
    (key, samples), *_ = example.items()
    form = described["components"]["schemas"]["Request"]["properties"][key]
    many = {key: samples * min(_ROWS, form["maxItems"])}
    large = service.request("POST", "/predict", json.dumps(many).encode())
    await _beside_a_large_one(service, large, len(many[key]))


async def _as_fast_as_it_goes(service: _Service, request: bytes, count: int) -> float:
    """Ask by some connections, one question after the other on each; return the seconds."""
    connections = [await _Connection.to(service) for _ in range(_CLOSED)]
    began = time.perf_counter()

    async def again(connection: _Connection) -> None:
        for _ in range(count // _CLOSED):
            await connection.ask(request)

    await asyncio.gather(*map(again, connections))
    return time.perf_counter() - began


async def _at_a_rate(service: _Service, request: bytes, rate: int, count: int) -> list[float]:
    """Ask whenever a request is due; return the seconds from then to each answer."""
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await _Connection.to(service))
    waits: list[float] = []

    async def ask(due: float) -> None:
        connection = await free.get()
        await connection.ask(request)
        waits.append(time.perf_counter() - due)
        free.put_nowait(connection)

    began = time.perf_counter() + 0.1
    asking = set()
    for place in range(count):
        due = began + place / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        task = asyncio.create_task(ask(due))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    return waits


async def _beside_a_large_one(service: _Service, large: bytes, rows: int) -> None:
    """Ask whether it is alive while it answers large requests, one after the other."""
    connection = await _Connection.to(service)
    took: list[float] = []

    async def again() -> None:
        while True:
            began = time.perf_counter()
            await connection.ask(large)
            took.append(time.perf_counter() - began)

    asking = asyncio.create_task(again())
    alive = service.request("GET", "/health")
    waits = await _at_a_rate(service, alive, _ALIVE, 10 * _ALIVE)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    print(
        f"health beside requests of {rows:,} rows, {statistics.median(took):.3f} s each: "
        f"{_in_words(waits)}"
    )


def _in_words(waits: Sequence[float]) -> str:
    ordered = sorted(waits)
    places = {"median": 0.5, "99%": 0.99, "99.9%": 0.999}
    told = [f"{name} {1e3 * ordered[int(at * len(ordered))]:.2f} ms" for name, at in places.items()]
    return ", ".join([*told, f"longest {1e3 * ordered[-1]:.2f} ms"])


if __name__ == "__main__":
    main()
