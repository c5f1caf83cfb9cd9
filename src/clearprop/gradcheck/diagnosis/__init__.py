"""Wrong gradients explained: the mistake that gives exactly these numbers, and its correction."""

from clearprop.gradcheck.diagnosis.mistakes import Diagnosis, Mistake

__all__ = ["Diagnosis", "Mistake"]
