"""Learning rates that were set by hand: what a history tells of them, and runs that go on so."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from clearprop.optimizers import Optimizer
from clearprop.training import Callback, Run

_RATE = "learning_rate"


def rates_by_hand(
    rows: Sequence[dict[str, float]], optimizer: Optimizer
) -> Iterator[tuple[int, float]]:
    """Give each learning rate that was not the optimizer's own, and the first epoch that has it.

    Parameters
    ----------
    rows : sequence of dict
        The history.
    optimizer : Optimizer
        The one that the settings describe.
    """
    before: float | None = None
    for row in rows:
        if _RATE not in row:
            continue
        found = row[_RATE]
        own = found == optimizer.rate(int(row["step"]) - 1)
        if not own and found != before:
            yield int(row["epoch"]), found
        before = None if own else found


def in_words(rows: Sequence[dict[str, float]], optimizer: Optimizer) -> list[str]:
    """Say which learning rates were set by hand, if any were: a sentence, or none."""
    found = [f"{rate:g} from epoch {epoch:,} on" for epoch, rate in rates_by_hand(rows, optimizer)]
    if not found:
        return []
    return [
        f"The learning rate was set by hand, to {', to '.join(found)}: these numbers are not what "
        "the settings alone give."
    ]


class GoOnByHand(Callback):
    """Lets a resumed run keep the learning rate that was set by hand before, and says so."""

    def on_train_begin(self, run: Run) -> None:
        """Look at the history that the run goes on from."""
        rows, optimizer = run.history.rows, run.optimizer
        said = in_words(rows, optimizer)
        if not said:
            return
        run.remarks.extend(said)
        last = rows[-1]
        if last[_RATE] != optimizer.rate(int(last["step"]) - 1):
            run.optimizer = replace(optimizer, learning_rate=last[_RATE])
            run.remarks.append(f"It goes on with {last[_RATE]:g}.")
