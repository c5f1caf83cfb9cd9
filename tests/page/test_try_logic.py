"""What the panels of one's own input and of the playground compute, apart from any browser."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from people import table_model, table_of
from PIL import Image
from twins import in_base64

import clearprop as cp
from clearprop.configuration import to_config
from clearprop.preprocessing import Likeness

TWO_CLASSES = {
    "layers": [{"type": "Dense", "units": 4}, {"type": "Tanh"}, {"type": "Dense", "units": 1}],
    "loss": {"type": "BinaryCrossEntropy"},
    "input_shape": [2],
}
SETTINGS = {"optimizer": "adam", "rate": 0.05, "l2": 0, "batch": 8, "seed": 3}


@pytest.fixture(scope="module")
def view(engine: Any) -> Iterator[Any]:
    node = type(engine)("try_driver.mjs")
    yield node
    node.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,a\n-3.5,4e1,b", [(1, 2, "a"), (-3.5, 40, "b")]),
        ('x;y;kind\n1;2;"a;b"\n\n3;4;c\n', [(1, 2, "a;b"), (3, 4, "c")]),
        ("1\t2\tof two words\r\n3\t4\tb\r\n", [(1, 2, "of two words"), (3, 4, "b")]),
        ("\ufeff1 2   a\n3   4 b", [(1, 2, "a"), (3, 4, "b")]),
        ('1,2,"he said ""no"""\n3,4,<b>', [(1, 2, 'he said "no"'), (3, 4, "<b>")]),
    ],
)
def test_points_are_read_in_any_usual_form(
    view: Any, text: str, expected: list[tuple[float, float, str]]
) -> None:
    points = [{"x1": x1, "x2": x2, "label": label} for x1, x2, label in expected]
    assert view.ask(ask="points", text=text)["points"] == points
    assert view.ask(ask="rewritten", text=text) == points


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Found no points"),
        ("x,y,kind", "line of names and no points"),
        ("1,2\n3,4", "Line 1 has 2 cells"),
        ("1,2,a\n3,4,b,c", "Line 2 has 4 cells"),
        ("1,2,a\n3,four,b", 'Line 2, cell 2 is "four"'),
        ("1,2,a\n3,,b", 'Line 2, cell 2 is ""'),
        ("1,2,a\n3,inf,b", 'cell 2 is "inf"'),
        ("1,2,a\n3,4,", "Line 2 has no class"),
        ("1,2,a\n3,4,a", "Found a single class"),
        ("\n".join(f"{n},0,{n}" for n in range(9)), "Found 9 classes, expected 2 to 8"),
        ("\n".join(f"{n},0,{n % 2}" for n in range(5001)), "Found 5,001 points"),
        ("1" * 1_000_001, "Found 1,000,001 characters"),
    ],
)
def test_bad_points_are_refused_with_a_sentence(
    view: Any, node_error: type[Exception], text: str, said: str
) -> None:
    with pytest.raises(node_error) as refused:
        view.ask(ask="points", text=text)
    assert said in str(refused.value)


IRIS = (
    "id;length;width;kind;height\n1;5.1;3.5;a;0.2\n2;4.9;;b;0.4\n3;6,2;3.4;b;0.3\n4;5.8;2.7;a;\n"
    "5;5.0;3.3;;0.1\n6;5;3;a;0.6\n7;5;3;b;0.7\n8;5;3;b;0.7\n9;5;3;b;0.7"
)


def test_of_a_wide_table_columns_are_chosen(view: Any) -> None:
    found = view.ask(ask="table", text=IRIS)
    assert found["names"] == ["id", "length", "width", "kind", "height"]
    assert found["numbers"] == [0, 1, 2, 4]
    assert found["kinds"] == [1, 2, 3, 4]
    assert found["usual"] == [0, 1, 3]
    assert found["left"] == 2  # "6,2" is no number here, and line 5 has no class
    assert found["points"][:2] == [
        {"x1": 1, "x2": 5.1, "label": "a"},
        {"x1": 2, "x2": 4.9, "label": "b"},
    ]
    chosen = view.ask(ask="table", text=IRIS, columns=[4, 2, 3])
    assert chosen["left"] == 3
    assert chosen["points"][0] == {"x1": 0.2, "x2": 3.5, "label": "a"}
    without_names = IRIS.partition("\n")[2]
    assert view.ask(ask="table", text=without_names)["names"] == [f"x{n}" for n in range(1, 6)]
    with_index = IRIS.removeprefix("id")  # as pandas writes one
    assert view.ask(ask="table", text=with_index)["names"][:2] == ["x1", "length"]


def test_a_number_of_training_that_was_rounded_is_not_outside_of_it(view: Any) -> None:
    field = {
        "kind": "number",
        "isRange": True,
        "low": -0.044641636506989,
        "high": 0.0506801187398187,
    }
    values = [-0.04464164, 0.05068012, -0.0447, 0.0507, 0, None]
    found = view.ask(ask="outside", field=field, values=values)
    assert found == [False, False, True, True, False, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3,a\n1,2,3,b\n1,2,b", "Line 3 has 3 cells, expected 4 as the first line has"),
        ("a,b,c,d\n1,x,y,z\n2,x,v,w", "columns 1 hold numbers, and 3 hold 2 to 8"),
        ("1,2,3,a\n1,2,3,a", "columns 3 hold numbers, and 0 hold 2 to 8"),
    ],
)
def test_a_table_without_such_columns_is_refused(
    view: Any, node_error: type[Exception], text: str, said: str
) -> None:
    with pytest.raises(node_error) as refused:
        view.ask(ask="table", text=text)
    assert said in str(refused.value)


def test_classes_are_numbered_in_their_order(view: Any) -> None:
    found = view.ask(ask="arrays", text="1,2,10\n3,4,9\n5,6,word\n7,8,10")
    assert found == {
        "x": [1, 2, 3, 4, 5, 6, 7, 8],
        "y": [1, 0, 2, 1],
        "classNames": ["9", "10", "word"],
    }


@pytest.mark.parametrize(
    "form",
    [
        *({"format": name} for name in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF")),
        {"format": "JPEG", "progressive": True},
        {"format": "WEBP", "lossless": True},
    ],
)
def test_the_size_of_a_picture_is_read_from_its_first_bytes(
    view: Any, form: dict[str, Any]
) -> None:
    written = io.BytesIO()
    Image.new("RGB", (123, 77), "red").save(written, **form)
    whole = written.getvalue()
    assert view.ask(ask="size", bytes=_base64(whole)) == {"width": 123, "height": 77}
    for end in range(0, min(len(whole), 64), 7):
        assert view.ask(ask="size", bytes=_base64(whole[:end])) in (
            None,
            {"width": 123, "height": 77},
        )


@pytest.mark.parametrize(
    "found", [b"", b"<svg width='9' height='9'/>", b"II*\0" + bytes(40), b"BM"]
)
def test_what_is_no_picture_has_no_size(view: Any, found: bytes) -> None:
    assert view.ask(ask="size", bytes=_base64(found)) is None


def test_an_address_keeps_settings_and_points(view: Any) -> None:
    settings = {"data": "own", "layers": [4, 3], "rate": 0.3, "activation": "leaky-relu"}
    address = view.ask(ask="address", settings=settings, text="1,2,a b\n3,4,#&=%")
    kept = view.ask(ask="fromAddress", hash=address)
    assert kept["settings"] == settings
    assert kept["points"] == view.ask(ask="points", text="1,2,a b\n3,4,#&=%")["points"]
    assert kept["faults"] == []


def test_an_address_of_something_else_keeps_nothing(view: Any) -> None:
    assert view.ask(ask="fromAddress", hash="#curves") is None


def test_what_an_address_can_not_mean_is_said_and_left(view: Any) -> None:
    address = "#playground?rate=fast&layers=8,0&data=mars&seed=7&samples=1e9&unknown=1&points=1,2"
    kept = view.ask(ask="fromAddress", hash=address)
    assert kept["settings"] == {"seed": 7}
    assert kept["points"] is None
    told = " ".join(kept["faults"])
    for name in ("rate", "layers", "data", "samples", "points"):
        assert f"{name}: " in told


def test_a_file_keeps_settings_and_points(view: Any, node_error: type[Exception]) -> None:
    settings = {"data": "own", "seed": 5, "l2": 0.25}
    text = view.ask(ask="file", settings=settings, text="1,2,a\n3,4,b")
    kept = view.ask(ask="fromFile", text=text)
    assert settings.items() <= kept["settings"].items()
    assert kept["points"] == view.ask(ask="points", text="1,2,a\n3,4,b")["points"]
    for other in ("", "{}", "[1]", '{"playground": 2}', text[:-3]):
        with pytest.raises(node_error, match="no file of a playground"):
            view.ask(ask="fromFile", text=other)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("rate", "1e-3", 0.001), ("layers", "", []), ("layers", " 5, 3 ", [5, 3]), ("batch", "1", 1)],
)
def test_settings_are_read_as_people_write_them(
    view: Any, name: str, text: str, value: object
) -> None:
    assert view.ask(ask="setting", name=name, text=text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rate", "-1", "a number from 0 to 100"),
        ("rate", "", "a number from 0 to 100"),
        ("batch", "2.5", "a whole number from 1"),
        ("layers", "8,8,8,8,8,8,8", "up to 6 layers"),
        ("layers", "257", "1 to 256 units"),
        ("activation", "sine", "one of tanh, relu"),
    ],
)
def test_settings_that_can_not_be_are_refused(
    view: Any, node_error: type[Exception], name: str, text: str, said: str
) -> None:
    with pytest.raises(node_error, match=said):
        view.ask(ask="setting", name=name, text=text)


def test_updates_lower_the_loss_and_repeat_by_their_seed(view: Any) -> None:
    question = {"network": TWO_CLASSES, **_heaps(), "settings": SETTINGS, "updates": 60}
    first, again = (view.ask(ask="training", **question) for _ in range(2))
    assert first["losses"] == again["losses"]
    assert np.mean(first["losses"][-5:]) < 0.2 * np.mean(first["losses"][:5])
    assert first["epoch"] == 60 / 5  # 40 samples are 5 batches of 8
    assert first["entries"][0]["loss"] > first["entries"][-1]["loss"]
    assert first["entries"][-1]["score"] > 0.9


def test_the_last_batch_of_an_epoch_is_what_is_left(view: Any) -> None:
    settings = {**SETTINGS, "batch": 16}
    found = view.ask(ask="training", network=TWO_CLASSES, **_heaps(), settings=settings, updates=3)
    assert found["epoch"] == 1  # 16, 16 and 8 of 40


def test_a_rate_of_zero_changes_nothing_from_then_on(view: Any) -> None:
    settings = {**SETTINGS, "batch": 40}
    question = {"network": TWO_CLASSES, **_heaps(), "settings": settings, "updates": 5}
    found = view.ask(ask="training", **question, later={"rate": 0})
    assert found["losses"][0] > found["losses"][-1]
    np.testing.assert_allclose(found["more"], found["more"][0], rtol=1e-12)


def test_a_training_that_diverges_stops_at_the_last_finite_weights(view: Any) -> None:
    network = {**TWO_CLASSES, "loss": {"type": "MeanSquaredError"}}
    settings = {**SETTINGS, "optimizer": "sgd", "rate": 100, "l2": 1000}
    found = view.ask(ask="training", network=network, **_heaps(), settings=settings, updates=400)
    assert found["hasDiverged"]
    assert found["finite"]


def test_the_fields_of_a_row_are_those_of_the_recipe(view: Any) -> None:
    age, city, born, size = view.ask(ask="fields", model=in_base64(table_model()))
    assert (age["kind"], age["low"], age["high"], age["middle"]) == ("number", 10, 40, 20)
    assert (age["unit"], age["mayMiss"], size["mayMiss"]) == ("years", True, False)
    assert (city["kind"], city["categories"]) == ("category", ["Bergen", "Oslo"])
    assert (born["kind"], born["hasHour"], born["middle"]) == ("date", False, "2000-01-02")
    assert view.ask(ask="values", field=age, most=4) == [10, 20, 30, 40]
    assert view.ask(ask="values", field=born, most=5) == ["2000-01-01", "2000-01-02", "2000-01-03"]
    assert view.ask(ask="values", field=size, most=4) == []


def test_cells_are_read_as_they_are_typed(view: Any, node_error: type[Exception]) -> None:
    age, city, _, size = view.ask(ask="fields", model=in_base64(table_model()))
    assert view.ask(ask="cell", field=age, text=" 12,5 ") == 12.5
    assert view.ask(ask="cell", field=age, text="") is None
    assert view.ask(ask="cell", field=city, text="Oslo") == "Oslo"
    with pytest.raises(node_error, match='age is "old", expected a number such as 20'):
        view.ask(ask="cell", field=age, text="old")
    with pytest.raises(node_error, match="size is empty"):
        view.ask(ask="cell", field=size, text="")


def test_the_effect_of_a_column_is_what_python_answers_with_it_changed(view: Any) -> None:
    model = table_model()
    row = {"age": 20, "city": "Oslo", "born": "2000-01-02", "size": 1.5}
    effects = view.ask(ask="effects", model=in_base64(model), row=row, most=2)
    assert len(effects) == 2
    assert effects[0]["span"] >= effects[1]["span"] > 0
    for effect in effects:
        rows = [{**row, effect["name"]: value} for value in effect["values"]]
        prepared = model.preprocessing.inputs.transform(table_of(rows), np.float64)
        np.testing.assert_allclose(effect["answers"], model.network.logits(prepared)[:, 0])


def test_a_picture_the_other_way_round_is_told(view: Any) -> None:
    random = np.random.RandomState(0)
    pictures = np.zeros((20, 8, 8), np.uint8)
    pictures[:, 2:6, 2:6] = random.randint(200, 256, (20, 4, 4))
    likeness = Likeness.fit(pictures)
    told = {
        name: getattr(likeness, name)
        for name in ("brightness", "border", "contrast", "saturation", "grey")
    }
    like = {"shape": [8, 8], "likeness": told}
    usual, turned = ((one / 255).ravel().tolist() for one in (pictures[0], 255 - pictures[0]))
    assert not likeness.unlike(pictures[:1], ["a"])
    assert view.ask(ask="unlikeness", values=usual, **like) is None
    assert "invert" in likeness.unlike(255 - pictures[:1], ["a"])[0]
    said = view.ask(ask="unlikeness", values=turned, **like)
    assert said.startswith("Light and dark are the other way round")
    flat = np.full(64, float(np.mean(pictures)) / 255).tolist()
    assert view.ask(ask="unlikeness", values=flat, **like) is not None


def handwritten(name: str) -> np.ndarray:
    if name == "digits":
        return cp.load_data("digits").X[::9]
    pictures = np.zeros((60, 28, 28), np.uint8)  # as MNIST has its own: 20 high, in the middle
    for place, picture in enumerate(pictures):
        left, right = 9 + place % 3, 17 + place % 3
        picture[4:24, left : left + 2] = picture[4:24, right : right + 2] = 255
        picture[13:15, left:right] = 255
    return pictures


@pytest.mark.parametrize("is_dark", [False, True], ids=["light on dark", "dark on light"])
@pytest.mark.parametrize("name", ["digits", "letters"])
def test_the_place_of_figures_is_guessed_from_the_look_of_pictures(
    view: Any, name: str, is_dark: bool
) -> None:
    pictures = handwritten(name)
    pictures = 255 - pictures if is_dark else pictures
    look = to_config(Likeness.fit(pictures))
    size = list(pictures.shape[1:])
    guessed = view.ask(ask="guessed", likeness=look, size=size)
    values = (pictures / 255).ravel().tolist()
    true = view.ask(ask="figure", pictures=values, size=size)
    assert guessed["extent"] == pytest.approx(true["extent"], abs=0.05)
    assert guessed["x"] == pytest.approx(true["x"], abs=0.05)
    assert guessed["y"] == pytest.approx(true["y"], abs=0.05)
    assert guessed["pen"] == pytest.approx(true["pen"], rel=0.35)


def test_nothing_is_guessed_where_nobody_has_looked(view: Any) -> None:
    assert view.ask(ask="guessed", likeness=None, size=[8, 8]) is None


def test_the_place_of_the_figures_in_training_pictures_is_found(view: Any) -> None:
    pictures = np.zeros((2, 10, 10))
    pictures[0, 1:9, 3:5] = 1  # 8 high, 2 wide, its middle at (0.4, 0.5)
    pictures[1, 3:7, 2:8] = 1  # 4 high, 6 wide, its middle at (0.5, 0.5)
    found = view.ask(ask="figure", pictures=pictures.ravel().tolist(), size=[10, 10])
    assert {name: found[name] for name in ("x", "y", "extent")} == pytest.approx(
        {"x": 0.45, "y": 0.5, "extent": 0.7}
    )
    assert view.ask(ask="figure", pictures=[0.5] * 100, size=[10, 10]) is None


@pytest.mark.parametrize("thick", [2, 3, 4])
def test_the_width_of_strokes_in_training_pictures_is_found(view: Any, thick: int) -> None:
    picture = np.zeros((40, 40))
    picture[5 : 5 + thick, 4:36] = picture[5:36, 20 : 20 + thick] = 1
    found = view.ask(ask="figure", pictures=picture.ravel().tolist(), size=[40, 40])
    assert found["pen"] == pytest.approx(thick / 40, rel=0.2)


def _base64(found: bytes) -> str:
    return base64.b64encode(found).decode()


def _heaps() -> dict[str, Any]:
    """Two heaps of points, far apart."""
    random = np.random.RandomState(0)
    x = np.concatenate([random.randn(20, 2) - 2, random.randn(20, 2) + 2])
    return {"x": x.ravel().tolist(), "y": [0] * 20 + [1] * 20}
