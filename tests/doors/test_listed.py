"""Messages name what there is, and of very much only an excerpt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.errors import listed, shortened, unknown_name


def test_a_few_names_are_all_listed():
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed([]) == ""


def test_of_many_names_the_others_are_counted():
    assert listed((f"c{i}" for i in range(20_000)), 3) == "c0, c1, c2 and 19,997 more"
    assert listed("abcd", 3) == "a, b, c, d"


@given(st.lists(st.text(max_size=200)))
def test_a_list_is_never_long(names):
    assert len(listed(names)) <= 31 * 70 + 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (12.5, "12.5"),
        ("a'b", '"a\'b"'),
        ([1, "x"], "[1, 'x']"),
        (None, "None"),
        (list(range(1000)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]"),
    ],
)
def test_a_value_is_written_so_that_it_is_known(value, text):
    assert shortened(value) == text


def test_a_number_that_python_does_not_write_is_told():
    assert shortened(-(10**5000)) == "a whole number of some 5,000 digits"


def test_a_long_text_and_deep_lists_are_short():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert len(shortened("x" * 10**6)) < 80
    assert len(shortened(deep)) < 80


def test_an_unknown_name_of_a_megabyte_is_answered_briefly():
    message = str(unknown_name("column", "x" * 10**6, ["a" * 10**6, *map(str, range(10**4))]))
    assert len(message) < 1000
    assert message.endswith("and 9,971 more.")
