"""Wrong gradients explained: the mistake that gives exactly these numbers, and its correction."""

from clearprop.gradcheck.diagnosis.diagnose import diagnose
from clearprop.gradcheck.diagnosis.diagnosis import Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.raised import explain_error

__all__ = ["Diagnosis", "Mistake", "diagnose", "explain_error"]
