"""Names and texts from outside are shown by every command, and do nothing to a terminal."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from small_pictures import write_picture

import clearprop as cp
from clearprop.experiment import read_settings
from clearprop.files.tensors import open_tensors, save_tensors

EVIL = "\x1b]0;t\x07\x9b31m\u202eb"
SHOWN = r"\x1b]0;t\x07\x9b31m\u202eb"
NOT_UTF8 = os.fsdecode(b"p\xff")


def assert_harmless(result):
    for text in (result.stdout, result.stderr):
        for character in set(text) - {"\n", "\t"}:
            assert unicodedata.category(character) not in {"Cc", "Cf", "Cs"}, ascii(text)


def write_table(path, column="x", classes=("a", "b")):
    random_state = np.random.RandomState(0)
    lines = [f'class,"{column}",z']  # in quotes, as a ; in a name could separate cells, too
    for row in range(40):
        x = random_state.randn()
        lines.append(f'"{classes[x > 0]}",{x:.4f},{row % 5}')
    Path(path).write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    return path


@pytest.fixture(scope="module")
def evil_model(clearprop, tmp_path_factory):
    """A model of a table whose name, column and classes are evil."""
    folder = tmp_path_factory.mktemp("evil")
    path = write_table(folder / f"{EVIL}.csv", EVIL, (f"no{EVIL}", f"yes{EVIL}"))
    result = clearprop("train", path, "--epochs", 2, "--layers", 2, "--out", folder / "run")
    assert result.exit_code == 0, result.stderr
    assert_harmless(result)
    return path, folder / "run"


@pytest.mark.usefixtures("with_pictures")
@pytest.mark.parametrize(
    "command",
    [
        ("data", "{data}"),
        ("data", "{data}", "--json"),
        ("data", "{data}", "--target", f"no{EVIL}"),
        ("show", "{run}/model.safetensors"),
        ("show", "{run}/model.safetensors", "--json"),
        ("predict", "{run}/model.safetensors", "{data}"),
        ("predict", "{run}/model.safetensors", "{data}", "--json"),
        ("evaluate", "{run}/model.safetensors", "{data}"),
        ("plot", "{run}"),
        ("check", "{run}"),
        ("walk", "{run}", "--layer", "input"),
        ("show", f"no{EVIL}.safetensors"),
        ("train", f"no{EVIL}"),
        ("train", "{data}", "--activation", EVIL),
        ("train", "digits", "--config", f"{EVIL}.toml"),
        (EVIL,),
        ("train", f"--{EVIL}"),
    ],
)
def test_no_command_prints_what_a_terminal_obeys(command, clearprop, evil_model):
    data, run = evil_model
    result = clearprop(*(part.format(data=data, run=run) for part in command))
    assert_harmless(result)
    said = result.stdout + result.stderr
    as_json = "--json" in command
    assert (r"\u001b" if as_json else r"\x1b") in said or command[0] in ("check", "walk", "plot")


def test_a_table_shows_the_column_and_the_classes(clearprop, evil_model):
    said = clearprop("data", evil_model[0]).stdout
    assert f"\n{SHOWN} " in said
    assert f"\nno{SHOWN} " in said


def test_json_holds_the_names_themselves(clearprop, evil_model, strict_json):
    described = strict_json(clearprop("data", evil_model[0], "--json").stdout)
    assert [one["name"] for one in described["columns"]] == ["class", EVIL, "z"]
    assert set(described["classes"]) == {f"no{EVIL}", f"yes{EVIL}"}


def test_a_page_shows_them(clearprop, evil_model):
    result = clearprop("walk", evil_model[1], "--html", "page.html")
    assert result.exit_code == 0, result.stderr
    page = Path("page.html").read_text(encoding="utf-8")
    assert SHOWN in page
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(page)


@pytest.mark.slow
def test_a_name_of_several_lines_is_one_line(clearprop, photos):
    (photos / "dark" / "a\nError: b.png").write_bytes(b"no picture")
    result = clearprop("data", photos)
    assert r"a\x0aError: b.png" in result.stdout + result.stderr
    result = clearprop("train", photos, "--epochs", 1, "--layers", 4, "--folds", 0, "--out", "run")
    assert "\nError" not in result.stderr
    result = clearprop("train", "no\nError: x.csv")
    assert (
        result.stderr == "Error: There is no file or folder no\n  Error: x.csv. Check the path.\n"
    )


def test_a_models_strings_that_no_encoding_has(clearprop, table_model, people):
    file = open_tensors(table_model, "model")
    described = json.loads(json.dumps(file.description))
    described["training"]["settings"]["data"] = "\ud800"
    described["training"]["\ud800"] = "\udfff\x1b"
    described["preprocessing"]["target"]["class_names"] = ["\ud800", "yes"]
    save_tensors("odd.safetensors", {name: file.read(name) for name in file.shapes}, described)
    for command in (
        ("show",),
        ("show", "--json"),
        ("predict", people),
        ("predict", people, "--json"),
    ):
        result = clearprop(command[0], "odd.safetensors", *command[1:])
        assert result.exit_code == 0, result.stderr
        assert_harmless(result)
        assert r"\ud800" in result.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("with_pictures")
def test_names_that_are_not_utf8_are_read_written_and_found_again(clearprop):
    data, run = write_table(f"{NOT_UTF8}.csv"), Path(f"run-{NOT_UTF8}")
    result = clearprop("train", data, "--epochs", 2, "--layers", 2, "--out", run)
    assert result.exit_code == 0, result.stderr
    assert {"model.safetensors", "history.csv", "config.toml", "report.json"} <= {
        path.name for path in run.iterdir()
    }
    here = str(Path(data).resolve())
    # Not compared by assert itself: a report of what is no UTF-8 ends the process that runs tests.
    assert (json.loads((run / "report.json").read_text())["data"] == here) is True
    tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    assert (read_settings(run / "config.toml")["data"] == here) is True
    told = cp.load(run / "model.safetensors").training["settings"]
    assert (told["data"] == data) is True
    for command in (
        ("train", "--resume", "--out", run),
        ("evaluate", run / "model.safetensors", data),
        ("predict", run / "model.safetensors", data),
        ("plot", run),
        ("doctor", run),
        ("check", run),
        ("walk", run, "--html", f"{NOT_UTF8}.html"),
        ("data", data, "--json"),
    ):
        result = clearprop(*command)
        assert result.exit_code == 0, (command, result.stderr)
        assert_harmless(result)
    assert Path(f"{NOT_UTF8}.html").stat().st_size


@pytest.mark.slow
@pytest.mark.usefixtures("with_pictures")
def test_pictures_whose_names_are_not_utf8(clearprop, tmp_path):
    for bright in (True, False):
        for seed in range(3):
            folder = tmp_path / "photos" / f"{'bright' if bright else 'dark'}{NOT_UTF8}"
            write_picture(folder / f"{seed}{NOT_UTF8}.png", bright=bright, seed=seed)
    options = ("--size", 4, "--layers", 2, "--epochs", 2, "--out", "run")
    assert clearprop("train", tmp_path / "photos", *options).exit_code == 0
    picture = folder / f"0{NOT_UTF8}.png"
    result = clearprop("predict", "run/model.safetensors", picture, "--show-in", "seen")
    assert result.exit_code == 0, result.stderr
    assert_harmless(result)


@pytest.mark.slow
def test_the_next_command_can_be_pasted_into_a_shell(clearprop):
    data = write_table(f"{NOT_UTF8} '\x1b.csv")
    said = clearprop("train", data, "--epochs", 1, "--layers", 2, "--out", data[:-4]).stdout
    typed = next(line for line in said.splitlines() if "clearprop show" in line).split("show ")[1]
    found = subprocess.run(
        ["/bin/bash", "-c", f"printf %s {typed}"], capture_output=True, check=True
    )
    assert os.fsdecode(found.stdout) == f"{data[:-4]}/model.safetensors"


def test_ordinary_words_are_typed_as_shells_are_used_to(clearprop):
    data = write_table("my people.csv")
    said = clearprop("train", data, "--epochs", 1, "--layers", 2, "--out", "my run").stdout
    assert shlex.quote("my run/model.safetensors") in said


@pytest.mark.parametrize(
    "encoding",
    ["ascii", *(pytest.param(e, marks=pytest.mark.slow) for e in ("latin-1", "cp1252", "utf-8"))],
)
def test_every_encoding_of_the_output_will_do(encoding, people, table_model):
    done = subprocess.run(
        [sys.executable, "-m", "clearprop", "evaluate", str(table_model), str(people)],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    done.stdout.decode(encoding)


@pytest.mark.usefixtures("with_pictures")
def test_plots_name_odd_classes(clearprop):
    data = write_table("odd.csv", "$x_{$", ("$\\frac", f"{EVIL}\udcff"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MPLBACKEND", "agg")
        result = clearprop("train", data, "--epochs", 1, "--layers", 2, "--out", "run")
    assert result.exit_code in (0, 1)
    assert_harmless(result)
