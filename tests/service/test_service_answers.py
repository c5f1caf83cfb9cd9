"""The answers of a service: those of ``clearprop predict``, or a sentence on what is wrong."""

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from served_models import KINDS, ROWS, Served, encoded, pictures

import clearprop as cp
from clearprop.cli import cli
from clearprop.errors import DataError
from clearprop.files.models import Model
from clearprop.preprocessing import PlainColumn, TableRecipe
from clearprop.service.answers import Predictor
from clearprop.service.problems import RefusedError
from clearprop.service.rows import MOST_ROWS

JSON = "application/json"


def told(served: Served, samples: list | None = None) -> dict:
    return json.loads(Predictor(served.model, "it").answer(JSON, served.body(samples)))


def refusal(served: Served, body: bytes | list, kind: str = JSON) -> tuple[int, str]:
    body = served.body(body) if isinstance(body, list) else body
    with pytest.raises(RefusedError) as caught:
        Predictor(served.model, "it").answer(kind, body)
    return caught.value.status, caught.value.sentence


class TestWhatIsSaid:
    @pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.endswith("alone")])
    def test_is_what_the_command_says_to_the_bit(self, kind, tmp_path):
        served = KINDS[kind](tmp_path)
        cp.save(tmp_path / "model.safetensors", served.model)
        paths = map(str, served.write(tmp_path))
        asked = ["predict", str(tmp_path / "model.safetensors"), *paths, "--json"]
        result = CliRunner().invoke(cli, asked)
        assert result.exit_code == 0, result.output
        expected = json.loads(result.stdout)["predictions"]
        found = told(served)["predictions"]
        assert found == [
            {name: value for name, value in one.items() if name != "source"} for one in expected
        ]

    def test_is_the_same_again_and_in_another_order_of_names(self, people):
        turned = [dict(reversed(row.items())) for row in ROWS]
        assert told(people) == told(people, turned) == told(people)

    def test_of_a_network_alone_are_numbers_of_classes(self):
        served = KINDS["network alone"](Path())
        X = np.array(served.samples)
        answers = told(served)["predictions"]
        shares = served.model.predict_proba(X)
        assert [one["prediction"] for one in answers] == shares.argmax(axis=1).tolist()
        for one, row in zip(answers, shares.tolist(), strict=True):
            assert one["probabilities"] == dict(zip("0123", row, strict=True))

    def test_of_a_network_of_values_are_values(self):
        served = KINDS["values alone"](Path())
        answers = told(served)["predictions"]
        expected = served.model.predict(np.array(served.samples)).tolist()
        assert answers == [{"prediction": one} for one in expected]

    def test_of_a_run_that_diverged_is_null(self):
        served = KINDS["value"](Path())
        served.model.network.parameters.data[...] = np.nan
        assert {one["prediction"] for one in told(served)["predictions"]} == {None}

    @pytest.mark.parametrize("place", range(6))
    def test_a_picture_that_is_the_body_is_one_in_the_list(self, place):
        served = KINDS["colour pictures"](Path())
        predictor = Predictor(served.model, "it")
        kind, content = pictures()[place]
        one = json.loads(predictor.answer(f"image/{kind}", content))
        assert one["predictions"] == told(served, [served.samples[place]])["predictions"]


class TestNotes:
    def test_tell_of_samples_unlike_the_training_data(self, people):
        notes = told(people)["notes"]
        assert any("column 'city'" in one and "row 2: 'Bonn'" in one for one in notes)
        assert any("column 'age'" in one and "row 3: 1,000,000" in one for one in notes)
        assert told(people, ROWS[:1])["notes"] == []

    def test_tell_of_other_columns_but_the_target(self, people):
        rows = [ROWS[0] | {"buys": "?", "id": 1}, ROWS[0] | {"a": [1]}]
        found = told(people, rows)
        assert found["notes"] == ["rows: 2 columns that training did not have, passed over: a, id."]
        assert found["predictions"] == told(people, [ROWS[0]] * 2)["predictions"]

    def test_call_pictures_by_their_place(self):
        served = KINDS["grey pictures"](Path())
        notes = told(served)["notes"]
        assert "pictures[1] has transparent parts, which become white." in notes
        white = encoded(Image.new("L", (9, 9), 255), "PNG")
        one = json.loads(Predictor(served.model, "it").answer("image/png", white))
        assert one["notes"][0].startswith("The picture is on a lighter background")


ROW = ROWS[0]


class TestARowOfATable:
    @pytest.mark.parametrize(
        ("changes", "status", "sentence"),
        [
            ({"age": "20"}, 400, "rows[0]['age'] is text, '20', expected a number. Write null"),
            ({"age": True}, 400, "rows[0]['age'] is true or false, True, expected a number."),
            ({"age": [1]}, 400, "rows[0]['age'] is a list, expected a number."),
            ({"city": {}}, 400, "rows[0]['city'] is an object, expected a category"),
            ({"since": 2020}, 400, "rows[0]['since'] is a number, 2020, expected a date such as"),
            ({"since": "soon"}, 422, "rows[0]['since'] is text, 'soon', expected a date such as"),
            ({"since": "2024-13-01"}, 422, "rows[0]['since'] is text, '2024-13-01', expected a"),
            ({"age": 1e300}, 422, "Row 1 of column 'age' is 1e+300, expected a finite number"),
        ],
    )
    def test_whose_cell_can_not_be_is_refused(self, people, changes, status, sentence):
        found, said = refusal(people, [ROW | changes])
        assert (found, said[: len(sentence)]) == (status, sentence)

    def test_that_is_not_the_first_is_named(self, people):
        status, said = refusal(people, [ROW, ROW, ROW | {"age": "x"}])
        assert (status, said[:14]) == (400, "rows[2]['age']")
        gaps = ROW | {"age": None}
        assert refusal(people, [gaps, ROW | {"age": "x"}])[1].startswith("rows[1]['age'] is text")

    def test_without_a_column_is_told_the_nearest(self, people):
        row = {"Heigth" if name == "height" else name: cell for name, cell in ROW.items()}
        status, said = refusal(people, [ROW, row])
        assert status == 400
        assert said.startswith("rows[1] has no column 'height'; found age, Heigth, city")
        assert "Did you mean 'Heigth'? Write null where nothing is known." in said

    @pytest.mark.parametrize("row", [1, None, "age", [ROW], True])
    def test_that_is_no_object_is_refused(self, people, row):
        status, said = refusal(people, [row])
        assert status == 400
        assert said.endswith("expected an object of columns.")

    def test_needs_what_the_model_can_not_do_without(self):
        recipe = KINDS["value"](Path()).model.preprocessing
        plain = replace(recipe, inputs=TableRecipe((PlainColumn("x"),)))
        net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(1,))
        served = Served(Model(net, plain), [{"x": 1}])
        assert len(told(served)["predictions"]) == 1
        for row in ({}, {"x": None}):
            status, said = refusal(served, [row])
            assert (status, said[-21:]) == (400, " Every row needs one.")

    def test_may_hold_numbers_that_no_whole_number_of_64_bits_is(self, people):
        long = served_text(people, "20", "1" + "0" * 30)
        assert json.loads(Predictor(people.model, "it").answer(JSON, long))["predictions"]
        for number in ("1" + "0" * 400, "1" * 5000, "1e999", "-1e999"):
            status, said = refusal(people, served_text(people, "20", number))
            assert (status, said[:22]) == (422, "rows[0]['age'] is beyo")


def served_text(served: Served, old: str, new: str) -> bytes:
    """Return the body of a row with the text of a number in another's place."""
    return served.body([ROW]).replace(f'"age": {old}'.encode(), f'"age": {new}'.encode())


class TestARowOfNumbers:
    @pytest.mark.parametrize(
        ("rows", "status", "sentence"),
        [
            ([[1, 2, 3]], 400, "rows[0] is a list of 3, expected a list of 4 numbers."),
            ([[1, 2, 3, 4], 5], 400, "rows[1] is a number, 5, expected a list of 4 numbers."),
            ([[1, 2, 3, None]], 400, "rows[0][3] is null, expected a number."),
            ([[1, 2, 3, "4"]], 400, "rows[0][3] is text, '4', expected a number."),
            ([[1, True, 3, 4]], 400, "rows[0][1] is true or false, True, expected a number."),
            ([[1, 2, 3, [4]]], 400, "rows[0][3] is a list, expected a number."),
            ([{"a": 1}], 400, "rows[0] is an object, expected a list of 4 numbers."),
        ],
    )
    def test_of_another_form_is_refused(self, rows, status, sentence):
        assert refusal(KINDS["array"](Path()), rows) == (status, sentence)

    def test_in_several_axes_is_looked_through(self):
        served = KINDS["network alone"](Path())
        assert refusal(served, [[[1, 2, 3], [4, 5]]]) == (
            400,
            "rows[0][1] is a list of 2, expected a list of 3 numbers.",
        )
        assert refusal(served, [[[1, 2, 3], [4, 5, "6"]]])[1].startswith("rows[0][1][2] is text")

    def test_beyond_all_numbers_is_refused(self):
        for kind in ("array", "network alone"):
            served = KINDS[kind](Path())
            first = json.dumps(served.samples[0])
            number = "0.0" if kind == "network alone" else first.strip("[").split(",")[0]
            body = served.body().replace(number.encode(), b"1e999", 1)
            assert refusal(served, body)[0] == 422
            body = served.body().replace(number.encode(), b"1e300", 1)
            if kind == "array":
                assert "expected a finite number within reach" in refusal(served, body)[1]
            else:
                assert refusal(served, body) == (
                    422,
                    "A number of rows is beyond what float32 holds.",
                )


@pytest.fixture(scope="module")
def grey():
    return KINDS["grey pictures"](Path())


class TestPictures:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "The picture is empty."),
            (b"<html>", "The picture is a web page or other text under a picture's name; get"),
            (b"\x00" * 9, "The picture is not a JPEG, PNG, WebP, GIF, BMP, TIFF or other"),
            (pictures()[0][1][:300], "The picture can't be read: "),
        ],
    )
    def test_that_are_none_are_refused(self, grey, content, sentence):
        status, said = refusal(grey, content, "image/png")
        assert (status, said[: len(sentence)]) == (422, sentence)

    def test_are_refused_together_if_one_is_broken(self, grey):
        status, said = refusal(grey, [grey.samples[0], grey.samples[1][:400]])
        assert (status, said[:12]) == (422, "pictures[1] ")

    @pytest.mark.parametrize(
        ("item", "status", "sentence"),
        [
            (None, 400, "pictures[0] is null, expected text: a file in base64."),
            ([1], 400, "pictures[0] is a list, expected text: a file in base64."),
            ("*", 422, "pictures[0] is not in base64"),
            ("ä", 422, "pictures[0] is not in base64"),
            ("abc", 422, "pictures[0] is not in base64"),
            ("data:image/png;base64,AAAA", 422, "pictures[0] is a data URL; leave out"),
        ],
    )
    def test_in_another_form_are_refused(self, grey, item, status, sentence):
        found, said = refusal(grey, [item])
        assert (found, said[: len(sentence)]) == (status, sentence)

    @pytest.mark.slow
    def test_of_100_megapixels_are_answered(self, grey):
        sheet = encoded(Image.new("1", (10_000, 10_000)), "PNG")
        answer = Predictor(grey.model, "it").answer("image/png", sheet)
        assert len(json.loads(answer)["predictions"]) == 1

    def test_that_are_larger_are_refused_by_what_they_claim(self, grey):
        sheet = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
        sheet[16:24] = struct.pack(">II", 11_000, 11_000)
        sheet[29:33] = struct.pack(">I", zlib.crc32(sheet[12:29]))
        assert refusal(grey, bytes(sheet), "image/png") == (
            422,
            "The picture has more than 120 million pixels, which is not decoded.",
        )

    def test_are_not_taken_by_a_model_of_rows(self, people):
        assert refusal(people, pictures()[0][1], "image/png") == (
            415,
            "The Content-Type is image/png, expected application/json, which says what the body "
            "is.",
        )


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"", "The body is empty, expected JSON: see GET /openapi.json."),
            (b"{", "The body is no JSON: Expecting property name"),
            (b'{"rows": [}', "The body is no JSON: Expecting value: line 1 column 11"),
            (b'{"rows": []} x', "The body is no JSON: Extra data"),
            (b"\xff\xfe{", "The body is not in UTF-8, as JSON is: byte 1 is none."),
            (b'{"rows": [{"age": NaN}]}', "JSON has no NaN. Where a number is missing, write null"),
            (b'{"rows": [{"age": -Infinity}]}', "JSON has no -Infinity."),
            (b'{"rows": [], "rows": []}', "An object of the body has 'rows' twice."),
            (b'{"rows": [{"age": 1, "age": 2}]}', "An object of the body has 'age' twice."),
            (b"[" * 100_000, "The body's lists and objects are nested too deep."),
            (b"[]", 'The body is a list, expected {"rows": [...]}, see GET /openapi.json.'),
            (b"null", "The body is null, expected"),
            (b'"rows"', "The body is text, 'rows', expected"),
            (b"{}", "The body is an object of nothing, expected"),
            (b'{"row": [1]}', "The body is an object of row, expected"),
            (b'{"rows": [], "top": 3}', "The body is an object of rows, top, expected"),
            (b'{"rows": {}}', "rows is an object, expected"),
            (b'{"rows": null}', "rows is null, expected"),
            (b'{"rows": []}', "rows is empty, expected one of them or more."),
        ],
    )
    def test_that_are_not_of_the_form_are_refused(self, people, body, sentence):
        status, said = refusal(people, body)
        assert (status, said[: len(sentence)]) == (400, sentence)
        assert len(said) < 400

    def test_with_a_byte_order_mark_are_read(self, people):
        body = b"\xef\xbb\xbf" + people.body()
        answer = Predictor(people.model, "it").answer(JSON, body)
        assert json.loads(answer) == told(people)

    def test_of_too_many_rows_are_refused_before_any_is_looked_at(self, people):
        status, said = refusal(people, [1] * (MOST_ROWS + 1))
        assert (status, said[:24]) == (400, "Found 10,001 rows, at mo")

    def test_take_fewer_rows_where_each_has_many_answers(self):
        served = Served(Model(network_of(2_000)), [[1, 2]])
        assert Predictor(served.model, "it").rows.most == 500
        assert refusal(served, [[1, 2]] * 501)[0] == 400

    @pytest.mark.parametrize("kind", ["", "text/plain", "text/json", "multipart/form-data"])
    def test_of_another_kind_are_refused(self, people, kind):
        status, said = refusal(people, people.body(), kind)
        assert status == 415
        assert f"The Content-Type is {kind or 'not there'}, expected application/json" in said


def network_of(classes: int) -> cp.Network:
    return cp.Network([cp.Dense(classes)], loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))


def test_a_text_from_outside_stays_text(people):
    odd = 'a\x1b[2J"\u202e</script>\ud800\x00'
    rows = [ROW | {"city": odd, odd: 1}]
    found = told(people, rows)
    assert any(odd in one for one in found["notes"])
    body = Predictor(people.model, "it").answer(JSON, people.body(rows))
    assert body.isascii()
    assert b"\x1b" not in body


def test_a_model_that_lacks_what_it_needs_is_told_of_at_once(monkeypatch):
    served = KINDS["grey pictures"](Path())

    def gone(*_: object) -> None:
        raise DataError("its backbone is gone")

    monkeypatch.setattr("clearprop.service.answers.prepare", gone)
    with pytest.raises(DataError, match="its backbone is gone"):
        Predictor(served.model, "it")
