"""A learner's network under check, and what the checker says of a planted mistake."""

from dataclasses import dataclass
from functools import cache
from types import ModuleType

from catalogue.learners import Learner, load
from catalogue.mistakes import Planted

from clearprop.gradcheck import Report, Subject, check_backward
from clearprop.gradcheck.subject import Arrays


def learners_subject(learner: Learner) -> Subject:
    """Bring a learner's file, as it stands, into the form that is diagnosed."""
    module = load(learner.source)
    X, Y = learner.data(learner.samples)

    def gradients(parameters: Arrays) -> Arrays:
        found = module.gradients(X, Y, parameters)
        named = {name.removeprefix("d"): gradient for name, gradient in found.items()}
        return {name: named[name] for name in parameters}

    return Subject(
        cost=lambda parameters: module.cost(X, Y, parameters),
        gradients=gradients,
        parameters=learner.parameters(),
        X=X,
        Y=Y,
    )


@dataclass(frozen=True)
class Outcome:
    """Whether it was found, in which parameter first, and what it was called."""

    found: bool
    first: str | None
    parameter: str | None
    causes: tuple[str, ...]
    others: str  # what would give the same numbers as the first cause
    text: str

    @property
    def cause(self) -> str | None:
        return self.causes[0] if self.causes else None


def check(module: ModuleType, learner: Learner, samples: int) -> Report:
    """Check a learner's file on random data and parameters."""
    X, Y = learner.data(samples)
    return check_backward(
        lambda parameters: module.cost(X, Y, parameters),
        lambda parameters: module.gradients(X, Y, parameters),
        learner.parameters(),
        X=X,
        Y=Y,
    )


@cache
def outcome(planted: Planted) -> Outcome:
    """Check a learner's file with the mistake in it."""
    report = check(load(planted.source), planted.learner, planted.samples)
    diagnosis = report.diagnosis
    causes = tuple(mistake.cause for mistake in diagnosis.mistakes) if diagnosis else ()
    return Outcome(
        found=not report.passed,
        first=report.wrong[0].parameter if report.wrong else None,
        parameter=diagnosis.parameter if diagnosis else None,
        causes=causes,
        others="; ".join(diagnosis.mistakes[0].others if causes else ()),
        text=str(report),
    )
