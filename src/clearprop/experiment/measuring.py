"""The measures of a trained model, each on the samples that it is due to."""

from dataclasses import dataclass, replace
from typing import Literal

from clearprop.configuration import Json
from clearprop.data import Dataset
from clearprop.experiment import baselines
from clearprop.experiment.answers import Answers, answers_of
from clearprop.experiment.cross_validation import OutOfFold, cross_validate
from clearprop.experiment.evaluation import Evaluation, evaluate, measured
from clearprop.experiment.explaining import importance_of_run
from clearprop.experiment.learning import Trained
from clearprop.experiment.task import Task
from clearprop.explain import Importance
from clearprop.files.models import Model

Part = Literal["test", "folds", "validation", "train"]


@dataclass(frozen=True)
class Measured:
    """A trained model, and its measures on the parts of its data.

    Parameters
    ----------
    model : Model
        The model, with what it has to beat beside it.
    parts : dict of str to Evaluation
        Of ``test``, or ``folds`` where every sample was held out once: the score. Of
        ``validation``, whose samples have chosen the epoch, and of ``train``: none. In this order.
    scored : Dataset or None
        The samples that give the score.
    importance : Importance or None
        The importance of each column of a table, where it was asked for.
    """

    model: Model
    parts: dict[Part, Evaluation]
    scored: Dataset | None
    importance: Importance | None = None

    @property
    def score(self) -> Evaluation | None:
        """The measure on samples that were neither learned from nor have chosen anything."""
        return self.parts.get("test") or self.parts.get("folds")

    def to_json(self) -> dict[str, Json]:
        """Describe the scores of every part in JSON values, and what is known of columns."""
        told: dict[str, Json] = {name: one.scores_to_json() for name, one in self.parts.items()}
        if self.importance is not None:
            told["importance"] = self.importance.to_json()
        return told

    def with_importance(self, task: Task) -> "Measured":
        """Return the same, with the importance of each column of a task's table."""
        return replace(self, importance=importance_of_run(task, self.model))


def beside_baselines(trained: Trained) -> Model:
    """Return a trained model with what it has to beat: the constant answer and a linear model."""
    constant: Json = list(baselines.constant_of(trained.task.train, trained.task.network.loss))
    return replace(
        trained.model,
        training={**trained.model.training, "constant": constant},
        linear=baselines.fit_linear(trained.task),
    )


def measure(trained: Trained) -> Measured:
    """Measure a trained model, and fit what it has to beat."""
    task, model = trained.task, beside_baselines(trained)
    parts: dict[Part, Evaluation] = {}
    if task.test is not None:
        parts["test"] = evaluate(model, task.test)
    scored = task.test
    if trained.out_of_fold is not None:
        parts["folds"], fold = measure_folds(task, trained.out_of_fold)
        scored = scored or fold
    if task.validation is not None:
        parts["validation"] = replace(evaluate(model, task.validation), covered=None)
    learned = task.train.in_memory()
    known = answers_of(task.network, task.recipe, learned)
    parts["train"] = replace(measured(known, task.recipe.target, learned, {}), covered=None)
    found = Measured(model, parts, scored)
    if (score := found.score) is None:
        return found
    told = {**model.training, "score": score.scores_to_json()}
    return replace(found, model=replace(model, training=told))


def measure_anew(task: Task, model: Model) -> tuple[Evaluation | None, Dataset | None]:
    """Measure a model of a task on what gives its score, and return that, too."""
    if task.settings.folds and task.test is None:
        return measure_folds(task, cross_validate(task))
    scored = task.test or task.validation
    return None if scored is None else evaluate(model, scored), scored


def measure_folds(task: Task, found: OutOfFold) -> tuple[Evaluation, Dataset]:
    """Measure the answers of a cross-validation, beside those of baselines that know as much."""
    pairs = [_to_beat(one, fold) for one, fold in found.trials]
    to_beat = {"constant": Answers.joined([one for one, _ in pairs])}
    lines = [line for _, line in pairs if line is not None]
    if len(lines) == len(pairs):
        to_beat["linear"] = Answers.joined(lines)
    scored = task.train.take(found.rows)
    target = task.recipe.target if found.threshold is None else found.threshold.target
    return measured(found.answers, target, scored, to_beat), scored


def _to_beat(task: Task, fold: Dataset) -> tuple[Answers, Answers | None]:
    line = baselines.fit_linear(task)
    return (
        baselines.constant_answers(
            baselines.constant_of(task.train, task.network.loss), task.network, task.recipe, fold
        ),
        None if line is None else baselines.linear_answers(line, task.recipe, fold),
    )
