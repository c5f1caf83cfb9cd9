"""``python -m bench.tables TABLE.csv ...``: networks of tables in Python, beside others.

Each table, whose column of truth is ``target``, is divided by scikit-learn's `train_test_split`
with a quarter held out and the random states 0 to 4, classes in proportion; one of more than 20,000
rows with the state 0 alone. Each model learns in a process of its own by two threads, and the
process is timed as a whole, imports included. Those who take no gaps get the means, those who take
no categories one column for each, those who need it a scaler; RealMLP-TD is pytabkit's, where it is
installed, for accuracy and for log loss, and so is its simpler form TD-S. What `RESULTS` holds
already is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import train_test_split

from bench.machine import facts
from clearprop.files.written import write_text

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("tables.json")
ONE = "--one"  # what a process of its own is called with
MEMBERS = 8
MOST_ROWS = 20_000
SPLITS = 5
OURS, REALMLP = "clearprop", "RealMLP-TD"
MOST_CLASSES = 20  # whole numbers up to which a target is one of classes

Figures = dict[str, dict[str, dict[str, float]]]
"""Measures by their names, of each split, of each model."""


def _ours(task: str, **others: Any) -> Any:
    import clearprop as cp

    kind = cp.TableRegressor if task == "values" else cp.TableClassifier
    return kind(random_state=0, **others)


def _for_log_loss(task: str) -> Any:
    return _ours(task, scoring="log_loss") if task == "classes" else None


def _realmlp(task: str, **others: Any) -> Any:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Regressor if task == "values" else RealMLP_TD_Classifier
    return kind(random_state=0, device="cpu", n_threads=2, **others)


def _realmlp_for_log_loss(task: str) -> Any:
    if task == "values":
        return None
    return _realmlp(task, use_ls=False, val_metric_name="cross_entropy")


def _simple_realmlp(task: str) -> Any:
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    kind = RealMLP_TD_S_Regressor if task == "values" else RealMLP_TD_S_Classifier
    return kind(random_state=0, device="cpu", n_threads=2)


def _behind_scaler(task: str, classes: Any, values: Any) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_column_selector(dtype_include="number")
    others = make_column_selector(dtype_exclude="number")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), others),
    )
    return make_pipeline(columns, values if task == "values" else classes)


def _mlp(task: str) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return _behind_scaler(task, MLPClassifier(random_state=0), MLPRegressor(random_state=0))


def _forest(task: str) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    made = RandomForestClassifier(random_state=0), RandomForestRegressor(random_state=0)
    return _behind_scaler(task, *made)


def _boosted(task: str) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if task == "values" else HistGradientBoostingClassifier
    return kind(categorical_features="from_dtype", random_state=0)


def _linear(task: str) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return _behind_scaler(task, LogisticRegression(max_iter=1000), Ridge())


MODELS: dict[str, Callable[[str], Any]] = {
    OURS: _ours,
    "clearprop, 8 members": lambda task: _ours(task, members=MEMBERS),
    "clearprop for log loss": _for_log_loss,
    "RealMLP-TD": _realmlp,
    "RealMLP-TD for log loss": _realmlp_for_log_loss,
    "RealMLP-TD-S": _simple_realmlp,
    "MLP": _mlp,
    "random forest": _forest,
    "boosted trees": _boosted,
    "linear": _linear,
}


def one(model: str, path: str, state: int) -> dict[str, float] | None:
    """Let a model learn a part of a table, and return its scores on the other."""
    warnings.simplefilter("ignore")
    table = pd.read_csv(path)
    target = table.pop("target")
    values = target.dtype.kind == "f" or (
        target.dtype.kind in "iu" and target.nunique() > MOST_CLASSES
    )
    task = "values" if values else "classes"
    made = MODELS[model](task)
    if made is None:
        return None
    if model.startswith(REALMLP) or model == "boosted trees":
        words = table.select_dtypes(exclude="number").columns
        table[words] = table[words].astype("category")
    if model.startswith(REALMLP):
        table = table.fillna(table.mean(numeric_only=True))
    X, Z, y, z = train_test_split(
        table, target, test_size=0.25, random_state=state, stratify=None if values else target
    )
    made.fit(X, y)
    answers = made.predict(Z)
    if values:
        return {"r2": float(r2_score(z, answers))}
    probabilities = made.predict_proba(Z)
    return {
        "accuracy": float(accuracy_score(z, answers)),
        "log_loss": float(log_loss(z, probabilities, labels=made.classes_)),
    }


def measured(model: str, path: Path, state: int) -> dict[str, float] | None:
    """Run `one` in a process of its own; None where the model is not there, or not for the task."""
    threads = {f"{name}_NUM_THREADS": "2" for name in ("OMP", "OPENBLAS", "MKL")}
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very file
        [sys.executable, "-m", "bench.tables", ONE, model, str(path), str(state)],
        cwd=ROOT,
        env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        print(f"{model}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return None if found is None else {**found, "seconds": seconds}


def text_of(results: dict[str, Figures]) -> str:
    """Write the means over each table's splits as tables in Markdown, and what they come to."""
    parts = [summary_of(results)]
    for measure in ("accuracy", "log_loss", "r2", "seconds"):
        rows = []
        for table in results:
            means = means_of(results, measure, table)
            if means:
                cells = [f"{means[name]:.4g}" if name in means else "–" for name in MODELS]
                rows.append(f"| {table} | {' | '.join(cells)} |")
        head = f"| {measure.replace('_', ' ')} | {' | '.join(MODELS)} |"
        parts.append("\n".join([head, "| --- |" + " ---: |" * len(MODELS), *rows]))
    return "\n\n".join(parts)


def means_of(results: dict[str, Figures], measure: str, table: str) -> dict[str, float]:
    """Return the mean of a measure over a table's splits, of each model that has answered all.

    Where a machine was busy with other things, a split may have scores and no seconds.
    """
    of_all = max(map(len, results[table].values()))
    found = {}
    for model, of in results[table].items():
        values = [split[measure] for split in of.values() if measure in split]
        if values and len(of) == of_all:
            found[model] = float(np.mean(values))
    return found


def summary_of(results: dict[str, Figures]) -> str:
    """Write a row for each model: its means over all splits, its mean rank, its time."""
    measured: dict[str, dict[str, dict[tuple[str, str], float]]] = {}
    for table, figures in results.items():
        for model, of in figures.items():
            for state, split in of.items():
                for measure, value in split.items():
                    measured.setdefault(measure, {}).setdefault(model, {})[table, state] = value
    rows = ["| | accuracy | R² | log loss | mean rank | time |", "| --- |" + " ---: |" * 5]
    ranks = ranks_of(results)
    for model in MODELS:
        cells = [mean_of(measured, measure, model) for measure in ("accuracy", "r2", "log_loss")]
        ours, theirs = (measured.get("seconds", {}).get(name, {}) for name in (OURS, model))
        shared = sorted(set(ours) & set(theirs))
        ratio = geometric_mean([theirs[one] / ours[one] for one in shared]) if shared else None
        cells.append("–" if model not in ranks else f"{ranks[model]:.2f}")
        cells.append("–" if ratio is None else f"{ratio:.2f} ×")
        rows.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(rows)


def mean_of(measured: dict[str, Any], measure: str, model: str) -> str:
    """Write the mean of a measure over all splits, and its difference from ours, paired."""
    theirs, ours = (measured.get(measure, {}).get(name, {}) for name in (model, OURS))
    if not theirs:
        return "–"
    told = f"{np.mean(list(theirs.values())):.4f}"
    differences = [ours[one] - theirs[one] for one in sorted(set(ours) & set(theirs))]
    if model == OURS or len(differences) < 2:
        return told
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return f"{told} (ours {np.mean(differences):+.4f} ± {error:.4f})"


def ranks_of(results: dict[str, Figures]) -> dict[str, float]:
    """Return each model's mean rank over the tables, by mean accuracy or R²."""
    ranks: dict[str, list[float]] = {}
    for table in results:
        means = means_of(results, "accuracy", table) or means_of(results, "r2", table)
        means = {name: value for name, value in means.items() if "log loss" not in name}
        for name, rank in zip(means, rankdata([-value for value in means.values()]), strict=True):
            ranks.setdefault(name, []).append(float(rank))
    return {name: float(np.mean(of)) for name, of in ranks.items()}


def members(path: Path) -> str:
    """Compare the training of members at once with one after the other, and with bare products."""
    import clearprop as cp
    from clearprop.training.together import together

    table = pd.read_csv(path)
    target = table.pop("target")

    def seconds(do: Callable[[], object]) -> float:
        began = time.perf_counter()
        do()
        return time.perf_counter() - began

    def fitted(**others: Any) -> Any:
        return cp.TableClassifier(random_state=0, **others).fit(table, target)

    network = fitted(members=1, max_iter=2).networks_[0]
    learned = len(table) - len(table) // SPLITS
    size = min(256, learned)
    random = np.random.RandomState(0)
    shapes = [array.shape for name, array in network.parameters.items() if name.endswith(".W")]
    products = [
        tuple(random.normal(size=of).astype(np.float32) for of in ((size, m), (m, n), (size, n)))
        for m, n in shapes
    ]

    def multiply() -> None:
        for _ in range(256 * (learned // size)):
            for x, w, dy in products:
                x @ w, x.T @ dy, dy @ w.T

    at_once = seconds(lambda: fitted(members=MEMBERS))
    single = seconds(lambda: [fitted(members=1) for _ in range(MEMBERS)])
    by_one = seconds(lambda: [fitted(members=1, threads=1) for _ in range(MEMBERS)])
    bare = seconds(lambda: together([multiply] * MEMBERS))
    return (
        f"{path.stem}: {MEMBERS} members at once {at_once:.2f} s; one after the other, each by two "
        f"threads {single:.2f} s, each by one {by_one:.2f} s; their bare products {bare:.2f} s"
    )


def main() -> None:
    """Measure what is missing, write it down, and print it all."""
    parser = argparse.ArgumentParser(prog="python -m bench.tables")
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="MODEL"
    )
    parser.add_argument("--members", action="store_true", help="of ensembles, in this process")
    arguments = parser.parse_args()
    if arguments.members:
        print("\n".join(map(members, arguments.tables)))
        return
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results: dict[str, Figures] = kept.get("tables", {})
    for path in arguments.tables:
        rows = sum(1 for _ in path.open()) - 1
        figures = results.setdefault(path.stem, {})
        for state in range(1 if rows > MOST_ROWS else arguments.splits):
            for model in arguments.models:
                if str(state) in figures.setdefault(model, {}):
                    continue
                found = measured(model, path.resolve(), state)
                if found is not None:
                    figures[model][str(state)] = found
                    said = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
                    print(f"{path.stem} {state} {model}: {said}", file=sys.stderr)
        write_text(RESULTS, json.dumps({"machine": facts(), "tables": results}, indent=1) + "\n")
    print(text_of(results))


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        print(json.dumps(one(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        main()
