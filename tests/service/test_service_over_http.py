"""A service as clients, browsers, proxies and whoever else ask it."""

import json
import select
import socket
import threading
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from served_models import ROWS
from service_client import JSON, SECONDS, Client

from clearprop.service.answers import Predictor
from clearprop.service.serving import _AT_ONCE, LARGEST, serve_model, token_of

PATHS = ["/predict", "/openapi.json", "/nothing", "/"]


class TestAnswers:
    def test_come_as_json_and_are_those_of_the_model(self, client, people):
        reply = client.predict(people.body())
        assert reply.status == 200
        assert reply.headers["content-type"] == JSON
        assert reply.body == Predictor(people.model, "it").answer(JSON, people.body())

    @pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
    def test_come_whatever_way_the_media_type_is_written(self, client, people, kind):
        assert client.predict(people.body(), kind).status == 200

    def test_come_to_a_body_of_unknown_length(self, client, people):
        body = people.body()
        reply = client.predict(iter([body[:50], body[50:]]))
        assert reply.json()["predictions"] == client.predict(body).json()["predictions"]

    def test_come_one_after_the_other_on_one_connection(self, client, people):
        with closing(HTTPConnection("127.0.0.1", client.port, timeout=SECONDS)) as connection:
            headers = {"Authorization": f"Bearer {client.token}", "Content-Type": JSON}
            for status, body in ((200, people.body()), (400, b"{"), (200, people.body())):
                connection.request("POST", "/predict", body, headers)
                reply = connection.getresponse()
                assert reply.status == status
                reply.read()

    def test_come_to_many_at_the_same_time_each_its_own(self, client, people):
        bodies = [people.body([row | {"age": age}]) for age in range(20, 28) for row in ROWS[:2]]
        expected = [client.predict(body).body for body in bodies]
        found = [b""] * len(bodies)

        def ask(place: int) -> None:
            found[place] = client.predict(bodies[place]).body

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(bodies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert found == expected


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"{", JSON, 400),
            (b"{}", "text/plain", 415),
            (b"{}", None, 415),
            (b"\x89PNG", "image/png", 415),
            (json.dumps({"rows": [ROWS[0] | {"age": 1e300}]}), JSON, 422),
        ],
    )
    def test_are_problems_with_a_sentence(self, client, body, kind, status):
        reply = client.predict(body, kind)
        assert reply.status == status
        assert reply.detail.endswith(".")

    def test_say_where_there_is_something(self, client):
        reply = client.ask("GET", "/nothing")
        assert reply.status == 404
        assert reply.detail == (
            "There is no 'GET /nothing'; ask POST /predict, GET /openapi.json or GET /health."
        )

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [("GET", "/predict", "POST"), ("OPTIONS", "/predict", "POST"), ("PUT", "/predict", "POST"),
         ("POST", "/openapi.json", "GET, HEAD"), ("DELETE", "/health", "GET, HEAD"),
         ("OPTIONS", "/health", "GET, HEAD"), ("TRACE", "/predict", "POST"),
         ("BREW", "/predict", "POST")],
    )  # fmt: skip
    def test_of_a_method_name_those_there_are(self, client, method, path, allowed):
        reply = client.ask(method, path)
        assert reply.status == 405
        assert {*reply.headers["allow"].split(", ")} == {*allowed.split(", ")}
        assert "There is no" in reply.detail

    def test_of_head_have_no_body(self, client):
        assert (client.ask("HEAD", "/predict").status, client.ask("HEAD", "/predict").body) == (
            405,
            b"",
        )
        assert client.ask("HEAD", "/openapi.json").status == 200

    def test_of_a_packed_body_say_so(self, client, people):
        reply = client.predict(people.body(), content_encoding="gzip")
        assert (reply.status, reply.detail) == (
            415,
            "The body is packed ('gzip'); send it as it is.",
        )

    def test_of_a_large_body_come_before_it_is_read(self, client):
        with closing(HTTPConnection("127.0.0.1", client.port, timeout=SECONDS)) as connection:
            connection.putrequest("POST", "/predict")
            connection.putheader("Authorization", f"Bearer {client.token}")
            connection.putheader("Content-Length", str(LARGEST + 1))
            connection.endheaders()  # and nothing follows
            reply = connection.getresponse()
            assert reply.status == 413
            assert json.loads(reply.read())["detail"] == "At most 16,777,216 bytes are taken."

    def test_of_a_large_body_that_does_not_say_so_come_while_it_is_read(self, client):
        assert client.predict(iter([b" " * 2**20] * 17)).status == 413

    def test_do_not_tell_what_failed_but_to_whoever_runs_it(
        self, client, people, complaints, monkeypatch
    ):
        def fails(*_: object) -> None:
            raise KeyError("the inside")

        monkeypatch.setattr(Predictor, "answer", fails)
        reply = client.predict(people.body())
        assert reply.status == 500
        assert reply.detail == "The service has failed at this; its log tells why."
        assert "KeyError: 'the inside'" in complaints.pop()


class TestWhoMayAsk:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("token", [None, "wrong", "é", ""])
    def test_nobody_without_the_token_not_even_for_a_path(self, client, path, token):
        reply = Client(client.address, token).ask("GET", path)
        assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert reply.detail == (
            "This needs the token: send it in the header Authorization: Bearer TOKEN."
        )

    @pytest.mark.parametrize("path", ["/?token={}", "/openapi.json?token={}"])
    def test_nobody_by_an_address_or_a_cookie(self, client, path):
        stranger = Client(client.address, None)
        reply = stranger.ask("GET", path.format(client.token))
        assert reply.status == 401
        assert "set-cookie" not in reply.headers
        cookie = f"clearprop-{client.port}={client.token}"
        assert stranger.ask("GET", "/openapi.json", cookie=cookie).status == 401

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:{}", "127.0.0.1:1", "0.0.0.0:{}", ""]
    )
    def test_nobody_by_a_foreign_name(self, client, host):
        reply = client.ask("GET", "/openapi.json", host=host.format(client.port))
        assert reply.status == 403
        assert reply.detail.endswith("unless it is started with --allow-host NAME.")

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
    def test_no_page_from_elsewhere(self, client, people, origin):
        assert client.predict(people.body(), origin=origin).status == 403

    def test_everybody_whether_it_is_alive(self, client):
        stranger = Client(client.address, None)
        for given in ({}, {"host": "10.0.0.7:8080"}, {"origin": "null"}):
            reply = stranger.ask("GET", "/health", **given)
            assert (reply.status, reply.json()) == (200, {"status": "ok"})
        assert stranger.ask("HEAD", "/health").status == 200
        assert stranger.ask("GET", "/health/../predict").status in (401, 404)

    def test_everybody_by_its_name_where_there_is_no_token(self, people):
        predictor = Predictor(people.model, "people")
        with serve_model(predictor, token=None, complain=print) as server:
            stranger = Client(server.address, None)
            assert stranger.predict(people.body()).status == 200
            assert stranger.predict(people.body(), host="evil.example").status == 403
            assert stranger.predict(people.body(), origin="http://evil.example").status == 403
            assert (
                "securitySchemes" not in stranger.ask("GET", "/openapi.json").json()["components"]
            )

    def test_by_the_names_that_were_allowed_at_any_port(self, people):
        predictor, names = Predictor(people.model, "people"), ("Predict.example",)
        with serve_model(predictor, token=None, complain=print, names=names) as server:
            one = Client(server.address, None)
            for host in ("predict.example", "PREDICT.example:443", f"localhost:{server.port}"):
                assert one.ask("GET", "/openapi.json", host=host).status == 200
            for host in ("x.predict.example", "predict.example.", "predict.example:x"):
                assert one.ask("GET", "/openapi.json", host=host).status == 403
            for origin, status in (
                ("https://predict.example", 200),
                ("https://predict.example:444", 403),
                (server.address, 403),
            ):
                reply = one.ask("GET", "/openapi.json", host="predict.example", origin=origin)
                assert reply.status == status

    def test_every_answer_has_the_headers_that_keep_it_where_it_belongs(self, client, people):
        for reply in (client.predict(people.body()), client.predict(b"{"), client.ask("GET", "/")):
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "server" not in reply.headers
            assert not any(name.startswith("access-control") for name in reply.headers)


class TestATokenOfTheEnvironment:
    def test_is_taken_as_it_is(self):
        assert token_of({"CLEARPROP_TOKEN": "0123456789abcdef"}) == ("0123456789abcdef", False)

    def test_is_drawn_where_there_is_none(self):
        (one, is_new), (other, _) = token_of({}), token_of({})
        assert is_new
        assert one != other
        assert len(one) > 40

    @pytest.mark.parametrize(
        "token", ["", "short", "0123456789abcde", "0123456789 abcdef", "é" * 20]
    )
    def test_that_is_none_is_refused_and_not_told(self, token):
        with pytest.raises(ValueError, match="expected 16 or more of A-Z") as caught:
            token_of({"CLEARPROP_TOKEN": token})
        assert f"holds {len(token)} characters" in str(caught.value)
        assert not token or token not in str(caught.value)


class TestManyAtOnce:
    @pytest.fixture
    def held(self, monkeypatch):
        """Let no answer begin to be made before it is released, and tell of each that waits."""
        answer, release, waiting = Predictor.answer, threading.Event(), threading.Semaphore(0)

        def wait(*given: object) -> bytes:
            waiting.release()
            assert release.wait(SECONDS)
            return answer(*given)

        monkeypatch.setattr(Predictor, "answer", wait)
        yield release, waiting
        release.set()

    def post(self, opened, client, body):
        connection = opened.enter_context(
            closing(HTTPConnection("127.0.0.1", client.port, timeout=SECONDS))
        )
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": JSON}
        connection.request("POST", "/predict", body, headers)
        return connection

    def test_work_holds_up_nobody_who_asks_whether_it_is_alive(self, client, people, held):
        release, waiting = held
        with ExitStack() as opened:
            under_way = [self.post(opened, client, people.body()) for _ in range(8)]
            for _ in range(2):  # threads, at least
                assert waiting.acquire(timeout=SECONDS)
            assert client.ask("GET", "/health").status == 200
            assert client.ask("GET", "/openapi.json").status == 200
            release.set()
            assert {one.getresponse().status for one in under_way} == {200}

    def test_more_than_can_be_are_told_to_come_again(self, client, people, held):
        release, _ = held
        with ExitStack() as opened:
            under_way = [self.post(opened, client, people.body()) for _ in range(2 * _AT_ONCE)]
            answered = set()
            while len(answered) < _AT_ONCE:
                ready, _, _ = select.select([one.sock for one in under_way], [], [], SECONDS)
                assert ready
                answered |= {one.fileno() for one in ready}
            refused = client.ask("GET", "/openapi.json")
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert refused.detail == "64 requests are under way: ask again later."
            assert client.ask("GET", "/health").status == 200
            release.set()
            statuses = [one.getresponse().status for one in under_way]
        assert statuses.count(200) == _AT_ONCE
        assert statuses.count(503) == _AT_ONCE
        assert client.predict(people.body()).status == 200


def test_what_is_under_way_is_answered_before_it_closes(people, monkeypatch):
    answer, begun, release = Predictor.answer, threading.Event(), threading.Event()
    predictor = Predictor(people.model, "people")

    def wait(*given: object) -> bytes:
        begun.set()
        assert release.wait(SECONDS)
        return answer(*given)

    with serve_model(predictor, token=None, complain=print) as server:
        monkeypatch.setattr(Predictor, "answer", wait)
        found = []
        asking = threading.Thread(
            target=lambda: found.append(Client(server.address, None).predict(people.body()))
        )
        asking.start()
        assert begun.wait(SECONDS)
        closing_it = threading.Thread(target=server.close)
        closing_it.start()
        release.set()
        asking.join(SECONDS)
        closing_it.join(SECONDS)
    assert found[0].status == 200
    with pytest.raises(ConnectionRefusedError):
        Client(server.address, None).ask("GET", "/health")


def test_small_answers_are_sent_at_once(people):
    # Otherwise each would wait for the client's next acknowledgement: 40 ms on Linux.
    with (
        serve_model(Predictor(people.model, "it"), token=None, complain=print) as server,
        closing(HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection,
    ):
        connection.request("GET", "/health")
        assert connection.getresponse().read()
        (one,) = server._server.server_state.connections
        taken = one.transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
