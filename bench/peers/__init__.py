"""Who is measured: one file a peer, loaded only in the process that measures it."""

from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench.peers.base import Peer

__all__ = [
    "CLEARPROP",
    "NUMPY_ALONE",
    "PEERS",
    "Entry",
    "Peer",
    "installed",
    "make",
    "version_of",
]


@dataclass(frozen=True)
class Entry:
    """A peer: its place, and the ways in which it can be used.

    Parameters
    ----------
    name : str
        The name in the tables.
    place : str
        "module:class".
    packages : tuple of str
        The distributions that it needs.
    ways : tuple of str
        Ways of using it, of which the fastest is taken, cell by cell. What it needs besides
        `packages` bears the way's name.
    is_clearprop : bool
        Whether it is clearprop: it chooses its threads itself, and is always measured on the whole
        training, because what it does once pays for all that follows.
    variables : tuple of (name, value)
        Environment variables of its processes.
    """

    name: str
    place: str
    packages: tuple[str, ...]
    ways: tuple[str, ...] = ("",)
    is_clearprop: bool = False
    variables: tuple[tuple[str, str], ...] = ()


def make(place: str, way: str) -> Any:
    """Import a `Peer`, or another `Contestant`, from its place and make it."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)(way)


def version_of(package: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


_FAST = ("numba",) if version_of("numba") else ()
CLEARPROP = Entry(
    "clearprop",
    "bench.peers.clearprop:Clearprop",
    ("clearprop", *_FAST),
    is_clearprop=True,
    # As for everybody: what compiles does so before the clock starts.
    variables=(("CLEARPROP_KERNELS", "compiled" if _FAST else "numpy"),),
)
NUMPY_ALONE = Entry(
    "NumPy alone",
    "bench.peers.clearprop:Clearprop",
    ("clearprop",),
    is_clearprop=True,
    variables=(("CLEARPROP_KERNELS", "numpy"),),
)
_LAYOUTS = ("", "channels last")
PEERS = (
    CLEARPROP,
    NUMPY_ALONE,
    Entry("floor", "bench.floor:Floor", ("numpy",)),
    Entry("published loop", "bench.peers.published:Published", ("numpy",)),
    Entry("scikit-learn", "bench.peers.sklearn:ScikitLearn", ("scikit-learn",)),
    Entry("PyTorch", "bench.peers.torch:PyTorch", ("torch",), _LAYOUTS),
    Entry("PyTorch compiled", "bench.peers.torch:Compiled", ("torch",), _LAYOUTS),
    Entry("JAX", "bench.peers.jax:Jax", ("jax",), ("step", "loop")),
    Entry("Keras", "bench.peers.keras:Keras", ("keras",), ("on jax", "on torch")),
)


def installed() -> tuple[Entry, ...]:
    """Return the peers, and their ways, whose packages are installed.

    Where there is no Numba, clearprop is NumPy alone, and not measured twice.
    """
    found = []
    for entry in PEERS:
        if all(map(version_of, entry.packages)) and (_FAST or entry is not NUMPY_ALONE):
            ways = [w for w in entry.ways if not w.startswith("on ") or version_of(w[3:])]
            found.append(replace(entry, ways=tuple(ways)))
    return tuple(entry for entry in found if entry.ways)
