"""Folds on the workers of a cluster against one process: ``python -m bench.folds_on_cluster``.

The cross-validation of digits in eight folds, [64, 512, 512, 10], batches of 128, of 5 epochs:
its time in this process, fold by fold with one thread, and by one and by two workers of one thread
that are there already. They take turns for some rounds, and each has its least time.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from clearprop.experiment import Settings, load_dataset
from clearprop.experiment.fold import FoldScores
from clearprop.experiment.fold_scores import CrossValidation, begin
from clearprop.training.units import Cluster, cluster_of

_FOLDS, _ROUNDS = 8, 15


def alone(whole: CrossValidation) -> list[FoldScores]:
    """Train without each fold here."""
    return [whole.score(place) for place in range(_FOLDS)]


def by_workers(workers: Cluster, whole: CrossValidation) -> list[FoldScores]:
    """Have workers train without each fold."""
    units = ((whole.label_of(place), place) for place in range(_FOLDS))
    return list(workers.each(CrossValidation.score, whole, units))


def main() -> None:
    """Measure each, and print it beside the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    rounds = parser.parse_args().rounds
    settings = Settings(
        data="digits", layers=(512, 512), epochs=5, batch_size=128, l2=0.0, validation="0.1"
    )
    whole = begin(settings, load_dataset(settings), _FOLDS)
    with ExitStack() as opened:
        cases: dict[str, Callable[[CrossValidation], list[FoldScores]]] = {"one process": alone}
        for count in (1, 2):
            workers = opened.enter_context(cluster_of(f"local:{count}"))
            if workers is not None:
                cases[f"workers: {count}"] = partial(by_workers, workers)
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, do in cases.items():
                began = time.perf_counter()
                do(whole)
                seconds[name].append(time.perf_counter() - began)
    least = {name: min(own) for name, own in seconds.items()}
    for name, own in least.items():
        print(f"{name:16}{own:8.2f} s{least['one process'] / own:8.2f} times as fast")


if __name__ == "__main__":
    main()
