"""A whole experiment: from settings and data to a trained model, its measure and its pictures."""

from clearprop.experiment.evaluation import ClassReport, Evaluation, Mistake, evaluate
from clearprop.experiment.learning import Task, Trained, learn, load_dataset, set_task
from clearprop.experiment.settings import Settings, read_settings, settings_in

__all__ = [
    "ClassReport",
    "Evaluation",
    "Mistake",
    "Settings",
    "Task",
    "Trained",
    "evaluate",
    "learn",
    "load_dataset",
    "read_settings",
    "set_task",
    "settings_in",
]
