"""Programs whose data, arguments or weights are not there train all the same, and are judged."""

import textwrap
from functools import partial

import numpy as np
import pytest
from seen_checked import STEPS, all_right, check


@pytest.fixture
def checked(tmp_path):
    """Check a text as a file; returns the report."""
    return partial(check, tmp_path)


def test_arguments_that_were_not_given(checked):
    all_right(checked("import sys\nX = np.random.randn(int(sys.argv[1]), 4)" + STEPS))


def test_arguments_that_a_parser_requires(checked):
    text = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--kind", choices=["tanh", "relu"], required=True)
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--name")
    given = parser.parse_args()
    assert (given.file, given.kind, given.rate, given.name) == ("file", "tanh", 0.5, None)
    X = np.random.randn(given.rows, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


@pytest.mark.parametrize("content", ["", "version https://git-lfs.github.com/spec/v1\noid 1\n"])
def test_hollow_files_are_not_there(checked, content):
    text = "X = np.loadtxt('table.csv', delimiter=',')" + STEPS
    report = all_right(checked(text, table__csv=content))
    assert any("there is no table.csv" in note for note in report.notes)


def test_main_that_nothing_calls(checked):
    body = textwrap.indent("X = np.random.randn(8, 4)" + STEPS, "    ")
    report = all_right(checked(f"def main(count=3):\n{body}"))
    assert any("main(), which nothing calls, was called" in note for note in report.notes)


def test_main_with_arguments_is_not_called(checked):
    text = "X = np.random.randn(8, 4)" + STEPS + "def main(count):\n    print(count)\n"
    assert not any("main" in note for note in all_right(checked(text)).notes)


def test_saved_weights_that_are_not_there(checked):
    text = STEPS.replace(
        "W = np.random.randn(X.shape[1], 3)",
        "again = True\nif again:\n    W = np.load('saved.npz')['W']\n"
        "else:\n    W = np.random.randn(4, 3)",
    )
    report = all_right(checked("X = np.random.randn(8, 4)" + text))
    assert {row.shape for row in report.rows} == {(4, 3), (3,)}


def test_tables_of_pandas_beside_watched_arrays(checked):
    all_right(
        checked("""
        import pandas as pd
        table = pd.DataFrame(np.random.rand(6, 4), columns=list("abcd"))
        x, y = table[["a", "b", "c"]], table["d"]
        w = np.zeros(3)
        for k in range(9):
            slope, loss = np.zeros(3), 0.0
            for i in range(len(table)):
                error = np.tanh(np.dot(w, x.loc[i])) - y[i]
                loss = loss + error**2
                slope = slope + x.loc[i] * error * (1 - np.tanh(x.loc[i].dot(w)) ** 2)
            w = w - 0.1 * slope
        """)
    )


def test_tables_of_pandas_that_are_split_stay_tables(checked):
    all_right(
        checked("""
        import pandas as pd
        from sklearn.model_selection import train_test_split
        table = pd.DataFrame(np.random.rand(8, 4), columns=list("abcd"))
        train, test, y, _ = train_test_split(table, table["d"])
        del train["d"]
        w = np.zeros(3)
        for k in range(9):
            error = np.dot(train[["a", "b", "c"]], w) - y.values
            loss = np.sum(error**2)
            w = w - 0.1 * train.values.T @ error
        """)
    )


def test_a_text_of_any_name(checked):
    text = """
    import sys
    data = open(sys.argv[1]).read()
    chars = sorted(set(data))
    char_to_ix = {c: k for k, c in enumerate(chars)}
    assert len(data) > 2000
    X = np.eye(len(chars))[[char_to_ix[c] for c in data[:8]]]
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_cut_rows_are_so_many_everywhere(checked, tmp_path):
    np.savetxt(tmp_path / "rows.csv", np.random.RandomState(0).rand(2345, 4), delimiter=",")
    text = "rows = np.loadtxt('rows.csv', delimiter=',')\nX = np.c_[rows, np.ones(2345)]"
    report = all_right(checked(text + STEPS))
    assert (5, 3) in [row.shape for row in report.rows]


def test_batches_are_small_where_data_are(checked):
    report = all_right(
        checked("""
        from sklearn.datasets import fetch_openml
        batch_size = 128
        data = fetch_openml("mnist_784").data[:, 300:304] / 255.0
        W = np.random.randn(4, 3)
        for k in range(3):
            for part in range(len(data) // batch_size):
                X = data[part * batch_size : (part + 1) * batch_size]
                D = X @ W - np.arange(3.0)
                cost = np.sum(D**2)
                W -= 0.1 * X.T @ D
        """)
    )
    assert any("of a batch such as 128" in note for note in report.notes)


@pytest.mark.parametrize("named", ["n_input = 6", 'layers = [{"input_dim": 6}, {"input_dim": 9}]'])
def test_columns_that_a_program_asks_for_by_another_name_of_the_table(checked, named):
    report = all_right(
        checked(
            """
            import pandas as pd
            NAMED
            red = pd.read_csv("red.csv", sep=";")
            table = pd.concat([red, red])
            good = table["taste"] > table["taste"].mean()
            X = table.iloc[:, :-1].values
            assert X.shape[1] == 6
            """.replace("            ", "").replace("NAMED", named)
            + STEPS
        )
    )
    assert (6, 3) in [row.shape for row in report.rows]


def test_tables_where_a_program_takes_what_it_fetches_for_tables(checked):
    all_right(
        checked("""
        from sklearn.datasets import fetch_openml
        digits = fetch_openml("mnist_784", version=1)
        X = digits.data.astype("float32").values[:, 300:304] / 255
        t = digits.target.astype("int").values
        W = np.random.randn(4, 10)
        for k in range(3):
            D = X @ W - np.eye(10)[t]
            cost = np.sum(D**2)
            W -= 0.1 * X.T @ D
        """)
    )


def test_labels_have_the_classes_that_a_program_asks_for(checked):
    report = all_right(
        checked("""
        rows = np.genfromtxt("rows.csv", delimiter=",")
        X, t = rows[:, :-1], rows[:, -1].astype(int)
        layers = [{"input_dim": 5, "output_dim": 4}, {"input_dim": 4, "output_dim": 3}]
        V, W = (np.random.randn(*one.values()) * 0.3 for one in layers)
        for k in range(3):
            H = np.tanh(X @ V)
            D = H @ W - np.eye(t.max() + 1)[t]
            cost = np.sum(D**2)
            V, W = V - 0.01 * X.T @ (D @ W.T * (1 - H**2)), W - 0.01 * H.T @ D
        """)
    )
    assert sorted(row.shape for row in report.rows) == [(4, 3), (5, 4)]
