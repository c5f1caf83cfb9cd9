"""What pages are told: all rows, the latest weights, and nothing that training waits for."""

import base64
import json
import math

import numpy as np
import pytest
from asking import Asker, InThread, fit

import clearprop as cp
from clearprop.files.models import load
from clearprop.studio import events, mailbox
from clearprop.studio.events import RunReader, event
from clearprop.studio.live import Live


def told(reader):
    """Return the news as pairs of a name and data."""
    lines = "".join(reader.news()).splitlines()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return list(zip(names, data, strict=True))


@pytest.fixture
def live(moons):
    return Live(moons, name="moons", command="clearprop train moons")


class TestAReader:
    def test_begins_with_the_state_and_has_nothing_to_tell_while_nothing_happens(self, live):
        reader = RunReader(live.mailbox)
        assert told(reader) == [("state", {})]
        assert told(reader) == []

    def test_is_told_every_row_once_and_only_the_latest_weights(self, live, moons):
        reader, rows, kept = RunReader(live.mailbox), [], []

        class Looking(cp.Callback):
            def on_epoch_end(self, run):
                if run.epoch % 3 == 0:  # a page that looks now and then
                    for name, data in told(reader):
                        rows.extend([data] if name == "row" else [])
                        kept.extend([data] if name == "kept" else [])

        told(reader)
        history = fit(moons, live.watching, Looking(), epochs=10)
        rest = told(reader)
        rows += [data for name, data in rest if name == "row"]
        assert rest[-1][0] == "told"
        assert rest[-1][1]["state"] == "ended"
        assert [row.pop("run") for row in rows] == [0] * len(rows)
        # The first look finds that a training has begun: its rows so far are in the state.
        assert rows == history.rows[3:]
        (latest,) = [data for name, data in rest if name == "kept"]
        assert (latest["run"], latest["epoch"], latest["step"]) == (0, 10, history["step"][-1])
        bits = np.frombuffer(base64.b64decode(latest["parameters"]), "<f2")
        parameters = moons.network.parameters
        expected = np.concatenate([parameters[name].ravel() for name in sorted(parameters)])
        np.testing.assert_allclose(bits, expected, rtol=1e-3, atol=1e-6)
        assert told(reader) == []

    def test_of_a_training_that_begins_fetches_the_state(self, live, moons):
        reader = RunReader(live.mailbox)
        told(reader)
        fit(moons, live.watching)
        assert [name for name, _ in told(reader)] == ["state", "told"]
        fit(moons, live.watching)
        found = told(reader)
        assert [name for name, _ in found] == ["state", "told", "told"]
        assert [data["run"] for _, data in found[1:]] == [0, 1]

    def test_too_far_behind_fetches_the_state_instead_of_all_rows(self, live, moons, monkeypatch):
        monkeypatch.setattr(events, "_MOST_ROWS", 4)
        reader = RunReader(live.mailbox)
        names = []

        class Looking(cp.Callback):
            def on_epoch_end(self, run):
                if run.epoch in (1, 5, 10):
                    names.append([name for name, _ in told(reader)])

        fit(moons, live.watching, Looking(), epochs=10)
        assert names[0][0] == "state"
        assert names[1].count("row") == 4
        assert names[2] == ["state", "told"]

    def test_of_a_saved_run_fetches_the_state_and_hears_no_more(self, live, moons):
        reader = RunReader(live.mailbox)
        fit(moons, live.watching)
        told(reader)
        live.mailbox.saved = {}
        assert told(reader) == [("state", {})]
        assert told(reader) == []

    def test_what_is_not_finite_is_null(self):
        text = event("row", 3, {"loss": math.nan, "other": math.inf})
        assert text == 'event: row\ndata: {"run":3,"loss":null,"other":null}\n\n'


class TestOverTheWire:
    def test_a_page_follows_a_training_to_its_end(self, moons, serve):
        live = Live(moons, name="moons", command="clearprop train moons")
        with serve(live) as server:
            asker = Asker(server.address)
            assert asker.control("pause").status == 204
            with asker.events() as page:
                assert next(iter(page)) == ("state", {})
                training = InThread(lambda: fit(moons, live.watching, epochs=4))
                page.until(lambda name, data: name == "told" and data["state"] == "paused")
                (run,) = asker.get("/state").json()["runs"]
                assert (run["name"], run["told"]["state"]) == ("moons", "paused")
                assert asker.control("rate", 0.03125).status == 204
                assert asker.control("go on").status == 204
                rows = []
                for name, data in page:
                    rows += [data] if name == "row" else []
                    if name == "told" and data["state"] == "ended":
                        break
            history = training.result()
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
        assert [row["loss"] for row in rows] == history["loss"]
        assert {row["learning_rate"] for row in rows} == {0.03125}

    def test_a_page_that_comes_late_finds_all_in_the_state(self, moons, serve, tmp_path):
        live = Live(moons, name="moons", command="clearprop train moons")
        history = fit(moons, live.watching)
        with serve(live) as server:
            state = Asker(server.address).get("/state").json()
        (run,) = state["runs"]
        assert state["live"] == {"ended": False}
        assert run["history"]["loss"] == history["loss"]
        assert [kept["epoch"] for kept in run["kept"]] == [0, 1, 2, 3]
        assert run["samples"]["part"] == "test"
        assert run["settings"]["data"] == "moons"
        file = tmp_path / "model.safetensors"
        file.write_bytes(base64.b64decode(run["model"]))
        model = load(file)
        assert model.class_names == moons.recipe.target.class_names
        np.testing.assert_allclose(
            model.network.parameters.data, moons.network.parameters.data, rtol=1e-6
        )

    def test_of_a_model_too_large_for_a_page_all_else_is_there(self, moons, serve, monkeypatch):
        monkeypatch.setattr(mailbox, "_LARGEST", 10)
        live = Live(moons, name="moons", command="clearprop train moons")
        history = fit(moons, live.watching)
        with serve(live) as server:
            (run,) = Asker(server.address).get("/state").json()["runs"]
        assert (run["model"], run["kept"], run["samples"]) == ("", [], None)
        size = moons.network.parameters.data.size
        assert run["problem"].startswith(f"it has {size:,} parameters, more than a page")
        assert run["history"]["loss"] == history["loss"]

    def test_training_waits_for_no_page_that_does_not_read(self, serve, moons, monkeypatch):
        """Far more than a connection holds lies ready for a page that takes none of it."""
        padding = f": {'x' * 2**16}\n"
        monkeypatch.setattr(events, "event", lambda *given: padding + event(*given))
        live = Live(moons, name="moons", command="clearprop train moons")
        with serve(live) as server, Asker(server.address).events() as page:
            training = InThread(lambda: fit(moons, live.watching, epochs=400))
            assert len(training.result()) == 400
            assert page.response.readline() == b"retry: 1000\n"

    def test_the_end_of_the_server_ends_the_events(self, live, serve):
        server = serve(live)
        with Asker(server.address).events() as page:
            assert next(iter(page)) == ("state", {})
            server.close()
            assert list(page) == []
        assert not server._thread.is_alive()
