"""Training: the loop, its batches, its history, and what may happen along the way."""

from clearprop.training.checkpoint import Checkpoint
from clearprop.training.history import History
from clearprop.training.progress import Forecast, ProgressLine
from clearprop.training.run import Callback, Run
from clearprop.training.stopping import EarlyStopping
from clearprop.training.trainer import Trainer

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "Forecast",
    "History",
    "ProgressLine",
    "Run",
    "Trainer",
]
