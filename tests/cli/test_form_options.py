"""The form of a text is found out anew where it is not that of training, or said by an option."""

import json
from pathlib import Path

import pytest

WORDS = ("größe", "straße", "fähre")


@pytest.fixture
def model(clearprop):
    rows = [f"{WORDS[at % 3]},{at * 7 % 11}.5,{'pq'[at % 3 == 0]}" for at in range(40)]
    Path("train.csv").write_text("\n".join(["k,n,y", *rows]) + "\n", encoding="cp1252")
    said = ("--encoding", "cp1252", "--epochs", 3, "--layers", 4, "--out", "run")
    assert clearprop("train", "train.csv", *said).exit_code == 0
    return "run"


def probabilities(clearprop, model, text, encoding, *options):
    Path("new.csv").write_text(text, encoding=encoding)
    result = clearprop("predict", model, "new.csv", "--json", *options)
    assert result.exit_code == 0, result.stderr
    answers = json.loads(result.stdout)
    assert not any("categories" in note for note in answers["notes"])
    return [one["probabilities"] for one in answers["predictions"]]


TEXT = "k,n\n" + "\n".join(f"{word},1.5" for word in WORDS) + "\n"


def test_a_text_in_utf_8_is_read_by_a_model_of_another_encoding(clearprop, model):
    expected = probabilities(clearprop, model, TEXT, "cp1252")
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert probabilities(clearprop, model, TEXT, encoding) == expected


def test_an_option_says_the_form(clearprop, model):
    expected = probabilities(clearprop, model, TEXT, "cp1252")
    options = ("--encoding", "cp850", "--delimiter", "~")
    assert probabilities(clearprop, model, TEXT.replace(",", "~"), "cp850", *options) == expected
    result = clearprop("evaluate", model, "train.csv", "--encoding", "cp1252", "--header")
    assert result.exit_code == 0, result.stderr


def test_an_option_without_a_table_is_refused(clearprop, picture_model, array_model):
    for other in (picture_model, array_model):
        for command in ("predict", "evaluate"):
            result = clearprop(command, other, "digits", "--no-header")
            assert result.exit_code == 2
            assert "--header says how a table is read; the model takes none." in result.stderr


def test_evaluate_advises_nothing_that_it_can_not_do(clearprop, model):
    rows = [f"{WORDS[0]},{cell},p" for cell in ("1.5", "abc", "", "", "")]
    Path("new.csv").write_text("\n".join(["k,n,y", *rows]) + "\n")
    result = clearprop("evaluate", model, "new.csv")
    assert "'abc' (row 2), and taken for missing." in result.stderr
    assert "--category" not in result.stderr
    assert "--drop" not in result.stderr
