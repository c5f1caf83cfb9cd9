"""Ports, and what is asked of a server at the wrong time."""

import builtins
import socket
from contextlib import closing

import pytest
from asking import Asker, InThread

from clearprop.errors import MissingExtraError, UsageError
from clearprop.studio.live import Live
from clearprop.studio.serving import serve_live


def test_a_port_in_use_is_said_with_one_that_is_free(live, server, serve):
    with pytest.raises(UsageError, match=f"Port {server.port} is in use") as caught:
        serve(live, server.port)
    free = int(str(caught.value).split("Port ")[2].split()[0])
    with serve(live, free) as other:
        assert other.port == free


def test_a_port_is_free_again_when_its_server_has_closed(live, serve):
    with serve(live) as first:
        assert Asker(first.address).get("/state").status == 200
        with Asker(first.address).events() as page:
            next(iter(page))
    with serve(live, first.port) as second:
        assert Asker(second.address).get("/state").status == 200
        assert Asker(second.address).get("/state", token=Asker(first.address).token).status == 401


def test_closed_it_answers_nobody(live, serve):
    with serve(live) as server:
        pass
    with pytest.raises(ConnectionRefusedError):
        Asker(server.address).get("/")


def test_what_is_no_http_harms_nobody(asker):
    for sent in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /" + b"a" * 2**20,
        b"\r\n\r\n",
        b"GET / HTTP/9",
    ):
        with closing(socket.create_connection(("127.0.0.1", asker.port), 60)) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(2**16):
                    pass
            except OSError:  # it hangs up first: which error that is depends on the moment
                pass
    assert asker.get("/state").status == 200


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(live, package, monkeypatch):
    real = builtins.__import__

    def without(name, *given, **named):
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named {name!r}")
        return real(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'clearprop\[live\]'") as caught:
        serve_live(live)
    assert package in str(caught.value)


class TestWhatIsAskedAtTheWrongTime:
    @pytest.fixture
    def run(self, moons):
        return Live(moons, name="moons", command="clearprop train moons")

    def test_it_is_not_closed_before_the_run_is_saved(self, run, serve):
        with serve(run) as server:
            asker = Asker(server.address)
            answer = asker.control("close")
            assert (answer.status, answer.body) == (
                409,
                b"The run is not saved yet: stop it first.",
            )
            run.mailbox.saved = {}
            waiting = InThread(run.wait_closed)
            assert asker.control("close").status == 204
            waiting.result()

    @pytest.mark.parametrize("action", ["pause", "go on", "step", "stop"])
    def test_nothing_is_asked_of_a_run_that_is_saved(self, run, serve, action):
        run.mailbox.saved = {}
        with serve(run) as server:
            answer = Asker(server.address).control(action)
        assert answer.status == 409
        assert answer.body == b"The training has ended, and is saved."

    def test_no_rate_is_set_where_nothing_trains(self, run, serve):
        with serve(run) as server:
            answer = Asker(server.address).control("rate", 0.1)
        assert answer.status == 409
        assert b"no learning rate to set" in answer.body
