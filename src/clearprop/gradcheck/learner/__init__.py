"""A learner's own file: run apart from everything else, and its backward pass checked."""

from clearprop.gradcheck.learner.layouts import Batch
from clearprop.gradcheck.learner.process import FileCheck, check_file, require_file

__all__ = ["Batch", "FileCheck", "check_file", "require_file"]
