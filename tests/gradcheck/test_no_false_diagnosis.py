"""Right gradients and those of float32 are not taken for mistakes, nor hide one."""

import numpy as np
import pytest
from catalogue.learners import LEARNERS, load
from catalogue.trial import learners_subject

from clearprop.gradcheck import check_backward
from clearprop.gradcheck.diagnosis.diagnose import diagnose


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=str)
def test_right_gradients_have_no_mistake_even_if_they_are_called_wrong(learner):
    subject = learners_subject(learner)
    right = subject.gradients(subject.parameters)
    assert diagnose(subject, right, right, []) is None
    diagnosis = diagnose(subject, right, right, list(right)[::-1])
    assert diagnosis.cause == "rounding"


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=str)
def test_rounding_of_float32_is_called_that(learner):
    subject = learners_subject(learner)
    right = subject.gradients(subject.parameters)
    single = {name: gradient.astype(np.float32) for name, gradient in right.items()}
    assert diagnose(subject, right, single, list(right)[::-1]).cause == "float32"


def test_a_mistake_in_float32_is_named():
    def in_single(parameters):
        return {name: array.astype(np.float32) for name, array in parameters.items()}

    learner = LEARNERS["three_layers_sigmoid"]
    module = load(learner.changed(("dW2 = dz2 @ a1.T / m", "dW2 = dz2 @ a1.T")))
    X, Y = (array.astype(np.float32) for array in learner.data(learner.samples))
    report = check_backward(
        lambda parameters: module.cost(X, Y, in_single(parameters)),
        lambda parameters: module.gradients(X, Y, in_single(parameters)),
        learner.parameters(),
        X=X,
        Y=Y,
    )
    assert [mistake.cause for mistake in report.diagnosis.mistakes] == ["mean_missing"]
