"""Class names that are matched one to one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Dataset
from clearprop.data.class_names import alike, match_names, renamed, told
from clearprop.errors import DataError, UsageError

NAMES = st.lists(st.text("abcs01-_ ", min_size=1, max_size=4), max_size=5, unique=True)


@pytest.mark.parametrize(
    ("found", "known"),
    [
        ("cats", "cat"),
        ("Cat", "cat"),
        ("great-dane", "Great Dane"),
        ("great_danes", "great dane"),
        ("puppies", "puppy"),
        ("boxes", "box"),
        ("0", "00"),
        ("class 7", "class07"),
        ("cafe\u0301", "café"),
    ],
)
def test_near_names_are_matched_either_way(found: str, known: str) -> None:
    assert match_names([found, "x"], ["x", known], advice="") == {found: known, "x": "x"}
    assert match_names([known, "x"], ["x", found], advice="") == {known: found, "x": "x"}


@pytest.mark.parametrize(
    ("found", "known"), [("-1", "1"), ("1-0", "10"), ("1.05", "1.5"), ("cat", "dog"), ("C++", "C")]
)
def test_other_names_are_not(found: str, known: str) -> None:
    with pytest.raises(DataError, match="is none of the known classes"):
        match_names([found], [known], advice="")


def test_the_same_name_goes_before_a_near_one() -> None:
    assert match_names(["cat"], ["Cat", "cat"], advice="") == {"cat": "cat"}
    with pytest.raises(DataError, match="'cats' is none"):
        match_names(["cat", "cats"], ["cat"], advice="")


def test_what_may_mean_two_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DataError, match=r"'cats' may mean CAT, Cat; .*--map cats=CAT"):
        match_names(["cats"], ["CAT", "Cat"], advice="Say --map NAME=CAT.")
    with pytest.raises(DataError, match=r"'CATS' may mean cat, and so may Cats; known are cat"):
        match_names(["CATS", "Cats"], ["cat"], advice="")
    with pytest.raises(DataError, match=r"Say --map 'a pet'=CAT\."):
        match_names(["a pet"], ["CAT"], advice="Say --map NAME=CAT.")


def test_given_names_go_before_all_others() -> None:
    given = {"moggies": "cat", "kittens": "cat"}
    matched = match_names(["moggies", "kittens", "dogs"], ["cat", "dog"], given, advice="")
    assert matched == given | {"dogs": "dog"}
    assert told(matched) == "moggies = cat, kittens = cat, dogs = dog"


@pytest.mark.parametrize(
    ("given", "message"),
    [({"bird": "cat"}, "no class 'bird' to map"), ({"x": "y"}, "no class 'y'")],
)
def test_given_names_that_are_not_there_are_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        match_names(["x"], ["cat"], given, advice="")


@given(found=NAMES, known=NAMES)
def test_a_match_is_one_to_one_whatever_the_names(found: list[str], known: list[str]) -> None:
    try:
        matched = match_names(found, known, advice="")
    except DataError:
        return
    assert (list(matched.keys() & set(found)) and set(matched) == set(found)) or not found
    assert len(set(matched.values())) == len(matched)
    assert set(matched.values()) <= set(known)


def test_names_that_differ_by_little_are_found() -> None:
    assert alike(["Cat", "bird", "cats", "dog"]) == ["Cat", "cats"]


def animals(*names: str) -> Dataset:
    y = np.arange(len(names))
    return Dataset("pets", "array", np.zeros((len(names), 2)), y, names, notes=("one",))


def test_a_data_set_takes_the_known_names() -> None:
    dataset = renamed(animals("dogs", "cats"), ("cat", "dog"), {})
    assert dataset.class_names == ("cat", "dog")
    assert dataset.y.tolist() == [1, 0]
    assert dataset.notes == ("Classes were matched by name: dogs = dog, cats = cat.", "one")


def test_a_data_set_whose_names_are_known_stays() -> None:
    dataset = animals("dog")
    assert renamed(dataset, ("cat", "dog"), {}) is dataset


def test_a_class_that_means_none_is_named_with_its_row() -> None:
    with pytest.raises(DataError, match=r"'bird' \(row 2\) is none.*--map bird=cat"):
        renamed(animals("cats", "bird"), ("cat", "dog"), {})


def test_values_have_no_names_to_map() -> None:
    values = Dataset("pets", "array", np.zeros((1, 2)), np.zeros(1), None)
    assert renamed(values, ("cat", "dog"), {}) is values
    with pytest.raises(UsageError, match="holds values, not classes"):
        renamed(values, ("cat", "dog"), {"a": "cat"})
