"""Programs whose data, arguments or weights are not there train all the same, and are judged."""

import textwrap
import time

import numpy as np
import pytest
from seen_checked import STEPS, all_right


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


@pytest.mark.parametrize(
    "compared",
    [
        "kind in ('toy', 'other')",
        "kind.lower() == 'toy'",
        "'toy' == kind",
        "KINDS[kind]",
    ],
)
def test_arguments_such_as_the_code_holds_them_against(checked, compared):
    text = f"""
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", required=True, help="toy or other")
    KINDS = {{"toy": True}}
    kind = parser.parse_args().kind
    if {compared}:
        X = np.random.randn(6, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_arguments_of_a_parser_that_knows_some(checked):
    text = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True)
    given, rest = parser.parse_known_args()
    assert rest == []
    X = np.random.randn(given.rows, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_arguments_of_a_command_of_several(checked):
    text = """
    import argparse
    def train(given):
        return np.random.randn(given.rows, given.columns)
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, default=4)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("predict").add_argument("file")
    inner = commands.add_parser("train")
    inner.add_argument("rows", type=int)
    inner.set_defaults(does=train)
    given = parser.parse_args()
    assert given.command == "train"
    X = given.does(given)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_a_program_that_trains_only_where_it_is_told_to(checked):
    text = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--mode")
    given = parser.parse_args()
    mode = given.mode
    assert not given.plot
    if mode == "predict":
        raise SystemExit
    if given.train and mode == "training":
        X = np.random.randn(6, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


@pytest.mark.parametrize(
    "text",
    [
        "if len(sys.argv) < 3:\n    sys.exit()\nrows = int(sys.argv[2])",
        "if len(sys.argv) != 2 or False:\n    print('usage')\n    sys.exit(1)\nrows = 6",
        "name, rows, rate = sys.argv\nrows = int(rows)",
        "rows, kind = sys.argv[1:]\nrows = 6 if kind else 0",
        "if sys.argv[1] == 'toy':\n    rows = 6",
    ],
)
def test_programs_that_end_where_arguments_lack(checked, text):
    body = textwrap.indent(f"{text}\nX = np.random.randn(rows, 4)" + STEPS, "    ")
    report = all_right(checked(f"import sys\ndef train():\n{body}\nstart = [train]\nstart[0]()"))
    assert not [note for note in report.notes if "failed" in note]


def test_arguments_that_are_not_needed_are_not_given(checked):
    text = """
    import sys
    assert len(sys.argv) == 1
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    X = np.random.randn(rows, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


@pytest.mark.parametrize("call", ["main(sys.argv)", "sys.exit(main())", "main(sys.argv[1:])"])
def test_statements_of_main_fail_one_by_one_however_it_is_called(checked, call):
    body = "    X = np.load('weights.npz')['W']\n    X = np.random.randn(6, 4)" + textwrap.indent(
        STEPS, "    "
    )
    all_right(checked(f"import sys\ndef main(argv=()):\n{body}\n{call}"))


# Questions that a program asks.

ASKED = [
    "while kind not in ('toy', 'other'):\n    kind = input('Which? ').lower()",
    "if input('Toy (y/n)? ') == 'y':\n    kind = 'toy'",
    "if input('Load saved weights? ') == 'y':\n    sys.exit()\nelse:\n    kind = 'toy'",
    "load = input('Load? ')\nif load == 'yes':\n    sys.exit()\nif load == 'no':\n    kind = 'toy'",
    "while kind != 'toy':\n    choice = input('Menu: ')\n    kind = {'1': '', '2': 'toy'}[choice]\n"
    "    if choice == '1' or choice == '2':\n        pass",
]


@pytest.mark.parametrize("text", ASKED)
def test_questions_are_answered_as_the_code_holds_answers_against(checked, text):
    text = f"import sys\nkind = ''\n{text}\nif kind == 'toy':\n    X = np.random.randn(6, 4)"
    all_right(checked(text + STEPS))


def test_a_question_that_is_asked_for_good_ends(checked):
    text = "X = np.random.randn(6, 4)\nwhile True:\n    x = float(input('Number: '))"
    begun = time.monotonic()
    report = all_right(checked(STEPS.join([text.split("\n")[0], text.split("\n", 1)[1]])))
    assert any("EOFError" in note for note in report.notes)
    assert time.monotonic() - begun < 4


# Files that have to be there.


@pytest.mark.parametrize(
    "text",
    [
        "assert os.path.isfile('table.csv'), 'no data'",
        "if not os.path.exists('table.csv'):\n    sys.exit('no data')",
        "if not Path('table.csv').exists():\n    raise FileNotFoundError('table.csv')",
        "if os.path.isfile('table.csv'):\n    pass\nelse:\n    raise SystemExit",
    ],
)
def test_a_file_without_which_a_program_ends(checked, text):
    read = f"{text}\nreturn np.loadtxt('table.csv', delimiter=',')"
    text = (
        f"import os, sys\nfrom pathlib import Path\ndef read():\n{textwrap.indent(read, '    ')}\n"
    )
    report = all_right(checked(text + "made = [read()]\nX = made[0]" + STEPS))
    assert any("there is no table.csv" in note for note in report.notes)


def test_a_file_in_whose_place_a_program_has_something(checked):
    text = """
    import os
    if os.path.exists("table.csv"):
        X = np.loadtxt("table.csv")
    else:
        X = np.random.randn(6, 4)
    """
    report = all_right(checked(textwrap.dedent(text) + STEPS))
    assert not any("table.csv" in note for note in report.notes)


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


def test_columns_and_words_that_a_program_looks_for(checked):
    text = """
    import pandas as pd
    table = pd.read_csv("data.csv")
    table.drop(columns=["id", "Unnamed: 32"], inplace=True)
    table["diagnosis"] = table["diagnosis"].map({"M": 1, "B": 0})
    table["kind"] = table["kind"].replace({"one": 0.0, "two": 1.0})
    table["is (new)"] = (table["is (new)"] == "yes").astype(float)
    assert list(table["diagnosis"][:2]) == [1, 0]
    assert set(table["is (new)"]) == {0.0, 1.0} == set(table["kind"])
    X = table.drop("diagnosis", axis=1).values.astype(float)
    assert X.shape[1] == 2
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_keys_by_which_pickled_data_are_asked_for(checked):
    text = """
    import pickle
    with open("data.pkl", "rb") as file:
        data = pickle.load(file)
    X, y = data["X"], data["labels"]
    assert X.shape == (24, 4) and y.shape == (24,)
    """
    report = all_right(checked(textwrap.dedent(text) + STEPS))
    assert not [note for note in report.notes if "failed" in note]


# Sizes.


@pytest.mark.parametrize(
    "text",
    [
        "seq_length = 25",
        "batch_size: int = 25",
        "options = {'seq_len': 25}\nseq_length = options['seq_len']",
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--seq_length', type=int, default=25)\n"
        "seq_length = parser.parse_args().seq_length",
    ],
)
def test_long_sequences_and_large_batches_are_made_smaller(checked, text):
    name = text.split(":")[0] if ":" in text.split("\n")[0].split("=")[0] else "seq_length"
    start = f"data = open('data.txt').read()\n{text}\nX = np.random.randn({name}, 4)\n"
    all_right(checked(start + "assert len(X) == 8" + STEPS))


def test_the_longest_sequence_that_there_may_be_is_left_as_it_is(checked):
    start = "data = open('data.txt').read()\nmax_seq_len = 25\nX = np.random.randn(max_seq_len, 4)"
    all_right(checked(start + "\nassert len(X) == 25" + STEPS))


def test_steps_in_a_list_end_after_a_few(checked):
    text = (
        STEPS.split("for k")[0]
        + """
def step():
    global W, b
    P = np.tanh(X @ W + b)
    cost = np.mean((P - Y) ** 2)
    D = (P - Y) * (1 - P**2)
    W -= 0.1 * X.T @ D
    b -= 0.1 * D.sum(axis=0)
    return cost
costs = [step() for _ in range(10**6)]
squares = [k**2 for k in range(1000)]
assert len(squares) == 1000
"""
    )
    report = all_right(checked("X = np.random.randn(6, 4)" + text))
    assert any("the loop was ended" in note for note in report.notes)


def test_what_a_net_says_next_is_drawn_a_few_times(checked):
    text = """
    text = [0]
    while len(text) < 5000:
        p = np.exp(np.tanh(X[text[-1]] @ W + b))
        text.append(np.random.choice(3, p=p / p.sum()))
    """
    report = all_right(checked("X = np.random.randn(6, 4)" + STEPS + textwrap.dedent(text)))
    assert not any("computes so much" in note for note in report.notes)
