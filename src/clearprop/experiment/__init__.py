"""A whole experiment: from settings and data to a trained model, its measure and its pictures."""

from clearprop.experiment.evaluation import ClassReport, Evaluation, Mistake, evaluate
from clearprop.experiment.learning import Trained, learn
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.measuring import Measured, measure, measure_anew
from clearprop.experiment.settings import Settings, read_settings, settings_in
from clearprop.experiment.task import Task, set_task

__all__ = [
    "ClassReport",
    "Evaluation",
    "Measured",
    "Mistake",
    "Settings",
    "Task",
    "Trained",
    "evaluate",
    "learn",
    "load_dataset",
    "measure",
    "measure_anew",
    "read_settings",
    "set_task",
    "settings_in",
]
