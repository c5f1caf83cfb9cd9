"""``python -m bench.defaults TABLE.csv ...``: how good a training is of which nothing was said.

Each table is divided five times, a fifth held out at random, classes in proportion. What a file of
the other rows trains by default, folds or validation included, is asked for the rows held out, and
so are scikit-learn's default `MLPClassifier` or `MLPRegressor`, logistic or ridge regression,
boosted trees, and the larger class or the mean. To these, numbers come with the median for missing
ones and standardised, all else one-hot with missing as a category. With ``--against PATH`` another
checkout takes part. What `RESULTS` holds already is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bench.machine import facts
from clearprop.data import load
from clearprop.files.written import write_text

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("defaults.json")
SPLITS = 5
ANSWER = "--answer"  # what a process of its own is called with
TRAIN, TEST, ANSWERS = "train.csv", "test.csv", "answers.json"
NOW, BEFORE, MLP, LINEAR, CONSTANT = "clearprop", "before", "MLP", "linear", "constant"
TREES = "boosted trees"
SCALED = "MLP of scaled values"
BORDER = 2.0  # standard errors of a paired difference, beyond which it is no chance

Figures = dict[str, list[float]]
"""Measures of a model by their names, each with a number for each split."""


def answer(folder: str) -> None:
    """Train on the file of each split as by default, save the model, and ask it for the others."""
    from clearprop.experiment import Settings, learn, load_dataset, set_task
    from clearprop.files.models import Model, save
    from clearprop.files.models import load as load_model

    all_serve: dict[str, Any] = {"test": "0"} if hasattr(Settings, "test") else {}
    for seed in range(SPLITS):
        split = Path(folder) / str(seed)
        settings = Settings(data=str(split / TRAIN), seed=seed, **all_serve)
        began = time.process_time()
        trained = learn(set_task(settings, load_dataset(settings)))
        seconds = time.process_time() - began
        save(split / "model.safetensors", trained.model)
        model: Model = load_model(split / "model.safetensors")
        names = model.class_names
        found = (model.predict if names is None else model.predict_proba)(split / TEST)
        told = {"names": names, "answers": found.tolist(), "seconds": seconds}
        write_text(split / ANSWERS, json.dumps(told))


class Split:
    """A table's rows, divided: files for clearprop, frames for scikit-learn.

    Parameters
    ----------
    table : Path
    target : str
    is_classes : bool
    seed : int
    folder : Path
        A place for files, to be made.
    """

    def __init__(self, table: Path, target: str, is_classes: bool, seed: int, folder: Path) -> None:
        text = pd.read_csv(table, dtype=str, keep_default_na=False)
        frame = pd.read_csv(table)
        y = text[target] if is_classes else frame[target]
        known, asked = train_test_split(
            np.arange(len(text)),
            test_size=0.2,
            random_state=seed,
            stratify=y if is_classes else None,
        )
        self.seed, self.is_classes, self.folder = seed, is_classes, folder
        self.X, self.y = frame.drop(columns=target).iloc[known], y.iloc[known]
        self.Z, self.truth = frame.drop(columns=target).iloc[asked], y.iloc[asked]
        folder.mkdir()
        text.iloc[known].to_csv(folder / TRAIN, index=False)
        text.iloc[asked].drop(columns=target).to_csv(folder / TEST, index=False)

    def by_peer(self, model: str) -> dict[str, float]:
        """Measure a model of scikit-learn."""
        fitted = self._peers()[model]
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of iterations that don't suffice: it is the default
            fitted.fit(self.X, self.y)
            seconds = time.process_time() - began
            if self.is_classes:
                return self._scores(fitted.predict_proba(self.Z), list(fitted.classes_), seconds)
            return self._scores(fitted.predict(self.Z), None, seconds)

    def by_answers(self) -> dict[str, float]:
        """Measure the answers that were written beside the split."""
        told = json.loads((self.folder / ANSWERS).read_text(encoding="utf-8"))
        if (told["names"] is not None) != self.is_classes:
            raise SystemExit("A part of the table is understood as another task than the whole.")
        return self._scores(np.array(told["answers"], np.float64), told["names"], told["seconds"])

    def _scores(self, found: Any, names: list[str] | None, seconds: float) -> dict[str, float]:
        if names is None:
            scores = {
                "R²": r2_score(self.truth, found),
                "RMSE": root_mean_squared_error(self.truth, found),
            }
        else:
            order = np.argsort(names)
            ordered, shares = np.array(names)[order], found[:, order]
            shares = shares / shares.sum(axis=1, keepdims=True)
            scores = {
                "accuracy": accuracy_score(self.truth, ordered[shares.argmax(axis=1)]),
                "log loss": log_loss(self.truth, shares, labels=ordered),
            }
        return {name: float(value) for name, value in scores.items()} | {"seconds": seconds}

    def _peers(self) -> dict[str, Any]:
        numeric = self.X.select_dtypes("number").columns
        others = [name for name in self.X.columns if name not in numeric]
        prepare = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(numeric)),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), others),
        )
        if self.is_classes:
            return {
                MLP: make_pipeline(prepare, MLPClassifier(random_state=self.seed)),
                LINEAR: make_pipeline(prepare, LogisticRegression(max_iter=1000)),
                CONSTANT: DummyClassifier(strategy="prior"),
                TREES: make_pipeline(
                    prepare, HistGradientBoostingClassifier(random_state=self.seed)
                ),
            }
        net = make_pipeline(prepare, MLPRegressor(random_state=self.seed))
        return {
            MLP: net,
            SCALED: TransformedTargetRegressor(net, transformer=StandardScaler()),
            LINEAR: make_pipeline(prepare, Ridge()),
            CONSTANT: DummyRegressor(),
            TREES: make_pipeline(prepare, HistGradientBoostingRegressor(random_state=self.seed)),
        }


def measure(table: Path, done: dict[str, Any], checkouts: Mapping[str, Path]) -> Any:
    """Measure a table by all that have not been, and yield what is known after each."""
    dataset = load(table)
    is_classes = dataset.class_names is not None
    done |= {"rows": len(dataset), "kind": "classes" if is_classes else "values"}
    figures: dict[str, Figures] = done.setdefault("models", {})
    models = [CONSTANT, LINEAR, MLP, *([] if is_classes else [SCALED]), TREES, *checkouts]
    missing = [model for model in models if model not in figures]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as name:
        root, target = Path(name), dataset.target_name or ""
        splits = [
            Split(table, target, is_classes, seed, root / str(seed)) for seed in range(SPLITS)
        ]
        for model in missing:
            if model in checkouts:
                _answered(checkouts[model], root)
            each = [
                one.by_answers() if model in checkouts else one.by_peer(model) for one in splits
            ]
            figures[model] = {name: [round(one[name], 5) for one in each] for name in each[0]}
            yield model


def _answered(checkout: Path, root: Path) -> None:
    """Let a checkout answer for all splits, by a process that imports it."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.defaults", ANSWER, str(root)]
    way = os.environ | {"PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{ROOT}"}
    subprocess.run(command, check=True, env=way, cwd=root)  # noqa: S603 - this very file


def difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Return the mean of paired differences, and its standard error."""
    apart = np.subtract(ours, theirs)
    return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(len(apart)))


def report(tables: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return Markdown: means and their standard errors, and who is below what it has to beat."""
    lines: list[str] = []
    for kind, measures in (
        ("classes", ("accuracy", "log loss", "seconds")),
        ("values", ("R²", "RMSE", "seconds")),
    ):
        chosen = {name: tables[name] for name in names if tables[name]["kind"] == kind}
        for measure in measures if chosen else ():
            lines += ["", f"**{measure}**", "", *_grid(chosen, measure)]
    for name in names:
        models = tables[name]["models"]
        measure = "accuracy" if tables[name]["kind"] == "classes" else "R²"
        for other in (CONSTANT, LINEAR):
            mean, error = difference(models[NOW][measure], models[other][measure])
            if mean < -BORDER * error:
                lines += ["", f"{name} is below {other}: {measure} {mean:+.4f} ± {error:.4f}."]
    return "\n".join(lines)


def _grid(tables: Mapping[str, Any], measure: str) -> list[str]:
    models = list(dict.fromkeys(model for one in tables.values() for model in one["models"]))
    models = [one for one in (BEFORE, NOW, MLP, SCALED, LINEAR, CONSTANT, TREES) if one in models]
    digits = {"seconds": 1, "RMSE": 2}.get(measure, 3)
    rows = [["table", "rows", *models], ["---", *("---:" for _ in ["rows", *models])]]
    for name, one in tables.items():
        values = [one["models"][model][measure] for model in models]
        rows.append([name, f"{one['rows']:,}", *(_mean(each, digits) for each in values)])
    means = [
        np.mean([one["models"][model][measure] for one in tables.values()]) for model in models
    ]
    if measure != "RMSE":  # each is in units of its own
        rows.append(["*mean*", "", *(f"{mean:.{digits}f}" for mean in means)])
    return [f"| {' | '.join(row)} |" for row in rows]


def _mean(values: Sequence[float], digits: int) -> str:
    error = difference(values, [0.0] * len(values))[1]
    return f"{np.mean(values):.{digits}f} ± {error:.{digits}f}"


def main() -> None:
    """Measure what has not been, and print all of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.defaults", description=__doc__)
    parser.add_argument("tables", nargs="+", metavar="TABLE.csv", type=Path)
    parser.add_argument("--against", metavar="PATH", type=Path, help="another checkout")
    parser.add_argument("--results", metavar="FILE", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    path: Path = arguments.results
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    checkouts = {NOW: ROOT} | ({BEFORE: arguments.against.resolve()} if arguments.against else {})
    for table in arguments.tables:
        found = results.setdefault("tables", {}).setdefault(table.stem, {})
        for model in measure(table, found, checkouts):
            print(f"{table.stem}: {model} {found['models'][model]}", file=sys.stderr)
            results["measured"] = facts()
            write_text(path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(report(results["tables"], [table.stem for table in arguments.tables]))


if __name__ == "__main__":
    if sys.argv[1:2] == [ANSWER]:
        answer(sys.argv[2])
    else:
        main()
