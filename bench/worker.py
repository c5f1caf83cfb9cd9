"""A process that measures one peer with one number of threads: JSON lines in, JSON lines out."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers import make


class Worker:
    """The commands that `bench.pool` sends, as methods that answer with JSON values.

    `bench.paired` sends them to workers of other versions, too: their names and what they take and
    answer stay as they are.

    Parameters
    ----------
    place, way : str
        The place and way of the peer.
    """

    def __init__(self, place: str, way: str) -> None:
        self.place = place
        self.way = way
        self.peer = make(place, way)

    def load(self, path: str) -> dict[str, Any]:
        """Read the task; say whether the peer can do it, and whether it is the same to it."""
        task = self.peer.read(Path(path))
        can = self.peer.can(task)
        if can:
            self.peer.load(task)
            self.peer.fresh()
            self.trained = 0
        return {"can": can, "differs": self.peer.differs(task)}

    def train(self, steps: int) -> dict[str, Any]:
        """Train from the first weights on, for so many updates."""
        self.peer.fresh()
        began = time.perf_counter()
        self.peer.train(0, steps)
        self.trained = steps
        return {"seconds": time.perf_counter() - began}

    def loss(self, steps: int) -> dict[str, Any]:
        """Say how large the loss of all samples is after so many updates."""
        if self.trained != steps:
            self.train(steps)
        return {"loss": self.peer.final_loss()}

    def predict(self, seconds: float) -> dict[str, Any]:
        """Predict the test samples again and again for about so long; return the time of one."""
        X = self.peer.task.X_test
        self.peer.predict(X)
        began, calls = time.perf_counter(), 0
        while (taken := time.perf_counter() - began) < seconds or not calls:
            self.peer.predict(X)
            calls += 1
        return {"seconds": taken / calls}

    def certainty(self) -> dict[str, Any]:
        """Return the mean logarithm of the largest probability of each test sample."""
        chances = self.peer.predict(self.peer.task.X_test)
        return {"certainty": float(np.log(chances.max(axis=1)).mean())}

    def learn(self, targets: list[float], limit: float) -> dict[str, Any]:
        """Train until the last target accuracy is reached on the test set, or time is up.

        The clock stands still while accuracy is measured.
        """
        peer, task = self.peer, self.peer.task
        taken, best = 0.0, 0.0
        reached: dict[str, float | None] = dict.fromkeys(map(str, targets))
        peer.fresh()
        began = time.perf_counter()

        def look() -> bool:
            nonlocal taken, best, began
            taken += time.perf_counter() - began
            accuracy = float(np.mean(peer.predict(task.X_test).argmax(axis=1) == task.y_test))
            best = max(best, accuracy)
            for target in targets:
                if accuracy >= target and reached[str(target)] is None:
                    reached[str(target)] = taken
            began = time.perf_counter()
            return taken >= limit or None not in reached.values()

        peer.learn(look)
        return {"reached": reached, "best": best, "seconds": taken}

    def drop(self) -> dict[str, Any]:
        """Let the data go."""
        self.peer = make(self.place, self.way)
        return {}

    def forget_peak(self) -> dict[str, Any]:
        """Have Linux measure the peak of memory from now on."""
        switch = Path("/proc/self/clear_refs")
        if switch.exists():
            switch.write_text("5", encoding="utf-8")
        return {}

    def memory(self) -> dict[str, Any]:
        """Say how many bytes of memory the process had at most; None where Linux is not."""
        status = Path("/proc/self/status")
        lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
        peak = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
        return {"bytes": peak[0] if peak else None}


def main() -> None:
    """Answer until the input ends."""
    # Libraries may print: what they say must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(*sys.argv[1:])
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            answer = getattr(worker, command)(**arguments)
        except Exception as error:  # noqa: BLE001, RUF100 - whatever a peer raises belongs in the report
            answer = {"error": f"{type(error).__name__}: {str(error)[:200]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
