"""The data of a run's page, and the file that they are put into."""

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.data import Dataset
from clearprop.files.models import Model, load
from clearprop.page import pack
from clearprop.preprocessing import ClassTarget, PictureRecipe, Preprocessing
from clearprop.report import RunPage, page_data, run_page, write_page
from clearprop.training import History

HOSTILE = '</script><script>alert("1")</script><!--'
CLASSES = ("a", HOSTILE)


def pictures(count: int = 6) -> Dataset:
    X = np.random.RandomState(0).randint(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    return Dataset("photos", "pictures", X, np.arange(count) % 2, CLASSES)


def run(**others: object) -> RunPage:
    layers = [cp.Flatten(), cp.Dense(3), cp.ReLU(), cp.BatchNorm(), cp.Dense(2)]
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(4, 4, 3), seed=1)
    recipe = Preprocessing(PictureRecipe((4, 4), 3), ClassTarget(CLASSES, "kind"))
    history = History(
        [
            {"epoch": 1, "loss": 0.5, "seconds": 0.1},
            {"epoch": 2, "loss": float("nan"), "seconds": 0.2},
        ]
    )
    given = {
        "name": "photos",
        "command": "clearprop train photos",
        "model": Model(network, recipe, {"loss": float("nan")}, linear=network.copy()),
        "history": history,
        "report": {"settings": {"data": "photos"}, "score": float("inf")},
        "samples": ("test", pictures()),
    }
    return RunPage(**(given | others))


def embedded(page: str) -> dict:
    """Read the data of a page as a browser does: up to the first end of the script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found.group(1), parse_constant=pytest.fail)


def test_the_model_within_is_the_file_that_is_saved(tmp_path: Path) -> None:
    given = run()
    (told,) = page_data([given])["runs"]
    (tmp_path / "model.safetensors").write_bytes(base64.b64decode(told["model"]))
    again = load(tmp_path / "model.safetensors")
    X = pictures().X
    np.testing.assert_array_equal(again.predict_proba(X), given.model.predict_proba(X))
    assert again.linear is None  # which a page has no use for


def test_samples_are_as_the_network_takes_them() -> None:
    (told,) = page_data([run()])["runs"]
    samples = told["samples"]
    assert (samples["part"], samples["shape"], samples["type"]) == ("test", [6, 4, 4, 3], "u8")
    data = np.frombuffer(base64.b64decode(samples["data"]), np.uint8)
    np.testing.assert_array_equal(data.reshape(6, 4, 4, 3), pictures().X)
    assert samples["truth"] == [0, 1, 0, 1, 0, 1]


def test_of_many_samples_evenly_spaced_ones_are_shown() -> None:
    (told,) = page_data([run(samples=("test", pictures(1000)))])["runs"]
    rows = told["samples"]["rows"]
    assert len(rows) == 300
    assert (rows[0], rows[-1]) == (0, 999)
    assert set(np.diff(rows)) <= {3, 4}


def test_what_is_no_number_is_null() -> None:
    (told,) = page_data([run()])["runs"]
    assert told["history"]["loss"] == [0.5, None]
    assert told["report"]["score"] is None
    json.dumps(told, allow_nan=False)


def test_kept_epochs_are_in_the_order_of_the_file() -> None:
    given = run()
    vector = np.arange(given.model.network.parameters.data.size, dtype=np.float32)
    (told,) = page_data([run(model=given.model, kept=[(3, vector)])])["runs"]
    (kept,) = told["kept"]
    data = np.frombuffer(base64.b64decode(kept["parameters"]), np.float16)
    twin = given.model.network.parameters.like()
    twin.data[...] = vector
    expected = np.concatenate([twin[name].reshape(-1) for name in sorted(twin)])
    np.testing.assert_array_equal(data, expected.astype(np.float16))
    assert kept["epoch"] == 3


def test_no_text_of_the_data_leaves_its_place(tmp_path: Path) -> None:
    given = run(name=HOSTILE, command=HOSTILE)
    write_page(tmp_path / "page.html", [given])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    (told,) = embedded(page)["runs"]
    assert told["name"] == told["command"] == HOSTILE
    assert page.count("<script") == 2
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)


def test_the_policy_lets_in_its_own_script_and_style_alone() -> None:
    page = pack(page_data([run()]), title="a page")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    policy = policy.replace("&#x27;", "'")
    for tag, directive in (('script type="module"', "script-src"), ("style", "style-src")):
        name = tag.split()[0]
        text = re.search(rf"<{tag}>(.*?)</{name}>", page, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "connect-src 'self'" in pack(page_data([run()]), title="a page", live=True).replace(
        "&#x27;", "'"
    )


def test_a_page_too_large_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_page, "LARGEST", 1000)
    path = tmp_path / "page.html"
    path.write_text("what was there")
    with pytest.raises(cp.errors.UsageError, match=r"page would be of .* MB, for 161 parameters"):
        write_page(path, [run()])
    assert path.read_text() == "what was there"
