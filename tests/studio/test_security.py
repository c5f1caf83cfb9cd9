"""The security table: whoever isn't the server's own page, with its token, gets nothing."""

import json
import socket
from contextlib import ExitStack, closing
from dataclasses import replace
from http.client import HTTPConnection

import pytest
from asking import Asker, fit

from clearprop.studio.application import _MOST_PAGES
from clearprop.studio.events import event
from clearprop.studio.live import Live
from clearprop.studio.serving import serve_live
from clearprop.web.security import LARGEST_BODY

PATHS = ["/", "/state", "/events", "/control", "/nothing"]


class TestWhere:
    def test_it_listens_on_the_loopback_address_alone(self, server):
        assert server._socket.getsockname() == ("127.0.0.1", server.port)
        assert server.address.startswith(f"http://127.0.0.1:{server.port}/?token=")

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:{port}",
         "localhost", "[::1]:{port}", "0.0.0.0:{port}", ""],
    )  # fmt: skip
    def test_a_foreign_host_is_refused_whoever_asks(self, asker, host):
        answer = asker.get("/state", host=host.format(port=asker.port))
        assert answer.status == 403
        assert b"runs" not in answer.body

    def test_a_request_without_a_host_is_refused(self, asker):
        with closing(socket.create_connection(("127.0.0.1", asker.port), 60)) as connection:
            asked = f"GET /state HTTP/1.0\r\nAuthorization: Bearer {asker.token}\r\n\r\n"
            connection.sendall(asked.encode())
            assert b" 403 " in connection.recv(2**16).split(b"\r\n")[0]

    def test_its_own_names_are_answered(self, asker):
        for host in (f"127.0.0.1:{asker.port}", f"LocalHost:{asker.port}"):
            assert asker.get("/state", host=host).status == 200

    @pytest.mark.parametrize(
        "origin",
        ["http://evil.example", "http://evil.example:{port}", "null", "http://127.0.0.1:1",
         "https://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.example", "file://", ""],
    )  # fmt: skip
    @pytest.mark.parametrize(("method", "path"), [("GET", "/state"), ("POST", "/control")])
    def test_a_foreign_origin_is_refused_whoever_asks(self, asker, method, path, origin):
        answer = asker.ask(
            method,
            path,
            body='{"do": "stop"}',
            origin=origin.format(port=asker.port),
            content_type="application/json",
        )
        assert answer.status == 403

    def test_its_own_origin_is_answered(self, asker):
        for name in ("127.0.0.1", "localhost"):
            origin = f"http://{name}:{asker.port}"
            assert asker.get("/state", origin=origin).status == 200


class TestTheToken:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("token", [None, "wrong", "é"])
    def test_without_it_there_is_nothing_not_even_a_path(self, asker, path, token):
        answer = asker.get(path, token=token)
        assert answer.status == 401
        assert b"token" in answer.body
        assert b"<" not in answer.body

    def test_without_it_nothing_is_done(self, asker, live):
        asked = {"body": '{"do": "pause"}', "content_type": "application/json"}
        assert asker.ask("POST", "/control", token=None, **asked).status == 401
        assert not live.controls.wish.is_paused
        assert asker.ask("POST", "/control", **asked).status == 204
        assert live.controls.wish.is_paused

    def test_the_address_gives_a_cookie_and_leads_away_from_the_token(self, asker):
        answer = asker.get(f"/?token={asker.token}", token=None)
        assert (answer.status, answer.headers["location"]) == (303, "/")
        cookie, *flags = answer.headers["set-cookie"].split("; ")
        assert {*flags} == {"HttpOnly", "SameSite=Strict", "Path=/"}
        for cookies in (cookie, f"_xsrf=2|a[]b; {cookie}; other=1", f'bad="x;{cookie}'):
            assert asker.get("/state", token=None, cookie=cookies).status == 200
        assert asker.get("/", token=None, cookie=cookie).headers["content-type"].startswith("text")

    @pytest.mark.parametrize(
        "path",
        ["/?token=", "/?token=wrong", "/?token=%00", "/?tokens={token}", "/state?token={token}",
         "/events?token={token}", "/?Token={token}", "/?token={token}x"],
    )  # fmt: skip
    def test_no_other_address_does(self, asker, path):
        answer = asker.get(path.format(token=asker.token), token=None)
        assert answer.status == 401
        assert "set-cookie" not in answer.headers

    def test_by_its_address_nothing_is_asked_for_but_the_page(self, asker):
        answer = asker.ask("POST", f"/?token={asker.token}", token=None, body="{}")
        assert answer.status == 401

    @pytest.mark.parametrize(
        "cookie",
        ["clearprop={token}", "clearprop-1={token}", "{token}", "clearprop-{port}=",
         "clearprop-{port}=x{token}"],
    )  # fmt: skip
    def test_a_cookie_of_another_name_or_value_is_none(self, asker, cookie):
        given = cookie.format(token=asker.token, port=asker.port)
        assert asker.get("/state", token=None, cookie=given).status == 401

    @pytest.mark.parametrize("given", ["Basic {token}", "{token}", "Bearer", "Bearer x {token}"])
    def test_a_header_of_another_kind_is_none(self, asker, given):
        header = given.format(token=asker.token)
        assert asker.get("/state", token=None, authorization=header).status == 401

    def test_two_servers_have_two_tokens_and_neither_takes_the_others(self, asker, live, serve):
        with serve(live) as other:
            theirs = Asker(other.address)
            assert (theirs.port, theirs.token) != (asker.port, asker.token)
            assert theirs.token != asker.token
            assert asker.get("/state", token=theirs.token).status == 401
            cookies = [
                one.get(f"/?token={one.token}", token=None).headers["set-cookie"].split(";")[0]
                for one in (asker, theirs)
            ]
            both = "; ".join(cookies)  # a browser sends either cookie to either port
            assert asker.get("/state", token=None, cookie=both).status == 200
            assert theirs.get("/state", token=None, cookie=both).status == 200
            assert theirs.get("/state", token=None, cookie=cookies[0]).status == 401


class TestBodies:
    def ask(self, asker, body, **headers):
        given = {"content_type": "application/json"} | headers
        return asker.ask("POST", "/control", body=body, **given)

    def test_one_that_says_that_it_is_too_large_is_not_read(self, asker):
        with closing(HTTPConnection("127.0.0.1", asker.port, timeout=60)) as connection:
            connection.putrequest("POST", "/control")
            connection.putheader("Authorization", f"Bearer {asker.token}")
            connection.putheader("Content-Length", str(LARGEST_BODY + 1))
            connection.endheaders()  # and nothing follows
            assert connection.getresponse().status == 413

    def test_one_that_does_not_say_so_is_cut(self, asker):
        pieces = iter([b"x" * 2**14] * 5)
        assert self.ask(asker, pieces).status == 413

    @pytest.mark.parametrize("length", ["Transfer-Encoding: chunked", f"Content-Length: {10**18}"])
    @pytest.mark.parametrize("has_token", [True, False])
    def test_one_without_an_end_is_not_read_for_ever(self, asker, length, has_token):
        token = f"Authorization: Bearer {asker.token}\r\n" if has_token else ""
        head = f"POST /control HTTP/1.1\r\nHost: 127.0.0.1:{asker.port}\r\n{token}{length}\r\n\r\n"
        chunk = b"10000\r\n" + b" " * 2**16 + b"\r\n"
        with socket.create_connection(("127.0.0.1", asker.port), timeout=60) as connection:
            connection.sendall(head.encode())
            with pytest.raises(ConnectionError):  # of 64 MB nobody wants the last
                connection.sendall(1_000 * chunk)

    def test_after_one_that_does_not_say_its_length_the_connection_is_closed(self, asker):
        found = self.ask(asker, iter([b'{"do": ', b'"pause"}']))
        assert (found.status, found.headers["connection"]) == (204, "close")

    def test_the_largest_one_is_read(self, asker):
        body = json.dumps({"do": "pause"}).ljust(LARGEST_BODY)
        assert self.ask(asker, body).status == 204

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_what_a_form_elsewhere_could_send_is_refused(self, asker, kind):
        assert self.ask(asker, '{"do": "pause"}', content_type=kind).status == 415

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", "null", '"pause"', '{"do": 1}', '{"do": null}', '{"do": "fly"}', "{}",
         '{"do": "pause", "more": 1}', '{"do": "pause", "value": 1}', '{"value": 1}',
         '{"do": "__init__"}', '{"do": "stop", "do": "pause"}',
         "[" * 60_000, '{"do": "pause"}' * 2, b"\xff\xfe"],
    )  # fmt: skip
    def test_what_is_no_wish_is_answered_by_a_sentence(self, asker, body, live):
        answer = self.ask(asker, body)
        assert answer.status == 400
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.body.decode().endswith(".")
        assert len(answer.body) < 400
        assert not live.controls.wish.is_paused


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        ["/report.json", "/model.safetensors", "/config.toml", "/../config.toml", "/state/", "//",
         "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/state/../../etc/passwd",
         "/etc/passwd", "/view/main.js", "/static/", "/favicon.ico", "/..%5c..%5cwindows", "/%00",
         "/docs", "/openapi.json"],
    )  # fmt: skip
    def test_there_is_no_other(self, asker, path):
        answer = asker.get(path)
        assert answer.status == 404
        assert len(answer.body) < 100

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/"), ("POST", "/state"), ("POST", "/events"), ("GET", "/control"),
         ("HEAD", "/control"), ("PUT", "/control"), ("DELETE", "/state"), ("OPTIONS", "/control"),
         ("OPTIONS", "/state"), ("PATCH", "/"), ("TRACE", "/"), ("BREW", "/")],
    )  # fmt: skip
    def test_each_has_its_method(self, asker, method, path):
        answer = asker.ask(method, path)
        assert answer.status == 405
        assert not any(name.startswith("access-control") for name in answer.headers)


class TestHeaders:
    @pytest.mark.parametrize(
        ("method", "path", "given", "status"),
        [
            ("GET", "/", {}, 200),
            ("GET", "/state", {}, 200),
            ("GET", "/?token={token}", {"token": None}, 303),
            ("GET", "/", {"token": None}, 401),
            ("GET", "/", {"host": "evil.example"}, 403),
            ("GET", "/", {"origin": "http://evil.example"}, 403),
            ("GET", "/nothing", {}, 404),
            ("PUT", "/", {}, 405),
            ("POST", "/control", {"body": b" " * (LARGEST_BODY + 1)}, 413),
            ("POST", "/control", {"body": b"{}"}, 415),
        ],
    )
    def test_every_answer_has_those_that_keep_it_where_it_belongs(
        self, asker, method, path, given, status
    ):
        answer = asker.ask(method, path.format(token=asker.token), **given)
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "server" not in answer.headers
        assert not any(name.startswith("access-control") for name in answer.headers)

    def test_the_page_may_run_its_own_script_and_ask_its_own_server_and_no_other(self, asker):
        policy = asker.get("/").headers["content-security-policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["connect-src"] == "'self'"
        for name in ("script-src", "style-src"):
            assert all(one.startswith("'sha256-") for one in rules[name].split())
        assert rules["form-action"] == rules["base-uri"] == "'none'"


class TestText:
    MARKUP = "</script></title><img src=x onerror=alert(1)>"

    def test_text_from_outside_comes_as_json_and_in_the_page_as_text(self, moons):
        task = replace(moons, settings=replace(moons.settings, data=self.MARKUP))
        live = Live(task, name=self.MARKUP, command=self.MARKUP)
        fit(task, live.watching)
        with serve_live(live) as server:
            asker = Asker(server.address)
            state, page = asker.get("/state"), asker.get("/")
        assert state.headers["content-type"] == "application/json"
        assert state.json()["runs"][0]["command"] == self.MARKUP
        assert "&lt;img" in page.body.decode()
        assert "<img" not in page.body.decode()

    def test_in_events_it_ends_no_event(self):
        text = event("told", 0, {"label": "a\n\nevent: state\ndata: {}\r\n\u2028"})
        assert text.count("\n") == 3
        assert "\r" not in text


def test_so_many_pages_hear_events_and_no_more_until_one_goes(asker):
    with ExitStack() as open_ones:
        pages = [open_ones.enter_context(asker.events()) for _ in range(_MOST_PAGES)]
        assert {page.response.status for page in pages} == {200}
        with asker.events() as one_more:
            assert one_more.response.status == 503
        assert asker.get("/state").status == 200
        pages[3].__exit__()
        for _ in range(10_000):  # as soon as the server has noticed
            with asker.events() as again:
                if again.response.status == 200:
                    break
        else:
            pytest.fail("the place of a page that is gone stays taken")
