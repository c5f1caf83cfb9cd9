"""What one shard adds to an update."""

from dataclasses import dataclass

from clearprop.core.parameters import Array


@dataclass(frozen=True, eq=False)
class Part:
    """A shard's share of a batch's loss and gradient, or the sum of several.

    Parameters
    ----------
    loss : float
    gradient : ndarray, shape (P,)
    state : ndarray, shape (S,)
        Its share of what the layers keep, such as running means, after the update.
    """

    loss: float
    gradient: Array
    state: Array

    def plus(self, other: "Part") -> "Part":
        """Add another part, in the memory of this one."""
        self.gradient[...] += other.gradient
        self.state[...] += other.state
        return Part(self.loss + other.loss, self.gradient, self.state)
