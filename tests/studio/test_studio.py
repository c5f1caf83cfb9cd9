"""``clearprop studio``: the folder that it was started in and no other, trainings, and runs."""

import re
import signal
import subprocess
import sys
from html import unescape
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from asking import COMMAND, MINE, SECONDS, Asker, InThread
from click.testing import CliRunner

from clearprop.cli import cli
from clearprop.errors import UsageError
from clearprop.experiment import learn, measure
from clearprop.experiment.folder import save_run
from clearprop.studio import children as children_module
from clearprop.studio.children import MOST, PAGE, STAYS, Children
from clearprop.studio.desk import Desk
from clearprop.studio.serving import serve_studio
from clearprop.studio.words import Words

ROWS = "\n".join(
    ["age,buys", *(f"{20 + k % 50},{'yes' if k % 50 > 20 else 'no'}" for k in range(80))]
)


@pytest.fixture
def folder(tmp_path):
    """A folder with data, and things that are none of anybody's business."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text(ROWS)
    here = tmp_path / "here"
    here.mkdir()
    (here / "people.csv").write_text(ROWS)
    (here / "<img src=x>.csv").write_text(ROWS)
    (here / "-x.csv").write_text(ROWS)
    (here / "iris").mkdir()
    (here / "notes.txt.bak").write_text("nothing")
    (here / ".hidden.csv").write_text(ROWS)
    (here / "link.csv").symlink_to(outside / "secret.csv")
    (here / "linked").symlink_to(outside)
    np.savez(here / "arrays.npz", X=np.zeros((4, 2)), y=[0, 1, 0, 1])
    for name in ("cats", "dogs"):
        (here / "photos" / name).mkdir(parents=True)
    return here


@pytest.fixture
def quick(monkeypatch):
    """Let a program of one's own stand in for the command: its arguments follow."""
    real = subprocess.Popen

    def instead(program):
        def start(command, **given):
            return real([sys.executable, "-c", program, *command[3:]], **given)

        monkeypatch.setattr(children_module.subprocess, "Popen", start)

    return instead


@pytest.fixture
def children(folder):
    found = Children(folder)
    yield found
    found.close()


@pytest.fixture
def asker(folder, children):
    with serve_studio(Desk(folder), children) as server:
        yield Asker(server.address)


def post(asker, path, **form):
    return asker.ask(
        "POST", path, body=urlencode(form), content_type="application/x-www-form-urlencoded"
    )


def offered(page):
    return re.findall(r'<option value="([^"]*)"', page.body.decode())


class TestTheDesk:
    def test_lists_what_looks_like_data_in_the_folder_and_follows_no_link(self, folder):
        assert Desk(folder).data() == [
            *("-x.csv", "<img src=x>.csv", "arrays.npz", "people.csv", "photos")
        ]

    @pytest.mark.parametrize(
        "data",
        ["../outside/secret.csv", "./../outside/secret.csv", "link.csv", "./link.csv", "./linked",
         ".hidden.csv", "./.hidden.csv", "people.csv", "/etc/passwd", "./", ".", "",
         "./nothing.csv", "./notes.txt.bak", "./iris", "./people.csv/",
         "./photos/../people.csv", "--config=x", "-"],
    )  # fmt: skip
    def test_what_was_not_listed_has_no_word(self, folder, data):
        assert Desk(folder).word_for(data) is None

    def test_what_was_listed_is_named_so_that_nothing_else_is_meant(self, folder):
        desk = Desk(folder, "../outside/secret.csv")  # as whoever started it has typed
        assert desk.word_for("../outside/secret.csv") == "../outside/secret.csv"
        assert desk.word_for("./-x.csv") == "./-x.csv"
        assert desk.word_for("iris") == "iris"

    def test_lists_runs_but_none_with_a_link_in_it(self, folder, moons):
        trained = learn(moons)
        for name in ("first", "second"):
            path = folder / "runs" / name
            path.mkdir(parents=True)
            save_run(path, trained, measure(trained), "clearprop train moons")
        (folder / "runs/other").symlink_to(folder / "runs/first")
        (folder / "runs/empty").mkdir()
        desk = Desk(folder)
        assert {run.folder.name for run in desk.runs()} == {"first", "second"}
        (folder / "runs/second/model.safetensors").unlink()
        (folder / "runs/second/model.safetensors").symlink_to("/etc/hostname")
        assert [run.folder.name for run in desk.runs()] == ["first"]
        assert desk.run("second") is None
        assert desk.run("../runs/first") is None


class TestThePages:
    def test_the_start_page_offers_what_is_there_as_text(self, asker):
        page = asker.get("/")
        own, text = offered(page), page.body.decode()
        assert own[:3] == ["./-x.csv", "./&lt;img src=x&gt;.csv", "./arrays.npz"]
        assert "iris" in own
        assert "<img" not in text
        assert "<script" not in text
        assert "secret" not in text

    def test_it_runs_no_script_and_sends_forms_to_this_machine_alone(self, asker):
        policy = asker.get("/").headers["content-security-policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
        assert rules["form-action"] == "'self' http://127.0.0.1:*"
        assert rules["style-src"].startswith("'sha256-")
        assert len(rules) == 5

    @pytest.mark.parametrize("path", ["/", "/training?number=1", "/show?run=x"])
    def test_without_the_token_there_is_nothing(self, asker, path):
        assert asker.get(path, token=None).status == 401
        assert asker.get(path, host="evil.example").status == 403

    @pytest.mark.parametrize("path", ["/train", "/end"])
    def test_a_form_from_elsewhere_is_refused(self, asker, path):
        form = {"body": "data=iris&number=1", "content_type": "application/x-www-form-urlencoded"}
        for origin in ("null", "http://evil.example"):
            assert asker.ask("POST", path, origin=origin, **form).status == 403
        assert asker.ask("POST", path, **form | {"content_type": "text/plain"}).status == 415
        assert asker.get(path).status == 405

    @pytest.mark.parametrize(
        "path",
        ["/training", "/training?number=1", "/training?number=x", "/training?number=%00",
         "/show?run=../here", "/show?run=first/../first", "/show?run=%2fetc", "/people.csv",
         "/runs/first/model.safetensors"],
    )  # fmt: skip
    def test_there_is_nothing_that_was_not_listed(self, asker, path):
        assert asker.get(path).status == 404

    @pytest.mark.parametrize("path", ["/show", "/show?" + "run=x&" * 9])
    def test_none_or_too_many_runs_are_not_shown(self, asker, path):
        answer = asker.get(path)
        assert answer.status == 400
        assert b"Choose a run to see" in answer.body


class TestLanguages:
    @pytest.mark.parametrize(
        ("language", "html", "heading"),
        [("es", "es", "Entrenar una red"), ("zh_CN", "zh-Hans", "训练一个网络"),
         ("zh_TW", "zh-Hant", "訓練一個網路"), ("en", "en", "Train a network")],
    )  # fmt: skip
    def test_it_speaks_the_system_s_language(
        self, folder, children, monkeypatch, language, html, heading
    ):
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        monkeypatch.setenv("LANGUAGE", language)
        with serve_studio(Desk(folder), children) as server:
            asker = Asker(server.address)
            page = asker.get("/").body.decode()
            problem = asker.get("/show").body.decode()
        assert f'<html lang="{html}">' in page
        assert f"<h2>{heading}</h2>" in page
        assert "{" not in page[page.index("<body>") :]
        known = [text for text in re.findall(r">([^<>]+)<", page) if text.endswith((".", "。"))]
        assert known
        assert (language == "en") == ("None was started here yet." in known)
        said = Words().say("Choose a run to see, or up to {most}.", most=8)
        assert (language == "en") == (said in problem)


class TestForms:
    @pytest.mark.parametrize(
        "body",
        ["data=iris&data=wine", "data=iris&more=1", "data=iris&epochs=1%0a2",
         "data=iris&layers=%00", "data=iris&target=" + "x" * 1001, b"data=\xff"],
    )  # fmt: skip
    def test_what_is_no_such_form_is_refused(self, asker, body, children):
        answer = asker.ask(
            "POST", "/train", body=body, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status == 400
        assert not children.all

    @pytest.mark.parametrize("data", ["../outside/secret.csv", "./link.csv", "--config=x", ""])
    def test_data_that_were_not_listed_are_not_trained_on(self, asker, data, children):
        answer = post(asker, "/train", data=data)
        assert answer.status == 409
        assert b"These data are not there any more" in answer.body
        assert not children.all

    def test_each_value_stays_with_its_name_and_there_is_no_shell(self, asker, quick, children):
        quick("import sys; print(*map(ascii, sys.argv[1:]), sep='\\n', file=sys.stderr)")
        answer = post(
            asker, "/train", data="./-x.csv", target="--config=/etc/passwd; $(id)", epochs=" 3 "
        )
        assert (answer.status, answer.headers["location"]) == (303, "/training?number=1")
        (child,) = children.all
        child.close()
        assert list(child.said) == [
            *(
                "'clearprop.studio.command_child'",
                "'train'",
                "'./-x.csv'",
                "'--target=--config=/etc/passwd; $(id)'",
            ),
            *("'--epochs=3'", "'--live'", "'--quiet'"),
        ]


class TestTrainings:
    PAGE = f"""
import sys
print({PAGE!r} + 'http://127.0.0.1:1/?token=x', file=sys.stderr, flush=True)
print({STAYS!r} + 'Ctrl-C', file=sys.stderr, flush=True)
sys.stdin.read(1)
"""

    def test_leads_to_its_page_as_soon_as_it_has_one(self, asker, quick, children):
        quick(self.PAGE)
        post(asker, "/train", data="iris")
        (child,) = children.all
        for _ in range(10_000):
            answer = asker.get("/training?number=1")
            if answer.status == 303:
                break
            assert answer.headers["refresh"] == "1"
            assert b"Training on iris begins" in answer.body
        assert answer.headers["location"] == "http://127.0.0.1:1/?token=x"
        while not child.is_saved:
            assert child.is_alive
        assert b"saved" in asker.get("/").body
        assert post(asker, "/end", number="1").headers["location"] == "/"
        child.close()
        assert not child.has_failed
        assert b"closed" in asker.get("/").body

    def test_of_one_that_could_not_begin_it_says_why_as_text(self, asker, quick, children):
        quick("import sys; sys.exit('Error: <b>no</b> such column')")
        post(asker, "/train", data="./people.csv")
        children.all[0].close()
        answer = asker.get("/training?number=1")
        assert "refresh" not in answer.headers
        assert "Error: &lt;b&gt;no&lt;/b&gt; such column" in answer.body.decode()
        assert b"failed" in asker.get("/").body

    def test_there_are_only_so_many_at_a_time(self, asker, quick, children):
        quick(self.PAGE)
        for _ in range(MOST):
            assert post(asker, "/train", data="iris").status == 303
        answer = post(asker, "/train", data="iris")
        assert answer.status == 409
        assert f"{MOST} trainings, or their pages, go on already" in answer.body.decode()
        assert len(children.all) == MOST
        children.all[0].end()
        children.all[0].close()
        assert post(asker, "/train", data="iris").status == 303

    def test_what_is_not_finished_ends_with_the_studio(self, folder, quick):
        quick(self.PAGE)
        children = Children(folder)
        child = children.start("iris", "iris", [])
        children.close()
        assert not child.is_alive

    def test_a_module_in_the_folder_of_the_data_is_not_run(self, folder):
        (folder / "clearprop.py").write_text("raise SystemExit('run')")
        (folder / "json.py").write_text("raise SystemExit('run')")
        children = Children(folder)
        child = children.start("none", "nothing-of-this-name", [])
        child.close()
        assert any("There is no data set or path" in line for line in child.said)


class TestRuns:
    @pytest.fixture
    def runs(self, folder, moons):
        trained = learn(moons)
        for name in ("first", "second & last"):
            path = folder / "runs" / name
            path.mkdir(parents=True)
            save_run(path, trained, measure(trained), "clearprop train moons")
        return folder / "runs"

    @pytest.mark.usefixtures("runs")
    def test_several_are_shown_beside_each_other_without_their_data(self, asker):
        answer = asker.get(f"/show?run=first&run={quote('second & last')}")
        assert answer.status == 200
        text = answer.body.decode()
        assert "first · second &amp; last" in text
        assert '"samples":null' in text
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_a_runs_own_page_is_shown_in_a_sandbox(self, asker, runs):
        (runs / "first/report.html").write_text("<script>anything()</script>")
        answer = asker.get("/show?run=first")
        assert answer.body == b"<script>anything()</script>"
        rules = answer.headers["content-security-policy"].split("; ")
        assert rules[0] == "sandbox allow-scripts allow-downloads"  # of no origin: reaches nothing
        assert "default-src 'none'" in rules
        assert "form-action 'none'" in rules

    def test_one_that_can_not_be_read_is_said(self, asker, runs):
        (runs / "first/model.safetensors").write_bytes(b"nothing")
        answer = asker.get("/show?run=first")
        assert answer.status == 409
        assert "model.safetensors is no clearprop model file" in unescape(answer.body.decode())


def test_the_limit_is_told_as_an_error_of_use(folder, monkeypatch):
    monkeypatch.setattr(children_module, "MOST", 0)
    with pytest.raises(UsageError, match="go on already"):
        Children(folder).start("iris", "iris", [])


def test_data_that_are_not_there_are_refused_before_anything_is_served(folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli, ["studio", "peple.csv"])
    assert result.exit_code == 1
    assert "Did you mean 'people.csv'?" in result.stderr


@pytest.fixture
def typed(folder):
    """Type ``clearprop studio``, and start an endless training: its process, and its page."""
    process = subprocess.Popen(
        [*COMMAND, "studio", "people.csv"],
        cwd=folder,
        stdin=MINE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        asker = Asker(process.stdout.readline().split()[-1])
        assert offered(asker.get("/"))[0] == "people.csv"
        post(asker, "/train", data="people.csv", target="buys", layers="4", epochs="100000")
        for _ in range(100_000):
            answer = asker.get("/training?number=1")
            if answer.status == 303:
                break
        page = Asker(answer.headers["location"])
        with page.events() as events:
            events.until(lambda name, data: name == "told" and data["epoch"] > 1)
        yield process, page
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_training_is_started_and_seen_and_ends_with_the_studio(typed, folder):
    process, page = typed
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in err
    with pytest.raises(ConnectionRefusedError):
        page.get("/")
    assert (folder / "runs/people/config.toml").exists()


@pytest.mark.slow
def test_a_training_ends_with_a_studio_that_is_killed(typed):
    process, page = typed
    with page.events() as events:
        process.kill()
        InThread(lambda: list(events)).result()  # until nobody tells them any more
