"""Wrong gradients explained: the mistake that gives exactly these numbers, and its correction."""

from clearprop.gradcheck.diagnosis.diagnose import diagnose
from clearprop.gradcheck.diagnosis.mistakes import Diagnosis, Mistake, explain_error

__all__ = ["Diagnosis", "Mistake", "diagnose", "explain_error"]
