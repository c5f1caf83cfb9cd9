"""A column that gives the target alone is told by every command; too little ends clearly."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("undrawn")

SHORT = ("--layers", 4, "--epochs", 1, "--l2", 0)
SAYS = (
    "price_eur alone gives the target price (R² of ranks 0.9999 on 120 rows held out). If it would "
    "not be known when you predict, leave it out: --drop price_eur"
)


def write(name, head, rows):
    Path(name).write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture(autouse=True)
def prices():
    random = np.random.RandomState(0)
    price, visit = 100 + 9 * random.randn(120), np.arange(120) // 4
    rows = zip(random.randn(120), visit, price / 1.08, price, strict=True)
    write("prices.csv", "a,visit,price_eur,price", rows)


@pytest.mark.parametrize(
    "words",
    [
        ("data", "prices.csv"),
        ("train", "prices.csv", *SHORT, "--out", "run"),
        ("cross-validate", "prices.csv", *SHORT, "--folds", 2, "--out", "run"),
    ],
)
def test_it_is_told_once(clearprop, words):
    result = clearprop(*words)
    assert result.exit_code == 0, result.stderr
    assert " ".join(result.output.split()).count(SAYS) == 1


@pytest.mark.parametrize("option", ["--drop", "--keep"])
def test_it_is_not_told_of_what_is_left_out_or_meant(clearprop, option):
    result = clearprop("data", "prices.csv", option, "price_eur")
    assert "alone gives" not in result.output
    assert clearprop("data", "prices.csv").output.count("alone gives") == 1


def test_a_column_that_rows_are_held_out_by_is_none(clearprop):
    rows = [(np.sin(k), k // 10, "no" if k // 10 % 2 else "yes") for k in range(200)]
    write("visits.csv", "a,patient,ill", rows)
    told = clearprop("data", "visits.csv").output
    assert "patient alone gives the target ill (right in 200 of 200 rows held out)" in told
    result = clearprop("train", "visits.csv", *SHORT, "--group", "patient", "--out", "run")
    assert result.exit_code == 0, result.stderr
    assert "alone gives" not in result.output


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(1, "x", "no"), (2, "y", "yes")], "has no two samples of a class, so none can be held"),
        ([(1, "x", 1.5), (2, "y", 2.5)], "one is left to learn from, which is too few. Add"),
        ([(k, "x", "yes") for k in range(60)], "has a single class, 'yes', so there is nothing"),
        ([(k, k % 3, 3.25) for k in range(60)], "every value of 'y' that is trained on is 3.25"),
        (
            [("", "", ("no", "yes")[k % 2]) for k in range(60)],
            "has no column to learn 'y' from (a: empty",
        ),
        (
            [("inf", "-inf", ("no", "yes")[k % 2]) for k in range(60)],
            "has no column to learn 'y' from",
        ),
        ([(k, k % 3, "") for k in range(60)], "no row has a value of 'y', the target"),
        (
            [(k, k % 3, "inf" if k % 5 == 0 else k / 7) for k in range(60)],
            "such as 'inf' (row 1) are taken as categories; --number y takes them as numbers",
        ),
    ],
)
def test_what_can_not_be_learned_ends_in_one_message(clearprop, rows, said):
    write("few.csv", "a,b,y", rows)
    result = clearprop("train", "few.csv", "--epochs", 1, "--out", "run")
    assert result.exit_code == 1
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert said in error


def test_fifty_thousand_categories_are_learned_from(clearprop):
    random = np.random.RandomState(0)
    rows = [(f"c{k % 50_000}", random.randn(), "ny"[random.randint(2)]) for k in range(60_000)]
    write("many.csv", "c,a,y", rows)
    result = clearprop("train", "many.csv", *SHORT, "--folds", 0, "--out", "run", "--keep", "c")
    assert result.exit_code == 0, result.stderr
