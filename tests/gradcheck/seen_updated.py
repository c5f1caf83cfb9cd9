"""Programs whose updates are looked for, for tests."""

import textwrap

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, recording
from clearprop.gradcheck.seeing.judging.episodes import episodes
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.modules import StandInNumpy, StandInRandom, stand_in_sum
from clearprop.gradcheck.seeing.tape import Tape

DATA = """
np.random.seed(0)
X, Y = np.random.randn(5, 3), np.random.randn(5, 2)
W = np.random.randn(3, 2)
"""


class Seen:
    """What a program did: its tape, its updates, and the values that it began with."""

    def __init__(self, text):
        stand_ins = {
            "np": StandInNumpy(lambda *_: np.ones(3)),
            "random": StandInRandom(),
            "sum": stand_in_sum,
            "keep": self._keep,
        }
        self.kept = {}
        self.text = DATA + textwrap.dedent(text)
        with recording(Tape(["watched.py"])) as self.tape:
            self.names = dict(stand_ins)
            exec(compile(self.text, "watched.py", "exec"), self.names)  # noqa: S102 - from below
            self.updates = find_updates(self.tape)
            self.ends = {
                name: node_of(value)
                for name, value in self.names.items()
                if type(value) is Watched and value.dtype == np.float64
            }
        self.episodes = list(episodes(self.tape, self.updates))

    def _keep(self, **arrays):
        """Remember gradients as they are now."""
        for name, array in arrays.items():
            self.kept.setdefault(name, []).append(node_of(array))

    @property
    def lines(self):
        """The lines of the updates, each once, in their order."""
        numbers = dict.fromkeys(one.result.line.number for one in self.updates)
        return [self.text.split("\n")[number - 1].strip() for number in numbers]
