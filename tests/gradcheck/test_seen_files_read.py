"""Programs that list, read back or unpack their files, and packages that take long to import."""

import json
import textwrap
import time
from contextlib import nullcontext

import numpy as np
import pytest
from seen_checked import STEPS, all_right

from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, Largest, fitted
from clearprop.gradcheck.seeing.running.clock import Watchdog
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.running.stand_ins import Data
from clearprop.gradcheck.seeing.running.texts import text_for
from clearprop.gradcheck.seeing.tape import Tape


def test_a_package_may_take_longer_to_import_than_a_statement_runs(tmp_path, monkeypatch):
    allowed = []

    def armed(_, latest):
        allowed.append(latest - time.monotonic())
        return nullcontext()

    monkeypatch.setattr(Watchdog, "armed", armed)
    (tmp_path / "tools.py").write_text("def last(): return 7\n")
    file = tmp_path / "net.py"
    file.write_text("from tools import last\nx = last()\n")
    ran = run(file, Tape(), 1000.0)
    assert ran.namespace["x"] == 7, ran.notes
    of_import, of_statement = allowed[0], allowed[-1]
    assert of_import > 1.5 * of_statement > 0


def test_data_are_told_of_all_modules_alike():
    whole = Data("n_inputs = 7\nclasses = 5\nX = np.load('x.npy')\nrows = table[:, 0:6]")
    parts = Data("")
    for line in whole.text.splitlines():
        parts.add(line)
    for name in ("kind", "features", "classes", "picture", "rows", "is_whole"):
        assert getattr(parts, name) == getattr(whole, name)
    parts.add("load_cifar10()")
    parts.add("mnist")  # less than what was said before
    assert (parts.kind, parts.rows) == ("pictures", 50_000)


def test_what_a_program_has_written_is_read_whole(checked):
    text = """
    np.savez("kept.npz", first=np.random.randn(2500, 4))
    np.save("kept.npy", np.random.randn(2500, 4))
    first, second = np.load("kept.npz")["first"], np.load("kept.npy")
    assert len(first) == len(second) == 2500
    X = (first + second)[:6]
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_names_that_numpy_and_cupy_have(checked):
    text = """
    import cupy as cp
    from six import binary_type
    assert np.zeros(None).shape == np.full(None, 2.0).shape == ()
    assert isinstance(b"x", binary_type)
    X = cp.asnumpy(cp.random.randn(6, 4))
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


@pytest.mark.parametrize("words", ["cifar = 'like 32, 32'", "weights = {}\nweights.values()"])
def test_digits_that_are_fetched_are_rows_of_784(checked, words):
    for name in ("datasets", "model_selection", "preprocessing"):  # takes long the first time
        pytest.importorskip(f"sklearn.{name}")
    text = f"""
    from sklearn.datasets import fetch_openml
    {words.splitlines()[0]}
    {words.splitlines()[-1]}
    digits = fetch_openml("mnist_784")
    X = digits.data.reshape(-1, 1, 28, 28)[:6, 0, 14, :4] / 255
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_matrices_of_any_name(checked):
    text = """
    from scipy.io import loadmat
    digits = loadmat("mnist_all.mat")
    train, labels = digits["train_images"], digits["train_labels"]
    assert train.shape == (len(labels), 784) and labels.shape[1] == 1
    X = train[:6, :4] / 255
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_a_batch_whose_size_stands_in_its_place(checked):
    text = """
    def batches(X, batch_size, _):
        return [X[k : k + batch_size] for k in range(0, len(X), batch_size)]


    class Batches:
        def __init__(self, X, batch_size):
            self.all = batches(X, batch_size, 0)


    mnist = np.load("mnist.npz")
    rows = mnist["x_train"][:20]
    parts = batches(rows, 200, 300)
    assert [len(one) for one in parts] == [len(one) for one in Batches(rows, 150).all] == [8, 8, 4]
    X = parts[0].reshape(8, -1)[:, :4] / 255
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_files_that_a_pattern_would_find(checked):
    text = """
    import glob
    from os.path import basename
    words = {basename(one): open(one).read().split() for one in glob.glob("texts/*.txt")}
    letters = sorted({one for part in words.values() for word in part for one in word})
    assert sorted(words) == ["1.txt", "2.txt", "3.txt"] and "a" in letters
    assert glob.glob("there/is/none") == []
    X = np.array([[ord(one) / 100 for one in word[:3].rjust(4)] for word in words["1.txt"][:6]])
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_a_pattern_of_files_that_are_there(checked):
    text = """
    from glob import glob
    assert glob("*.csv") == ["rows.csv"]
    X = np.random.randn(6, 4)
    """
    all_right(checked(textwrap.dedent(text) + STEPS, rows__csv="1,2\n"))


def test_sentences_and_vectors_of_their_words(checked):
    text = """
    import csv
    vectors = {}
    with open("data/glove.6B.4d.txt") as file:
        for line in file:
            word, *entries = line.split()
            vectors[word] = np.array(entries, dtype=float)
    with open("data/phrases.csv") as file:
        pairs = [(sentence.split(), int(label)) for sentence, label in csv.reader(file)]
    assert len({len(words) for words, _ in pairs}) > 1
    X = np.array([np.mean([vectors[one] for one in words], axis=0) for words, _ in pairs])
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_texts_are_for_programs_of_words():
    assert text_for("rows.csv", "csv.reader(file); float(one)", [0]) is None
    assert text_for("rows.csv", "sentence = line.split(',')", [0]) is None
    assert text_for("rows.tsv", "csv.reader(file); vocab", [0, 1]).count("\t") == 2
    assert len(text_for("vec.glove.txt", "", []).splitlines()[0].split()) == 51
    assert "fox" in text_for("names.txt", "string.ascii_letters", [])


def test_a_name_of_another_cell_is_no_mistake(tmp_path):
    cells = [
        "import numpy as np\nfrom nowhere import Layer\nrow = np.loadtxt",
        "layer = Layer(row)[0] / None",
        "def backward(x, g):\n    layer.forward(x)\n    return layer.backward(g)",
        "d = backward(np.ones(3), np.ones(3))",
    ]
    made = [{"cell_type": "code", "source": one} for one in cells]
    file = tmp_path / "net.ipynb"
    file.write_text(json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5}))
    assert check_seen(file, 20.0)[0] is None


def test_the_largest_entries_rule_out_no_multiple():
    draw = np.random.RandomState(1)
    for size in (1, 2, 7, 300):
        for scale in (1e-9, 1.0, 1e6):
            truth = draw.randn(size) * scale
            noise = draw.randn(size)
            noise *= 0.9 * CLOSE * np.linalg.norm(truth) / np.linalg.norm(noise)
            claim = -3 * (truth + noise)
            assert fitted(claim, truth)[1] < CLOSE
            assert Largest.of(truth).may_fit(claim, float(np.linalg.norm(claim)))
            assert Largest.of(np.full(size, np.nan)).may_fit(claim, 1.0)
    other = draw.randn(300)
    assert not Largest.of(draw.randn(300)).may_fit(other, float(np.linalg.norm(other)))
