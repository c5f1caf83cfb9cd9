"""Wrong gradients explained: the mistake that gives exactly these numbers, and its correction."""

from clearprop.gradcheck.diagnosis.mistakes import Diagnosis, Mistake, explain_error

__all__ = ["Diagnosis", "Mistake", "explain_error"]
