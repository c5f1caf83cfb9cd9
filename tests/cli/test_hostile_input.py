"""Files and arguments that nobody means well with end in one sentence, quickly."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearprop as cp
from clearprop.errors import ModelFileError
from clearprop.files.tensors import open_tensors, save_tensors
from clearprop.training import History

DIGITS = "9" * 400
MANY_DIGITS = "9" * 5000


def assert_one_sentence(result, code):
    assert result.exit_code == code
    message = result.stderr[result.stderr.index("Error: ") :]
    assert len(message) < 3000
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("train", "digits", "--batch-size", DIGITS), 2),
        (("train", "digits", "--batch-size", MANY_DIGITS), 2),
        (("train", "digits", "--epochs", DIGITS), 2),
        (("train", "digits", "--learning-rate", DIGITS), 2),
        (("train", "digits", "--layers", f"2,{MANY_DIGITS}"), 2),
        (("train", "digits", "--layers", f"2,{DIGITS}"), 2),
        (("train", "digits", "--size", f"{DIGITS}x1"), 2),
        (("train", "x" * 5000), 1),
        (("walk", "digits", "--entry", f"1.y[{MANY_DIGITS},0]"), 2),
        (("walk", "digits", "--entry", f"1.y[{DIGITS},0]"), 2),
        (("walk", "digits", "--entry", "x" * 5000), 2),
    ],
)
def test_arguments_of_many_digits(command, code, clearprop):
    assert_one_sentence(clearprop(*command), code)


@pytest.mark.parametrize(
    "text",
    [
        f"layers = {'[' * 100_000}{']' * 100_000}",
        f"layers = {'[' * 2000}{']' * 2000}",
        f"seed = {MANY_DIGITS}",
        f"seed = {DIGITS}",
        "layers = [true]",
        "layers = [1.0]",
        "seed = true",
        ".".join("a" * 5000) + " = 1",
        f'optimizer = "{"x" * 5000}"',
        "epochs = 1e400",
    ],
)
def test_settings_that_cant_be(text, clearprop):
    Path("odd.toml").write_text(text)
    result = clearprop("train", "digits", "--config", "odd.toml")
    assert_one_sentence(result, result.exit_code)
    assert result.exit_code in (1, 2)


@pytest.mark.parametrize("kind", ["pipe", "endless device"])
@pytest.mark.parametrize(
    "command",
    [
        ("show", "{0}.safetensors"),
        ("predict", "{0}.safetensors", "x.csv"),
        ("predict", "{model}", "{0}.csv"),
        ("predict", "{model}", "{0}.npz"),
        ("evaluate", "{model}", "{0}.csv"),
        ("train", "digits", "--config", "{0}.toml"),
        ("train", "{0}.csv"),
        ("train", "{0}.h5"),
        ("check", "{0}.py"),
        ("check", "{0}.ipynb"),
        ("data", "{0}.csv"),
        ("data", "{0}"),
        ("train", "{0}"),
        ("predict", "{model}", "{0}"),
        ("predict", "{model}", "{0}.parquet"),
        ("predict", "{model}", "{0}.xlsx"),
        ("evaluate", "{model}", "{0}"),
    ],
)
def test_what_never_ends_is_refused(kind, command, clearprop, table_model):
    """In this process: a reader that waits would never let the test end."""
    for part in command:
        if part.startswith("{0}"):
            name = part.format("odd")
            os.mkfifo(name) if kind == "pipe" else Path(name).symlink_to("/dev/zero")
    result = clearprop(*(part.format("odd", model=table_model) for part in command))
    assert_one_sentence(result, result.exit_code)
    assert result.exit_code in (1, 2)


@pytest.mark.parametrize("kind", ["pipe", "endless device"])
def test_what_never_ends_is_left_out_among_others(kind, clearprop, table_model, picture_model):
    """With exit code 1, as for every input that can't be read."""
    for name in ("odd.csv", "odd.png"):
        os.mkfifo(name) if kind == "pipe" else Path(name).symlink_to("/dev/zero")
    Path("new.csv").write_text("weight,age,colour\n1,70,red\n")
    Image.new("RGB", (8, 8)).save("new.png")
    for model, suffix in ((table_model, "csv"), (picture_model, "png")):
        result = clearprop("predict", model, f"odd.{suffix}", f"new.{suffix}")
        assert result.exit_code == 1
        assert result.stderr.count("Left out: odd.") == 1
        assert result.stdout.splitlines()[1].startswith(f"new.{suffix}")


@pytest.mark.usefixtures("with_pictures")
@pytest.mark.parametrize("name", ["config.toml", "history.csv", "model.safetensors"])
def test_a_run_whose_file_is_a_pipe(name, clearprop, table_run):
    run = Path("run")
    run.mkdir()
    for path in table_run.iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    (run / name).unlink()
    os.mkfifo(run / name)
    result = clearprop("plot", run)
    assert "it is a pipe" in result.stderr
    assert result.exit_code == (0 if name == "config.toml" else 1)  # curves need no settings


def changed_model(model, change):
    file = open_tensors(model, "model")
    described = json.loads(json.dumps(file.description))
    change(described)
    save_tensors("odd.safetensors", {name: file.read(name) for name in file.shapes}, described)
    return "odd.safetensors"


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"unknown": 1},
        {"data": None},
        {"data": "digits", "layers": None, "epochs": "x"},
        {"data": "digits", "layers": [True]},
        {"data": "digits", "seed": 10**400},
        {"data": nested(900)},
        {"data": nested(40)},
        {"data": "digits", "x" * 10**5: "y" * 10**5},
    ],
)
@pytest.mark.parametrize("command", ["walk", "check", "show"])
def test_models_whose_settings_cant_be(settings, command, clearprop, table_model):
    model = changed_model(table_model, lambda one: one["training"].update(settings=settings))
    result = clearprop(command, model)
    if command == "show" and result.exit_code == 0:
        assert len(result.stdout.splitlines()) < 40
    else:
        assert_one_sentence(result, 2 if command == "check" else 1)


def test_classes_with_a_loss_of_values_are_refused(table_model):
    def change(described):
        described["network"]["loss"] = {"type": "MeanSquaredError"}

    with pytest.raises(ModelFileError, match="has classes, and its loss MeanSquaredError"):
        cp.load(changed_model(table_model, change))


def test_a_number_of_hundreds_of_digits_in_a_layer_is_refused(table_model):
    def change(described):
        described["network"]["layers"][1] = {"type": "ELU", "alpha": 10**400}

    with pytest.raises(ModelFileError, match="a whole number beyond"):
        cp.load(changed_model(table_model, change))


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    go_on(path)
    return path


def go_on(path):
    X = np.arange(12.0).reshape(6, 2)
    network = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,), seed=0)
    trainer = cp.Trainer(epochs=2, batch_size=3, seed=0)
    trainer.fit(network, X, X[:, :1], checkpoint=cp.Checkpoint(path), resume=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(step=-1),
        lambda one: one.update(step=10**400),
        lambda one: one.update(step=1.5),
        lambda one: one.update(epoch=True),
        lambda one: one["history"][1].pop("loss"),
        lambda one: one["history"][0].pop("seconds"),
        lambda one: one["history"].pop(),
        lambda one: one["random_state"].__setitem__(0, 2**31),
        lambda one: one.update(history={}),
    ],
)
def test_checkpoints_that_cant_be(change, checkpoint):
    file = open_tensors(checkpoint, "checkpoint")
    described = json.loads(json.dumps(file.description))
    change(described)
    save_tensors(checkpoint, {name: file.read(name) for name in file.shapes}, described)
    before = checkpoint.read_bytes()
    with pytest.raises(ModelFileError, match=checkpoint.name):
        go_on(checkpoint)
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        *[("int64", ["a", "b"]), ("str", [0, 1]), ("bool", [0, 1]), ("float64", [True, False])],
        *[("int8", [300, 1]), ("uint8", [-1, 1]), ("str", ["a", "a"]), ("object", [None, []])],
    ],
)
def test_estimators_whose_classes_are_of_another_type(dtype, values, tmp_path):
    X = np.arange(20.0).reshape(10, 2)
    path = tmp_path / "estimator.safetensors"
    with pytest.warns(Warning, match="converged"):
        cp.MLPClassifier(max_iter=1).fit(X, np.arange(10) % 2).save(path)
    file = open_tensors(path, "model")
    described = json.loads(json.dumps(file.description))
    described["training"]["estimator"]["classes"] |= {"dtype": dtype, "values": values}
    save_tensors(path, {name: file.read(name) for name in file.shapes}, described)
    with pytest.raises(ModelFileError, match="damaged"):
        cp.load(path)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "fine"},
        {"text": 1, "report": None},
        {"text": "fine", "report": {"passed": True}},
        {"text": "fine", "report": {"passed": 1, "rows": []}},
        {"text": "fine", "report": {"passed": True, "rows": [{"verdict": "splendid"}]}},
        [],
        nested(500),
    ],
)
def test_a_checked_file_that_writes_the_answer_itself(answer, clearprop):
    Path("mine.py").write_text(
        "import os, sys\nfrom pathlib import Path\n"
        f"Path(sys.orig_argv[-1], 'answer.json').write_text({json.dumps(answer)!r})\nos._exit(0)\n"
    )
    result = clearprop("check", "mine.py", "--forward", "onwards")  # as it is, not watched
    assert result.exit_code == 2
    assert "ended the process that it ran in" in result.stderr


def test_a_watched_file_that_writes_the_answer_itself_writes_it_elsewhere(clearprop):
    Path("mine.py").write_text(
        "import os, sys\nfrom pathlib import Path\n"
        "Path(sys.orig_argv[-1], 'answer.json').write_text('{}')\nos._exit(0)\n"
    )
    result = clearprop("check", "mine.py")
    assert result.exit_code == 2
    assert "answer.json was written to a scratch folder" in result.stderr
    assert "os._exit was refused" in result.stderr


@pytest.mark.usefixtures("with_pictures")
def test_losses_near_the_largest_float_are_drawn(clearprop, table_run):
    run = Path("run")
    run.mkdir()
    for path in table_run.iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    history = History.load(run / "history.csv")
    for place, row in enumerate(history.rows):
        for name in row.keys() - {"epoch", "step"}:
            row[name] = 1e308 * (-1) ** place
    history.save(run / "history.csv")
    assert clearprop("plot", run).exit_code == 0


@pytest.mark.usefixtures("with_pictures")
@pytest.mark.parametrize("largest", [1.7e308, 1e150])
def test_targets_that_cant_be_squared_are_refused_and_all_others_are_learned(largest, clearprop):
    random_state = np.random.RandomState(0)
    with Path("huge.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["x", "y"])
        lines.writerows([row / 4, largest * random_state.uniform(-1, 1)] for row in range(60))
    result = clearprop("train", "huge.csv", "--epochs", 2, "--layers", 2, "--out", "run")
    if largest > 1e150:
        assert_one_sentence(result, 1)
        assert "The target of row 1 in huge.csv is 1.65966e+307" in result.stderr
        return
    assert result.exit_code == 0, result.stderr
    assert Path("run/predictions.png").exists()
    assert clearprop("evaluate", "run/model.safetensors", "huge.csv").exit_code == 0


def test_of_very_many_classes_and_columns_an_excerpt_is_printed(clearprop):
    with Path("classes.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["x", "class"], *([i % 7, f"c{i % 2000}"] for i in range(4000))]
        )
    result = clearprop("data", "classes.csv")
    assert len(result.stdout.splitlines()) < 100
    assert "... and 1,960 more" in result.stdout
    found = json.loads(clearprop("data", "classes.csv", "--json").stdout)
    assert len(found["classes"]) == 2000
    result = clearprop("data", "classes.csv", "--target", "klass")
    assert_one_sentence(result, 2)


def test_check_ends_with_2_where_nothing_can_be_checked(clearprop, table_model):
    assert_one_sentence(clearprop("check", "no.safetensors"), 2)
    assert_one_sentence(clearprop("check", "no.csv"), 2)
    assert_one_sentence(clearprop("check", table_model, "--data", "digits"), 2)


def test_the_system_that_refuses_is_named(clearprop, monkeypatch):
    def refuse(*_):
        raise OSError(24, "Too many open files", "data.csv")

    monkeypatch.setattr("clearprop.cli.data.load_dataset", lambda *_, **__: refuse())
    result = clearprop("data", "iris")
    assert result.stderr == (
        "Error: The system refuses what is needed here: Too many open files (data.csv).\n"
    )
    assert result.exit_code == 1


def test_memory_that_is_missing_without_a_word(clearprop, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("clearprop.cli.data.load_dataset", fail)
    said = clearprop("data", "iris").stderr
    assert said == "Error: There is not enough memory. Use smaller layers or less data.\n"


@pytest.mark.slow
def test_what_libraries_log_of_odd_files_is_not_printed(tmp_path):
    program = """
import logging, sys
import clearprop.cli.data
load = clearprop.cli.data.load_dataset
def logging_load(*args, **kwargs):
    logging.getLogger("PIL.TiffImagePlugin").error("More samples than can be decoded")
    return load(*args, **kwargs)
clearprop.cli.data.load_dataset = logging_load
sys.argv = ["clearprop", "data", "iris"]
clearprop.cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.slow
def test_ctrl_c_while_a_figure_is_drawn_ends_the_command(tmp_path):
    """matplotlib would print what happens in its calls from C to Python, and go on."""
    program = """
import os, signal, sys
from matplotlib.figure import Figure
from clearprop.cli import main
drawn = Figure.savefig
def interrupted(self, *args, **kwargs):
    os.kill(os.getpid(), signal.SIGINT)
    drawn(self, *args, **kwargs)
Figure.savefig = interrupted
sys.argv = ["clearprop", "train", "iris", "--epochs", "1", "--folds", "0", "--out", "run"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.endswith(b"Interrupted.\n")
    assert b"Traceback" not in done.stderr
    assert not list((tmp_path / "run").glob("*.png"))


@pytest.mark.slow
def test_the_confusion_of_very_many_classes_takes_no_memory(clearprop):
    with Path("classes.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["x", "class"], *([i % 7, f"c{i % 1001}"] for i in range(3003))]
        )
    result = clearprop("train", "classes.csv", "--layers", 2, "--epochs", 1, "--out", "run")
    assert result.exit_code == 0, result.stderr
    said = clearprop("evaluate", "run/model.safetensors", "classes.csv").stdout
    assert "The confusion of 1001 classes is too wide to print.\n" in said
    assert "... and 961 more" in said
    found = json.loads(
        clearprop("evaluate", "run/model.safetensors", "classes.csv", "--json").stdout
    )
    assert found["confusion"] is None
    assert sum(one["samples"] for one in found["classes"]) == 3003
