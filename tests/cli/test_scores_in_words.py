"""Scores in words, of answers made up."""

from dataclasses import replace

import numpy as np
import pytest

from clearprop.cli.scores import beside, doubts, others, rare, text, value
from clearprop.data import Dataset
from clearprop.experiment.answers import Answers
from clearprop.experiment.evaluation import Evaluation, measured
from clearprop.preprocessing import ClassTarget, ValueTarget

DO = ("clearprop doctor run", "clearprop train it --layers none")


def of_classes(right: dict[str, tuple[int, int]], **baselines: list[str]) -> Evaluation:
    """Measure answers of which, of each class, some of so many are right, else the next class."""
    names = tuple(right)
    pairs = [
        (k, k if place < good else (k + 1) % len(names))
        for k, (good, of) in enumerate(right.values())
        for place in range(of)
    ]
    truth, said = np.array(pairs).T

    def answers(predicted):
        return Answers(np.full(len(truth), 0.25), truth, np.array(predicted), None)

    to_beat = {
        name: answers([names.index(one) for one in said]) for name, said in baselines.items()
    }
    dataset = Dataset("made", "array", np.zeros((len(truth), 1)), truth, names)
    return measured(answers(said), ClassTarget(names, "y"), dataset, to_beat)


@pytest.mark.parametrize(
    ("score", "number", "expected"),
    [
        ("accuracy", 0.98333, "accuracy 98.33%"),
        ("balanced_accuracy", 1.0, "balanced accuracy 100.00%"),
        ("f1", 0.0, "F1 0.00%"),
        ("log_loss", 0.12345, "log loss 0.1235"),
        ("roc_auc", 0.5, "ROC AUC 0.5000"),
        ("r2", -1.5, "R² -1.5000"),
        ("mae", 1234567.0, "MAE 1,234,567"),
        ("rmse", 0.00012345, "RMSE 0.0001234"),
        ("roc_auc", float("nan"), "ROC AUC –"),
    ],
)
def test_each_score_has_its_name_and_its_digits(score, number, expected) -> None:
    assert text(score, number) == expected


def test_a_score_that_is_not_defined_is_no_number() -> None:
    assert value("accuracy", float("nan")) == "–"


def test_the_score_that_counts_stands_beside_what_it_has_to_beat() -> None:
    found = of_classes({"no": (3, 4), "yes": (4, 4)}, constant=["no"] * 8, linear=["yes"] * 8)
    assert beside(found) == "accuracy 87.50% (larger class 50.00%, linear model 50.00%)"
    assert others(found, "y") == "balanced accuracy 87.50%, F1 of 'yes' 88.89%, loss 0.2500"
    assert beside(replace(found, baselines={})) == "accuracy 87.50%"


def test_errors_have_the_unit_of_their_values() -> None:
    truth = np.array([1.0, 2.0, 3.0, 6.0])
    own = Answers(np.full(4, 0.5), truth, truth + np.array([1, -1, 1, 1]), None)
    mean = replace(own, predicted=np.full(4, 3.0))
    dataset = Dataset("made", "array", np.zeros((4, 1)), truth, None)
    found = measured(own, ValueTarget((0.0,), (1.0,), "price"), dataset, {"constant": mean})
    assert beside(found) == "R² 0.7143 (mean 0.0000)"
    assert others(found, "price") == ("MAE 1, RMSE 1, loss 0.5000; errors are in units of price")


def test_rare_classes_are_named_and_of_very_many_some() -> None:
    one = of_classes({"well": (90, 95), "ill": (2, 5)})
    assert one.score_name == "balanced_accuracy"
    assert rare(one) == [
        "'ill' is rare: 5 of 100 samples, of which 40.00% are found (recall); 28.57% of what is "
        "called so is it (precision)."
    ]
    many = of_classes({"most": (400, 400), **{f"few {k}": (1, 1) for k in range(5)}})
    told = rare(many)
    assert [line.partition(" is")[0] for line in told[:3]] == ["'few 0'", "'few 1'", "'few 2'"]
    assert told[3:] == ["2 more classes are rare."]
    assert rare(of_classes({"no": (1, 3), "yes": (1, 3)})) == []


@pytest.mark.parametrize(
    ("constant", "linear", "expected"),
    [
        # The answers score 6 of 8; the first two of each are right.
        (["no"] * 8, ["no"] * 8, []),
        (
            ["no"] * 4 + ["yes"] * 4,
            ["no"] * 8,
            [
                "This is no better than always naming the larger class: nothing that helps was "
                "learned. To look for the reason: clearprop doctor run"
            ],
        ),
        (
            ["no"] * 8,
            ["no"] * 4 + ["yes"] * 2 + ["no"] * 2,  # as good is no better
            [
                "A linear model does as well or better. To look for the reason: clearprop doctor "
                "run; to have the linear model: clearprop train it --layers none"
            ],
        ),
    ],
    ids=["better than both", "no better than naming one", "no better than a line"],
)
def test_what_beats_nothing_is_doubted_with_what_to_type(constant, linear, expected) -> None:
    found = of_classes({"no": (3, 4), "yes": (3, 4)}, constant=constant, linear=linear)
    assert doubts(found, *DO) == expected


def test_a_linear_model_is_not_told_to_be_one() -> None:
    constant, linear = ["no"] * 8, ["no"] * 4 + ["yes"] * 2 + ["no"] * 2
    found = of_classes({"no": (3, 4), "yes": (3, 4)}, constant=constant, linear=linear)
    (told,) = doubts(found, DO[0], None)
    assert told == (
        "This is a linear model, and scikit-learn's does as well or better. To look for the "
        "reason: clearprop doctor run"
    )


def test_where_nothing_is_known_nothing_is_doubted() -> None:
    assert doubts(of_classes({"no": (0, 4), "yes": (0, 4)}), *DO) == []
