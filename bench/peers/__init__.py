"""Who is measured: one file a peer, loaded only in the process that measures it."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from bench.peers.base import Peer

__all__ = ["PEERS", "Entry", "Peer", "installed", "version_of"]


@dataclass(frozen=True)
class Entry:
    """Where a peer is found, and how it can be used.

    Parameters
    ----------
    name : str
        What the tables call it.
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
    """

    name: str
    place: str
    packages: tuple[str, ...]
    ways: tuple[str, ...] = ("",)
    is_clearprop: bool = False

    def make(self, way: str) -> Peer:
        """Import and make it."""
        module, _, name = self.place.partition(":")
        peer: Peer = getattr(import_module(module), name)(way)
        return peer


CLEARPROP = Entry("clearprop", "bench.peers.clearprop:Clearprop", ("clearprop",), is_clearprop=True)
PEERS = (
    CLEARPROP,
    Entry(
        "NumPy alone",
        "bench.peers.clearprop:NumpyAlone",
        ("clearprop", "numba"),  # where there is no Numba, clearprop is that already
        is_clearprop=True,
    ),
    Entry("floor", "bench.floor:Floor", ("numpy",)),
    Entry("published loop", "bench.peers.published:Published", ("numpy",)),
    Entry("scikit-learn", "bench.peers.sklearn:ScikitLearn", ("scikit-learn",)),
    Entry("PyTorch", "bench.peers.torch:PyTorch", ("torch",)),
    Entry("PyTorch compiled", "bench.peers.torch:Compiled", ("torch",)),
    Entry("JAX", "bench.peers.jax:Jax", ("jax",), ("step", "loop")),
    Entry("Keras", "bench.peers.keras:Keras", ("keras",), ("on jax", "on torch")),
)


def installed() -> tuple[Entry, ...]:
    """Return the peers, and their ways, whose packages are installed."""
    found = []
    for entry in PEERS:
        if all(map(version_of, entry.packages)):
            ways = [w for w in entry.ways if not w.startswith("on ") or version_of(w[3:])]
            found.append(
                Entry(entry.name, entry.place, entry.packages, tuple(ways), entry.is_clearprop)
            )
    return tuple(entry for entry in found if entry.ways)


def version_of(package: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
