"""Data that are not there, or too large, are stood in for by small ones of their form."""

import json

import numpy as np
import pytest
from seen_checked import said

from clearprop.gradcheck.seeing.arrays import Watched


def test_a_missing_table_is_stood_in_for_by_the_columns_asked(runs):
    pytest.importorskip("pandas")
    ran = runs(
        """
        import pandas as pd
        df = pd.read_csv("nowhere/students.csv")
        X = df[["hours", "sleep"]].values
        y = df["passed"].values
        """
    )
    assert not ran.failures
    assert ran.namespace["X"].shape == (24, 2)
    assert type(ran.namespace["X"]) is Watched
    assert said(ran, "line 3", "nowhere/students.csv")


def test_missing_digits_have_pixels_and_ten_labels(runs):
    pytest.importorskip("pandas")
    ran = runs(
        """
        import pandas as pd
        # MNIST: 784 pixels
        data = pd.read_csv("train.csv").to_numpy()
        y, X = data[:, 0], data[:, 1:] / 255
        """
    )
    assert ran.namespace["X"].shape == (24, 784)
    assert len(set(ran.namespace["y"].tolist())) == 10


def test_missing_files_of_digits_are_read_as_they_are_written(runs):
    ran = runs(
        """
        import gzip, struct
        import numpy as np
        def images(path):
            with gzip.open(path, "rb") as f:
                magic, n, rows, columns = struct.unpack(">IIII", f.read(16))
                return np.frombuffer(f.read(), dtype=np.uint8).reshape(n, rows * columns)
        with open("train-labels-idx1-ubyte", "rb") as f:
            f.read(8)
            labels = np.fromfile(f, dtype=np.uint8) if False else np.frombuffer(f.read(), np.uint8)
        train = images("train-images-idx3-ubyte.gz")[:60000].reshape(60000, 784)
        test = images("t10k-images-idx3-ubyte.gz")[:10000].reshape(10000, 784)
        """
    )
    assert not ran.failures
    assert ran.namespace["train"].shape == (24, 784)
    assert ran.namespace["test"].shape == (4, 784)
    assert said(ran, "60,000", "smaller")


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ('X = np.load("weights.npy")', (24, 4)),
        ('X = np.loadtxt("points.txt")', (24, 5)),
        ('X = np.genfromtxt("points.csv", delimiter=",")[:, 0:3]', (24, 3)),
        ('X = np.load("all.npz")["x_train"]', (24, 4)),
        ('X = np.array([l.split(",") for l in open("points.csv")], dtype=float)', (24, 5)),
        ("X, y = nowhere.load()", (24, 4)),
    ],
)
def test_missing_arrays_are_stood_in_for(runs, line, shape):
    ran = runs(f"import numpy as np\n{line}\n")
    assert ran.namespace["X"].shape == shape
    assert said(ran, "line 2", "stand in")


def test_no_data_stand_in_for_what_is_no_data(runs):
    ran = runs("predictions = nowhere()\nmodel = nowhere()\nX_shape = nowhere()\n")
    assert len(ran.failures) == 3
    assert not {"predictions", "model", "X_shape"} & set(ran.namespace)


def test_numbers_are_written_as_numbers(runs):
    ran = runs(
        """
        import json, pickle
        import numpy as np
        w = np.ones(2)
        text = json.dumps({"w": w.tolist(), "sum": w.sum()})
        pickle.dump({"w": w}, open("w.pkl", "wb"))
        again = pickle.load(open("w.pkl", "rb"))["w"]
        """
    )
    assert not ran.failures
    assert json.loads(ran.namespace["text"]) == {"w": [1, 1], "sum": 2}
    assert type(ran.namespace["again"]) is Watched


def test_digits_of_frameworks_are_small(runs):
    ran = runs(
        """
        import tensorflow as tf
        (a, b), _ = tf.keras.datasets.mnist.load_data()
        from keras.datasets import mnist
        from keras.utils import to_categorical
        (X, y), (X_test, y_test) = mnist.load_data()
        t = to_categorical(y, 10)
        """
    )
    assert not ran.failures
    assert ran.namespace["X"].shape == ran.namespace["a"].shape == (24, 28, 28)
    assert ran.namespace["t"].shape == (24, 10)


def test_many_rows_are_cut_and_labels_stay_with_them(runs, tmp_path):
    X = np.repeat(np.arange(5000.0)[:, None], 2, axis=1)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", np.sort(np.arange(5000) % 3))
    ran = runs('import numpy as np\nX = np.load("X.npy")\ny = np.load("y.npy")\n')
    rows = np.asarray(ran.namespace["X"])[:, 0].astype(int)
    assert len(rows) == 60
    labels = np.asarray(ran.namespace["y"])
    assert set(labels) == {0, 1, 2}
    assert np.array_equal(labels, np.sort(np.arange(5000) % 3)[rows])
    assert said(ran, "of 5,000 rows 60 are used")
