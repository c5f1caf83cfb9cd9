"""Engines, which train in the place of a network: itself, or one that does the same for less."""

from clearprop.training.engines.base import CompiledInputs, Engine, Weights
from clearprop.training.engines.rotated import RotatedEngine, basis_of
from clearprop.training.engines.sample_space import SampleSpaceEngine
from clearprop.training.engines.sparse import SparseEngine, SparseRows

__all__ = [
    "CompiledInputs",
    "Engine",
    "RotatedEngine",
    "SampleSpaceEngine",
    "SparseEngine",
    "SparseRows",
    "Weights",
    "basis_of",
]
