"""Every planted illness is named first, nothing is found in healthy trainings, and docs say so."""

from pathlib import Path

import pytest
from doctor_table import PAGE, between_marks, found_in, tables
from healthy_trainings import HEALTHY, course_pictures
from planted_illnesses import PLANTED

from clearprop.doctor import ILLNESSES


@pytest.mark.parametrize("what", PLANTED)
def test_what_was_planted_is_named_first(what: str) -> None:
    assert found_in(what).illnesses[:1] == (PLANTED[what][0],)


@pytest.mark.parametrize("what", HEALTHY)
def test_nothing_is_found_in_a_healthy_training(what: str) -> None:
    assert found_in(what).illnesses == ()


@pytest.mark.slow
def test_nothing_is_found_in_photographs_that_are_not_learned_by_heart(shared_data: Path) -> None:
    assert course_pictures(shared_data).watched().examination.illnesses == ()


def test_every_illness_is_planted_at_least_once() -> None:
    assert {illness for illness, _ in PLANTED.values()} == {one.key for one in ILLNESSES}
    assert len(PLANTED) >= 20
    assert len(HEALTHY) >= 20


@pytest.mark.slow
def test_the_tables_in_the_docs_are_what_is_found() -> None:
    _, written, _ = between_marks(PAGE.read_text(encoding="utf-8"))
    assert written == tables(), "write them anew: python tests/doctor/doctor_table.py"
