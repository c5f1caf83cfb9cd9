"""What a finding says: sentences for every illness, options that exist, settings it changes."""

import json
import re
import shlex
from dataclasses import fields
from string import Formatter

import pytest
from doctor_table import found_in
from planted_illnesses import PLANTED

import clearprop as cp
from clearprop.cli.train import train
from clearprop.doctor import ILLNESSES, Examination, Finding, Illness, Names
from clearprop.doctor.first_weights import SmallInitialWeights
from clearprop.doctor.illness import Sentence
from clearprop.doctor.learning_rate import LearningRateTooLow
from clearprop.doctor.outcome import OneAnswer
from clearprop.doctor.training_data import WrongLabels
from clearprop.doctor.treatment import SETTINGS
from clearprop.experiment import Settings

SMALL = Finding(SmallInitialWeights(), 0.01, 0.1, "2", {"init": "he"}, {"layers": 3, "sizes": ""})
LOW = Finding(LearningRateTooLow(), 10.0, 10.0, None, {"learning_rate": 0.1, "init": "scaled"})
SAMPLES = {
    "activation": "leaky-relu",
    "batch_norm": True,
    "batch_size": 32,
    "class_weight": "balanced",
    "clip_norm": 1.0,
    "dropout": 0.3,
    "epochs": 40,
    "init": "he",
    "l2": 0.0,
    "layers": [64, 32],
    "learning_rate": 0.1,
    "patience": 10,
}


def variants(sentence: Sentence) -> set[str]:
    return set() if isinstance(sentence, str) else set(sentence)


@pytest.mark.parametrize("illness", ILLNESSES, ids=lambda one: one.key)
def test_every_illness_has_its_sentences(illness: Illness) -> None:
    assert illness.name
    for sentence in (illness.reason, illness.advice):
        assert isinstance(sentence, str) or sentence[""]
        assert variants(sentence) <= variants(illness.measurement)
    for sentence in (illness.measurement, illness.reason, illness.advice):
        assert all([sentence] if isinstance(sentence, str) else sentence.values())


def test_no_two_illnesses_have_the_same_key_or_name() -> None:
    assert len({one.key for one in ILLNESSES}) == len({one.name for one in ILLNESSES})
    assert len({one.key for one in ILLNESSES}) == len(ILLNESSES)


@pytest.mark.parametrize("illness", ILLNESSES, ids=lambda one: one.key)
def test_reasons_name_their_threshold_or_say_why_there_is_none(illness: Illness) -> None:
    without = {"symmetric_weights", "not_a_number"}  # there one is enough
    reason = illness.reason
    for template in [reason] if isinstance(reason, str) else reason.values():
        fields = {field for _, field, _, _ in Formatter().parse(template)}
        assert ("threshold" in fields) == (illness.key not in without)


@pytest.mark.parametrize("what", PLANTED)
def test_a_finding_tells_everything_as_text_and_as_json(what: str) -> None:
    examination = found_in(what)
    for finding in examination:
        text = str(finding)
        assert finding.name in text
        assert "{" not in text.replace("{'", "")
        assert all(len(line) <= 80 for line in text.splitlines() if "cp." not in line)
        assert text.count("\n") >= 3
    told = json.loads(json.dumps(examination.to_json(), allow_nan=False))
    assert [one["illness"] for one in told["findings"]] == list(examination.illnesses)
    assert [one["harm"] for one in told["findings"]] == sorted(
        one["harm"] for one in told["findings"]
    )


@pytest.mark.parametrize("what", PLANTED)
def test_only_the_first_of_a_kind_of_change_counts(what: str) -> None:
    examination = found_in(what)
    seen: dict[str, object] = {}
    for finding in examination:
        seen = {**finding.changes, **seen}
    assert examination.changes == seen


@pytest.mark.parametrize("what", PLANTED)
def test_the_advice_is_accepted_by_train_and_by_settings(what: str) -> None:
    examination = found_in(what)
    arguments = ["digits", *shlex.split(examination.command)]
    context = train.make_context("train", arguments)
    changed = examination.apply(Settings(data="digits"))
    for name, value in examination.changes.items():
        expected = tuple(value) if isinstance(value, list) else value
        assert context.params[name] == expected
        assert getattr(changed, name) == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_a_change_in_python_names_what_exists(name: str) -> None:
    line, *others = Finding(OneAnswer(), 1, 1, changes={name: SAMPLES[name]}).python
    assert not others
    for public in re.findall(r"cp\.(\w+)", line):
        assert public in cp.__all__
    assert "None" not in line


def test_samples_cover_every_change_that_can_be_typed() -> None:
    of_trainer = {one.name for one in fields(cp.Trainer)}
    assert SAMPLES.keys() - of_trainer == SETTINGS.keys()
    assert SAMPLES.keys() & of_trainer == {name for name in SAMPLES if name not in SETTINGS}


def test_changes_are_applied_to_a_dictionary_without_touching_it() -> None:
    settings = {"init": "normal", "learning_rate": 0.01}
    assert SMALL.apply(settings) == {"init": "he", "learning_rate": 0.01}
    assert settings == {"init": "normal", "learning_rate": 0.01}


def test_the_more_harmful_finding_decides_what_two_would_change() -> None:
    examination = Examination((SMALL, LOW))
    assert examination.changes == {"init": "he", "learning_rate": 0.1}
    assert examination.command == "--init he --learning-rate 0.1"
    assert examination.apply({"init": "normal"}) == examination.changes


def test_a_healthy_examination_is_empty_and_says_so() -> None:
    assert not Examination(())
    assert str(Examination(())) == "Healthy: no illness was found."
    assert Examination(()).to_json() == {
        "healthy": True,
        "findings": [],
        "changes": {},
        "command": "",
    }


def test_names_take_the_place_of_numbers() -> None:
    one = Finding(OneAnswer(), 1.0, 0.995, facts={"answer": 1, "true": 0.6})
    rows = {"rows": [0, 2], "suspects": 2, "samples": 9}
    labels = Finding(WrongLabels(), 0.2, 0.03, facts={**rows, "held_out": False})
    names = Names(("dog", "cat"), "train{}.png".format, "held{}.png".format)
    said, suspected = Examination((one, labels)).named(names)
    assert "class cat" in said.measurement
    assert suspected.measurement.endswith("train0.png, train2.png.")
    assert labels.measurement.endswith("numbers 0, 2 (counted from 0).")
    assert one.facts["answer"] == 1
