"""Gradients checked: analytical against numerical ones, and the first wrong one named."""

from clearprop.gradcheck.check import check_backward
from clearprop.gradcheck.networks import check_gradients, check_layer, check_loss
from clearprop.gradcheck.report import Report, Row
from clearprop.gradcheck.seeing.live import Watch
from clearprop.gradcheck.subject import Subject

__all__ = [
    "Report",
    "Row",
    "Subject",
    "Watch",
    "check_backward",
    "check_gradients",
    "check_layer",
    "check_loss",
]
