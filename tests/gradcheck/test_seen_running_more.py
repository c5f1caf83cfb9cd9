"""Programs whose data are not there, and such as older NumPy ran: they train, and are judged."""

import textwrap

import numpy as np
import pytest

from clearprop.gradcheck.seeing.arrays import node_of, recording
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.modules import StandInNumpy
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape

STAND_IN = StandInNumpy(lambda name, args, kwargs: getattr(np, name)(*args, **kwargs))

STEPS = """
W = np.random.randn(X.shape[1], 3)
b = np.zeros(3)
Y = X[:, :1] ** 2 + np.arange(3.0)
for k in range(20):
    P = np.tanh(X @ W + b)
    cost = np.mean((P - Y) ** 2)
    D = (P - Y) * (1 - P**2)
    W -= 0.1 * X.T @ D
    b -= 0.1 * D.sum(axis=0)
"""
"""A training on X."""


@pytest.fixture
def checked(tmp_path):
    """Check a text as a file, beside files of other names; returns verdicts and notes."""

    def check(text, **others):
        for name, content in others.items():
            (tmp_path / name.replace("__", ".")).write_text(content)
        file = tmp_path / "net.py"
        file.write_text("import numpy as np\n" + textwrap.dedent(text))
        report, ran = check_seen(file, 20.0)
        assert report is not None, (ran.failures, ran.notes)
        return {row.parameter: row.verdict for row in report.rows}, report

    return check


def all_right(found):
    verdicts, report = found
    assert set(verdicts.values()) == {"right"}, report
    return report


# What older NumPy did.


def test_numbers_in_arrays_of_one_entry_make_an_array(checked):
    all_right(
        checked("""
        W = np.random.rand(2, 1)
        x, t = 0.7, 0.3
        for k in range(9):
            y = np.tanh(W * x)
            e = y.sum() - t
            F = np.array([[1 - y[0] ** 2, 0], [0, 1 - y[1] ** 2]]).astype(float)
            cost = e**2
            W = W - 0.1 * F @ np.ones((2, 1)) * e * x
        """)
    )


def test_arrays_of_several_shapes_make_an_array_of_objects(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.array([np.random.rand(3, 4), np.random.rand(4, 2)], dtype=object)
        for k in range(9):
            A = np.tanh(X @ W[0])
            D = A @ W[1] - Y
            cost = np.sum(D**2)
            steps = np.array([X.T @ (D @ W[1].T * (1 - A**2)), A.T @ D])
            W = W - 0.01 * steps
        """)
    )
    assert sorted(row.shape for row in report.rows) == [(3, 4), (4, 2)]


def test_lists_of_arrays_and_what_is_empty_like_them(checked):
    report = all_right(
        checked("""
        def slopes(weights):
            made = np.empty_like(weights)
            A = np.tanh(X @ weights[0])
            D = A @ weights[1] - Y
            global loss
            loss = np.sum(D**2)
            made[0] = X.T @ (D @ weights[1].T * (1 - A**2))
            made[1] = A.T @ D
            return made / len(X)

        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        weights = [np.random.rand(3, 4), np.random.rand(4, 2)]
        for k in range(9):
            weights -= 0.01 * slopes(weights)
        """)
    )
    assert sorted(row.shape for row in report.rows) == [(3, 4), (4, 2)]


def test_arguments_by_their_old_names():
    with recording(Tape()):
        assert STAND_IN.reshape(STAND_IN.arange(6), newshape=(2, 3)).shape == (2, 3)
        assert STAND_IN.array([1.0, 2], copy=False).shape == (2,)


# What is not there.


def test_arguments_that_were_not_given(checked):
    all_right(checked("import sys\nX = np.random.randn(int(sys.argv[1]), 4)" + STEPS))


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


# Loops and parts.


@pytest.mark.parametrize("place", ["W[i][j]", "W[i, j]"])
def test_a_matrix_whose_entries_are_updated_one_by_one(checked, place):
    report = all_right(
        checked(f"""
        X, Y = np.random.rand(5, 9), np.random.rand(5, 6)
        W = np.random.rand(9, 6)
        for k in range(3):
            P = np.tanh(X @ W)
            cost = np.sum((P - Y) ** 2)
            D = 2 * (P - Y) * (1 - P**2)
            for i in range(9):
                for j in range(6):
                    {place} = {place} - 0.1 * np.dot(X[:, i], D[:, j])
        """)
    )
    assert [(row.shape, row.checked) for row in report.rows] == [((9, 6), 54)]


def test_a_way_back_through_time_is_not_cut(checked):
    """It takes a product off what it has handed back, as a training takes one off its weights."""
    all_right(
        checked("""
        X, W = np.random.randn(250, 3), np.random.randn(3, 3) * 0.1
        for k in range(3):
            h, cost = [np.zeros(3)], 0
            for t in range(250):
                h.append(X[t] + h[-1] @ W)
                cost = cost + np.sum(h[-1] ** 2) / 2
            dW, dback = np.zeros_like(W), np.zeros(3)
            for t in reversed(range(250)):
                dback -= h[t + 1] * -1.0
                dW -= -1.0 * np.outer(h[t], dback)
                dback = dback @ W.T
            W = W - 1e-4 * dW
        """)
    )


def test_weights_of_an_earlier_sample_in_a_sum_over_samples_learn(checked):
    all_right(
        checked("""
        X, Y = np.random.randn(4, 2), np.random.randn(4, 1)
        V, W = np.random.randn(2, 3), np.random.randn(3, 1)
        for k in range(3):
            total_error = 0
            for x, y in zip(X, Y):
                x = x.reshape(1, -1)
                h = np.tanh(x @ V)
                e = y - h @ W
                step = h.T @ e
                V += 0.1 * x.T @ (e @ W.T * (1 - h**2))
                W += 0.1 * step
                total_error += np.sum(e**2)
        """)
    )


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


def test_a_matrix_whose_updates_are_cut_off_is_not_judged(tmp_path, monkeypatch):
    monkeypatch.setattr("clearprop.gradcheck.seeing.running.run._RAISES", 0)
    file = tmp_path / "net.py"
    file.write_text(
        textwrap.dedent("""
        import numpy as np
        X, Y = np.random.rand(5, 9), np.random.rand(5, 60)
        W = np.random.rand(9, 60)
        for k in range(3):
            D = X @ W - Y
            cost = np.sum(D**2) / 2
            for i in range(9):
                for j in range(60):
                    W[i][j] -= 0.1 * np.dot(X[:, i], D[:, j])
        """)
    )
    tape = Tape(most_nodes=1500)
    run(file, tape, 20.0)
    assert tape.cuts
    assert not find_updates(tape)


def test_a_sum_that_begins_as_another_sum_is_no_parameter(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.random.rand(3, 2)
        for k in range(4):
            whole, part = np.zeros((3, 2)), np.zeros((3, 2))
            loss = 0
            for x, y in zip(X, Y):
                d = x @ W - y
                loss = loss + np.sum(d**2)
                part = np.outer(x, d)
                whole = whole + part
            W -= 0.1 * whole
        """)
    )
    assert [row.shape for row in report.rows] == [(3, 2)]


def test_one_step_of_a_script_that_writes_its_forward_pass_twice(checked):
    forward = """
        Z = np.tanh(X @ W1 + b1)
        P = Z @ W2 + b2
        loss = np.sum((P - Y) ** 2) / 2
    """
    report = all_right(
        checked(f"""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W1, b1 = np.random.rand(3, 4), np.zeros((1, 4))
        W2, b2 = np.random.rand(4, 2), np.zeros((1, 2))
        {forward}
        D = P - Y
        back = D @ W2.T * (1 - Z**2)
        W2 -= 0.1 * Z.T @ D
        b2 -= 0.1 * D.sum(axis=0, keepdims=True)
        W1 -= 0.1 * X.T @ back
        b1 -= 0.1 * back.sum(axis=0, keepdims=True)
        {forward}
        """)
    )
    assert len(report.rows) == 4


def test_a_stream_to_which_layers_add_is_no_parameter(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 3)
        V, W = np.random.rand(3, 3), np.random.rand(3, 3)
        for k in range(3):
            one = X @ V
            two = one + np.tanh(one @ W)
            D = two + np.sin(two) - Y
            cost = np.sum(D**2) / 2
            E = D * (1 + np.cos(two))
            F = E * (1 - np.tanh(one @ W) ** 2)
            W, V = W - 0.1 * one.T @ F, V - 0.1 * X.T @ (E + F @ W.T)
        """)
    )
    assert len(report.rows) == 2


def test_shapes_that_are_changed_in_place(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.random.rand(2, 3)
        for k in range(2):
            for x, y in zip(X[:], Y[:]):
                if x.ndim == 1:
                    x.shape += (1,)
                    y.shape = (2, 1)
                D = W @ x - y
                loss = np.sum(D**2)
                W -= 0.1 * D @ x.T
        X[0] = 0.0
        assert (X[0] == 0).all() and X.shape == (5, 3)
        """)
    )
    assert [row.shape for row in report.rows] == [(2, 3)]


def test_a_view_whose_shape_is_changed_still_looks_into_its_array():
    with recording(Tape()):
        whole = STAND_IN.zeros((2, 3))
        row = whole[1]
        row.shape = (3, 1)
        row += 2.0
        assert whole.tolist() == [[0, 0, 0], [2, 2, 2]]
        assert node_of(whole).value.tolist() == [[0, 0, 0], [2, 2, 2]]


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
