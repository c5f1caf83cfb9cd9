"""Data in its raw form: read from files, built in, or generated."""

from clearprop.data.dataset import Dataset, Problem, describe
from clearprop.data.loading import load
from clearprop.data.splitting import hold_out
from clearprop.data.table import Table

__all__ = ["Dataset", "Problem", "Table", "describe", "hold_out", "load"]
