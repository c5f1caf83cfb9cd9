"""Data in its raw form: read from files, built in, or generated."""

from clearprop.data.dataset import Dataset, Problem, Raw, describe
from clearprop.data.loading import load
from clearprop.data.splitting import hold_out
from clearprop.data.tables.table import Table

__all__ = ["Dataset", "Problem", "Raw", "Table", "describe", "hold_out", "load"]
