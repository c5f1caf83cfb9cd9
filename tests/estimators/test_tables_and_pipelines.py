"""Data frames, pipelines, grid search, metadata routing, notebooks."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_data import three_classes, two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_are_taken_and_their_names_kept(library: str) -> None:
    frames = pytest.importorskip(library)
    X, y = three_classes()
    table = frames.DataFrame({name: X[:, place] for place, name in enumerate("abcdef")})
    target = frames.Series(y.tolist())
    net = cp.MLPClassifier(4, max_iter=3, random_state=0, early_stopping=True)
    net.fit(table, target, eval_set=(table, target))
    plain = cp.MLPClassifier(4, max_iter=3, random_state=0, early_stopping=True)
    plain.fit(X, y, eval_set=(X, y))
    assert net.feature_names_in_.tolist() == list("abcdef")
    np.testing.assert_array_equal(net.predict_proba(table), plain.predict_proba(X))
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(table[list("fedcba")])
    cp.MLPRegressor(max_iter=2).fit(table, table["a"])


def test_estimators_import_no_data_frames() -> None:
    code = """import sys
import sklearn.model_selection, sklearn.neural_network
before = {*sys.modules}
import clearprop
clearprop.MLPClassifier
print({"pandas", "polars"} & ({*sys.modules} - before))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_pipelines_grid_search_and_cross_validation_work() -> None:
    X, y = two_classes()
    pipeline = make_pipeline(StandardScaler(), cp.MLPClassifier(max_iter=15, random_state=0))
    search = GridSearchCV(
        pipeline,
        {"mlpclassifier__hidden_layer_sizes": [4, (4, 4)], "mlpclassifier__dropout": [0.0, 0.2]},
        cv=2,
    ).fit(X, y)
    assert set(search.best_params_) == {
        "mlpclassifier__hidden_layer_sizes",
        "mlpclassifier__dropout",
    }
    assert cross_val_score(pipeline, X, y, cv=3).shape == (3,)


def test_metadata_is_routed_as_asked() -> None:
    X, y = two_classes()
    weights = np.where(y, 1.0, 5.0)
    with sklearn.config_context(enable_metadata_routing=True):
        net = cp.MLPClassifier(4, max_iter=5, random_state=0).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, net).fit(X, y, sample_weight=weights)
    alone = cp.MLPClassifier(4, max_iter=5, random_state=0)
    alone.fit(StandardScaler().fit_transform(X), y, weights)
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], alone.coefs_[0])


def test_clones_have_the_parameters_and_have_not_learned() -> None:
    net = cp.MLPRegressor(cp.Huber(0.5), (4,), activation=["gelu"], dropout=[0.1], max_iter=2)
    twin: Any = clone(net.fit(*values()))
    assert twin.loss == cp.Huber(0.5)
    assert not hasattr(twin, "coefs_")


def test_notebooks_show_a_drawing_of_what_was_learned() -> None:
    X, y = three_classes()
    net = cp.MLPClassifier((12, 3), ["tanh", cp.LeakyReLU()], dropout=0.2, batch_norm=True)
    assert "<svg xmlns" not in net._repr_html_()
    shown = net.set_params(max_iter=2).fit(X, y)._repr_mimebundle_()["text/html"]
    drawing = ET.fromstring(shown[shown.index("<svg xmlns") :])  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in drawing.iter(space + "text")]
    assert words == [
        *("6", "features"),
        *("12", "batch norm", "Tanh", "dropout 0.2", "⋮"),
        *("3", "batch norm", "LeakyReLU", "dropout 0.2"),
        *("3", "SoftmaxCrossEntropy"),
    ]
    circles = len(list(drawing.iter(space + "circle")))
    lines = len(list(drawing.iter(space + "line")))
    assert (circles, lines) == (6 + 6 + 3 + 3, 6 * 6 + 6 * 3 + 3 * 3)
    assert drawing.get("aria-label") == "Network 6 → 12 → 3 → 3"
