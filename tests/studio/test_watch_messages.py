"""What a watched program sends: numbers that are right, and nothing that is taken on trust."""

import io
import json
import struct
from typing import Any

import numpy as np
import pytest

from clearprop.doctor.flow import DeadReLUs, NotANumber
from clearprop.page.languages import words_in
from clearprop.studio.program_findings import Remark, Remarks
from clearprop.studio.program_messages import (
    BINS,
    FakedError,
    News,
    Seen,
    received,
    send,
    written_picture,
)
from clearprop.studio.program_places import Copied, Picture
from clearprop.studio.words import say


def through(picture: Picture) -> News:
    """Return a picture as it arrives."""
    stream = io.BytesIO()
    send(stream, *written_picture(picture, "printed"))
    stream.seek(0)
    (news,) = received(stream)
    return news


def arrived(values: Any, role: str = "parameter") -> Seen:
    array = np.atleast_2d(np.asarray(values, float))
    (one,) = through(Picture(1.0, arrays=[Copied("W", role, None, array.shape, array)])).arrays
    return one


def test_an_array_arrives_with_its_statistics() -> None:
    values = np.random.default_rng(1).normal(size=(7, 5))
    values[2] = 0
    one = arrived(values)
    assert np.array_equal(np.frombuffer(one.numbers, "<f4"), values.astype("<f4").ravel())
    assert (one.rows, one.columns, one.shape, one.bad) == (7, 5, (7, 5), 0)
    assert one.statistics == pytest.approx(
        {
            "low": values.min(),
            "high": values.max(),
            "mean": values.mean(),
            "deviation": values.std(),
            "norm": np.linalg.norm(values),
            "zeros": 5 / 35,
            "dead": 1 / 7,
        }
    )
    assert one.counts == np.histogram(values, BINS)[0].tolist()


@pytest.mark.parametrize(
    "values", [[[0.0]], [[np.nan, 1.0]], [[np.nan]], [[1e308, -1e308]], np.zeros((0, 3))]
)
def test_odd_arrays_arrive(values: Any) -> None:
    one = arrived(values)
    array = np.asarray(values)
    assert one.bad == array.size - np.isfinite(array).sum()
    assert sum(one.counts) == np.isfinite(array).sum()


def test_large_arrays_are_thinned_and_measured_whole() -> None:
    values = np.arange(300 * 400.0).reshape(300, 400)
    one = arrived(values)
    assert one.rows * one.columns <= 2**13
    assert (one.shape, one.statistics["high"]) == ((300, 400), 119_999)
    drawn = np.frombuffer(one.numbers, "<f4").reshape(one.rows, one.columns)
    down, across = 300 // one.rows + (300 % one.rows > 0), 400 // one.columns
    assert np.array_equal(drawn, values[::down, ::across].astype("<f4"))


def test_what_is_not_finite_is_none() -> None:
    news = through(Picture(1.0, cost=float("nan"), lists=[("costs", 3, [1.0, float("inf")])]))
    assert news.cost is None
    assert news.lists == [("costs", 3, [1.0, None])]


def message(text: Any, numbers: bytes = b"", lengths: tuple[int, int] | None = None) -> bytes:
    data = json.dumps(text).encode() if not isinstance(text, bytes) else text
    return struct.pack("<II", *(lengths or (len(data), len(numbers)))) + data + numbers


def changed(**changes: Any) -> dict[str, Any]:
    text, _ = written_picture(
        Picture(1.0, arrays=[Copied("W", "parameter", None, (1, 1), np.ones((1, 1)))]), ""
    )
    array = text["arrays"][0]  # type: ignore[index,call-overload]
    for name, value in changes.items():
        (array if name in array else text)[name] = value  # type: ignore[operator,index,call-overload]
    return dict(text)


@pytest.mark.parametrize(
    "sent",
    [
        b"what it prints",
        message(b"cos\nsystem\n(S'true'\ntR."),  # a pickle
        message([]),
        message({"kind": "else"}),
        message(changed(seconds="1"), b"\0" * 4),
        message(changed(role="<b>"), b"\0" * 4),
        message(changed(rows=-1), b"\0" * 4),
        message(changed(rows=2), b"\0" * 4),
        message(changed(rows=2**40), b"\0" * 4),
        message(changed(counts=[1]), b"\0" * 4),
        message(changed(low="0"), b"\0" * 4),
        message(changed(name=3), b"\0" * 4),
        message({}, lengths=(2**31, 0)),
        message({}, lengths=(2, 2**31)),
    ],
)
def test_what_has_another_form_is_refused(sent: bytes) -> None:
    with pytest.raises(FakedError):
        list(received(io.BytesIO(sent)))


def test_a_message_that_was_cut_off_ends_the_listening() -> None:
    whole = message(changed(), b"\0" * 4)
    for length in range(8, len(whole)):
        assert list(received(io.BytesIO(whole[:length]))) == []
    assert len(list(received(io.BytesIO(whole + whole)))) == 2


def seen(values: Any, role: str, ratio: float = 0.0, *, times: int = 3) -> list[Remark]:
    found = Remarks()
    for _ in range(times):
        found.learn({"W": arrived(values, role)}, {"W": ratio} if ratio else {}, None)
    return found.now


def remarks(*given: Any, **named: Any) -> list[str]:
    return [str(one.name) for one in seen(*given, **named)]


def test_findings_last_and_are_said_in_the_doctors_words() -> None:
    alive = np.ones((6, 4))
    dead = alive.copy()
    dead[:, :2] = 0
    assert remarks(alive, "activation") == []
    assert remarks(dead, "activation") == [DeadReLUs.name]
    assert remarks(dead, "activation", times=2) == []
    assert remarks([[np.inf, 1]], "parameter", times=1) == [NotANumber.name]
    assert remarks([[1e7, 1]], "parameter") == ["Exploding values"]
    assert remarks([[0, 0]], "gradient") == ["No gradient"]
    assert remarks([[0, 0]], "parameter") == []
    assert remarks(alive, "parameter", 0.01) == []
    assert remarks(alive, "parameter", 0.9) == ["Learning rate too high"]


def test_at_the_end_what_the_last_picture_has_missed_is_said_too() -> None:
    dead = np.zeros((6, 4))
    found = Remarks()
    found.learn({"H": arrived(dead, "activation")}, {"W": 0.9}, None)
    found.learn({}, {}, None)
    assert found.now == []
    found.settle({"H": arrived(dead, "activation")})
    assert [str(one.name) for one in found.now] == [DeadReLUs.name]
    found.learn({}, {"W": 0.9}, None)
    found.settle({})
    assert [str(one.name) for one in found.now] == ["Learning rate too high"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([[np.inf, 1]], "parameter"), "W has 1 numbers that are not finite."),
        (([[1e7, 1]], "parameter"), "W has grown to 1e+07."),
        (([[0, 0]], "gradient"), "W, the gradient of None, is zero in every entry."),
        (([[1, 0], [1, 0]], "activation"), "W: 50% of the units give zero for every sample."),
        (([[1, 1]], "parameter", 0.9), "One update changes W by 90% of its size."),
    ],
)
@pytest.mark.parametrize("language", ["es", "zh_CN", "zh_TW"])
def test_findings_are_texts_of_the_catalogues(
    given: tuple[Any, ...], said: str, language: str
) -> None:
    (one,) = seen(*given)
    assert one.in_words()["said"] == said
    told: Any = one.to_json()
    known = words_in(language)
    for part in ("name", "said", "advice"):
        assert known[told[part]["text"]] != told[part]["text"]
    assert told["said"]["values"]["name"] == "W"


def test_a_value_is_no_place_for_another() -> None:
    assert str(say("{a} and {b}", a="{b}", b=2)) == "{b} and 2"
