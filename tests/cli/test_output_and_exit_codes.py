"""What holds for every command: where it speaks, how it ends, what it leaves behind."""

import errno
import json
import multiprocessing.util
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import clearprop as cp
from clearprop.cli import COMMANDS, cli
from clearprop.cli.output import duration, percent, say_table
from clearprop.training import History

NAMES = [name for group in COMMANDS.values() for name in group]
PROGRAM = (sys.executable, "-m", "clearprop")


class TestHelp:
    @pytest.mark.parametrize("command", NAMES)
    def test_explains_every_option(self, clearprop, command):
        result = clearprop(command, "--help")
        assert result.exit_code == 0
        assert clearprop(command, "-h").stdout == result.stdout
        for parameter in cli.get_command(click.Context(cli), command).params:
            if isinstance(parameter, click.Option):
                assert parameter.help
                assert parameter.opts[0] in result.stdout

    def test_tells_the_version(self, clearprop):
        assert cp.__version__ in clearprop("--version").stdout

    def test_and_show_load_neither_matplotlib_nor_scikit_learn_nor_pillow(self, table_model):
        program = textwrap.dedent("""
            import sys
            from click.testing import CliRunner
            from clearprop.cli import cli

            model, *commands = sys.argv[1:]
            for call in (["show", model], *([command, "--help"] for command in commands)):
                assert CliRunner().invoke(cli, call).exit_code == 0, call
            print({"matplotlib", "sklearn", "PIL", "scipy", "h5py"} & set(sys.modules))
        """)
        done = subprocess.run(
            [sys.executable, "-c", program, table_model, *NAMES],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.strip(), done.stderr) == ("set()", "")


class TestOneMoreCommand:
    def test_is_a_file_and_the_line_that_names_it(self, clearprop, elsewhere, monkeypatch):
        Path("salute_command.py").write_text(
            textwrap.dedent("""
                import click

                from clearprop.cli.command import command
                from clearprop.cli.output import json_option, say_json
                from clearprop.errors import DataError

                @command("clearprop salute Ada")
                @click.argument("name")
                @json_option
                def salute(name, as_json):
                    \"\"\"Salute whom you name.\"\"\"
                    if not name.isalpha():
                        raise DataError(f"{name} is no name.")
                    say_json({"saluted": name})
            """)
        )
        assert "There is no command 'salute'" in clearprop("salute", "Ada").stderr
        monkeypatch.syspath_prepend(elsewhere)
        monkeypatch.setitem(COMMANDS, "Politeness", {"salute": "salute_command"})
        assert "Politeness:\n  salute  Salute whom you name." in clearprop("--help").stdout
        assert json.loads(clearprop("salute", "Ada").stdout) == {"saluted": "Ada"}
        result = clearprop("salute", "4")
        assert (result.exit_code, result.stderr) == (1, "Error: 4 is no name.\n")


class TestUsage:
    def test_of_a_command_that_does_not_exist_gets_the_nearest(self, clearprop):
        result = clearprop("trian", "digits")
        assert result.exit_code == 2
        assert "There is no command 'trian'. Did you mean 'train'?" in result.stderr

    @pytest.mark.parametrize("arguments", [["train"], ["train", "--lrs"], ["predict"], ["show"]])
    def test_that_is_wrong_exits_with_2_and_says_nothing_to_standard_output(
        self, clearprop, arguments
    ):
        result = clearprop(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Error: " in result.stderr


class TestColour:
    @pytest.mark.parametrize(("no_color", "begin"), [(None, "\x1b[31mError: "), ("1", "Error: ")])
    def test_is_left_out_where_no_color_asks_so(self, no_color, begin):
        on_a_terminal = CliRunner(env={"NO_COLOR": no_color})
        result = on_a_terminal.invoke(cli, ["show", "none"], color=True)
        assert result.stderr.startswith(begin)


_WRONG = """
import numpy as np


def forward(X, parameters):
    return parameters["W1"] @ X + parameters["b1"]


def compute_cost(A, Y):
    return np.sum((A - Y) ** 2) / (2 * Y.shape[1])


def backward(X, Y, A, parameters):
    return {"dW1": (Y - A) @ X.T, "db1": np.sum(A - Y, axis=1, keepdims=True)}
"""


class TestWhatTheSystemRefuses:
    @pytest.mark.parametrize(("command", "code"), [("compare", 1), ("check", 2)])
    @pytest.mark.parametrize("refused", ["thread", "process"])
    def test_is_said_by_its_name(self, clearprop, monkeypatch, command, code, refused):
        def no_thread(*_):
            raise RuntimeError("can't start new thread")

        def no_process(*_, **__):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        if refused == "thread":
            monkeypatch.setattr(threading.Thread, "start", no_thread)
        else:
            monkeypatch.setattr(subprocess, "Popen", no_process)
            monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", no_process)
        Path("wrong.py").write_text(_WRONG)
        words = ["iris", "--layers", 2, "--repeats", 1] if command == "compare" else ["wrong.py"]
        result = clearprop(command, *words, "--quiet")
        reason = "can't start new thread" if refused == "thread" else os.strerror(errno.EAGAIN)
        assert (result.exit_code, result.stdout) == (code, "")
        assert result.stderr == f"Error: The system refuses what is needed here: {reason}.\n"

    def test_of_threads_leaves_pictures_to_be_read_by_one(
        self, clearprop, photos, monkeypatch, strict_json
    ):
        def refuse(*_):
            raise RuntimeError("can't start new thread")

        before = clearprop("data", photos, "--json").stdout
        monkeypatch.setattr(threading.Thread, "start", refuse)
        result = clearprop("data", photos, "--json")
        assert (result.exit_code, result.stdout) == (0, before)
        assert strict_json(before)["samples"] == 12

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (MemoryError(), "There is not enough memory. "),
            (
                MemoryError("Unable to allocate 9 GiB"),
                "There is not enough memory: Unable to allocate 9 GiB. ",
            ),
            (
                OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
                f"The system refuses what is needed here: {os.strerror(errno.EMFILE)}.",
            ),
        ],
    )
    def test_is_no_matter_of_output(self, clearprop, monkeypatch, error, said):
        def fail(*_):
            raise error

        monkeypatch.setattr("clearprop.cli.data.load_dataset", fail)
        result = clearprop("data", "iris")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {said}")

    def test_other_errors_are_ours_and_have_a_traceback(self, clearprop, monkeypatch):
        def fail(*_):
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr("clearprop.cli.data.load_dataset", fail)
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            clearprop("data", "iris")


class TestTables:
    def test_are_aligned_and_change_no_text(self, capsys):
        say_table(("name ", "n"), [(":cat: [red]x[/]", 1), ("猫", 23), ("x" * 300, 4)], "Title")
        title, header, *rows = capsys.readouterr().out.splitlines()
        assert (title, header) == ("Title", f"{'name':300}   n")
        assert rows == [f"{':cat: [red]x[/]':300}   1", f"{'猫':299}  23", f"{'x' * 300}   4"]

    def test_of_no_number_show_a_dash(self):
        assert percent(float("nan")) == "–"
        assert percent(0.98333) == "98.33%"
        assert [duration(seconds) for seconds in (0.041, 61.55)] == ["0.04 s", "61.5 s"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of POSIX")
class TestAProcess:
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["data", "digits"], 0),
            (["--help"], 0),
            (["help", "train"], 0),
            (["--version"], 0),
            (["check", "wrong.py"], 1),
        ],
    )
    def test_ends_as_ever_when_nobody_reads_on(self, words, code):
        Path("wrong.py").write_text(_WRONG)
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*PROGRAM, *words, *(["-q"] if words[0] == "check" else [])],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (code, b"")

    @pytest.mark.slow
    def test_does_its_work_when_nobody_reads_on(self):
        reading, writing = os.pipe()
        os.close(reading)
        words = ["train", "iris", "--epochs", "2", "--layers", "2", "--folds", "0", "--out", "run"]
        done = subprocess.run(
            [*PROGRAM, *words], stdout=writing, stderr=writing, check=False, timeout=300
        )
        os.close(writing)
        assert done.returncode == 0
        assert {"curves.png", "model.safetensors"} <= {path.name for path in Path("run").iterdir()}

    @pytest.mark.slow
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_says_when_its_output_cant_be_written(self):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, "data", "iris"], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert done.returncode == 1
        assert done.stderr == b"Error: The output can't be written: No space left on device.\n"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_says_so_of_a_table_too(self, table_model, people):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, "predict", str(table_model), str(people)],
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr == b"Error: The output can't be written: No space left on device.\n"

    @pytest.mark.parametrize(
        "closed",
        [
            "<&- >&- 2>&-",
            *(
                pytest.param(one, marks=pytest.mark.slow)
                for one in ("2>&-", "2>/dev/full", ">&- 2>&-", "<&-")
            ),
        ],
    )
    def test_trains_though_nobody_can_hear_it(self, closed):
        words = [
            *PROGRAM,
            "train",
            "iris",
            "--epochs",
            "12",
            "--layers",
            "2",
            "--folds",
            "0",
            "--out",
        ]
        words.append("run")
        done = subprocess.run(
            ["/bin/sh", "-c", f"{shlex.join(words)} {closed}"], capture_output=True, check=False
        )
        assert done.returncode == 0
        assert done.stdout.startswith(b"" if ">&- 2" in closed else b"Held out ")
        assert b"Traceback" not in done.stderr
        assert {"curves.png", "model.safetensors"} <= {path.name for path in Path("run").iterdir()}
        assert cp.load("run/model.safetensors").network.output_shape == (3,)

    @pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
    def test_fails_with_its_code_though_nobody_can_hear_why(self, closed):
        words = shlex.join([*PROGRAM, "data", "gone.csv"])
        done = subprocess.run(
            ["/bin/sh", "-c", f"{words} {closed}"], capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")

    @pytest.mark.parametrize("command", ["data", "train", "predict", "evaluate"])
    @pytest.mark.parametrize("given", ["</dev/zero", "<&-"])
    def test_refuses_standard_input_that_never_ends_or_is_closed(self, command, given, table_model):
        model = [str(table_model)] if command in ("predict", "evaluate") else []
        words = shlex.join([*PROGRAM, command, *model, "-"])
        limits = "ulimit -v 4000000;"  # KiB: without a bound it would fill the memory
        done = subprocess.run(
            ["/bin/sh", "-c", f"{limits} {words} {given}"], capture_output=True, check=False
        )
        reason = "no text: it holds zero bytes" if "zero" in given else "it is closed"
        assert done.returncode == 1
        assert re.fullmatch(f"Error: .*tandard input.* {reason}.*\n", done.stderr.decode())

    def test_that_is_interrupted_keeps_the_model_so_far(self):
        # No trial of other strengths of L2, which would be as long as the training.
        options = ("--folds", "0", "--layers", "64", "--batch-size", "1", "--l2", "0")
        options += ("--epochs", "100000")
        with subprocess.Popen(
            [*PROGRAM, "train", "iris", *options, "--out", "run"],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("epoch "):
                    break
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        assert process.returncode == 130
        assert errors.rstrip().endswith("Interrupted.")
        assert "Traceback" not in errors
        cp.load("run/model.safetensors")


@pytest.mark.usefixtures("with_pictures")
class TestAFullDisk:
    @pytest.mark.parametrize("room", range(14))
    def test_leaves_only_whole_files(self, clearprop, people, monkeypatch, room):
        written = []
        sync = os.fsync

        def run_full(descriptor):
            if len(written) == room:
                raise OSError(28, os.strerror(28))
            written.append(descriptor)
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", run_full)
        result = clearprop(
            "train", people, "--epochs", 1, "--layers", 2, "--folds", 0, "--out", "run"
        )
        everything = [
            "config.toml", "checkpoint.safetensors", "config.toml", "model.safetensors",
            "history.csv", "report.json", "curves.png", "confusion.png", "calibration.png",
            "importance.png", "epochs.safetensors", "report.json", "report.html",
        ]  # fmt: skip
        left = {path.name: path for path in Path("run").iterdir()}
        assert set(left) == set(everything[:room])
        if room == len(everything):
            assert result.exit_code == 0
            return
        assert result.exit_code == 1
        assert f"{everything[room]} can't be written: No space left on device" in result.stderr
        for name, reads in (
            ("config.toml", lambda path: tomllib.loads(path.read_text())),
            ("model.safetensors", cp.load),
            ("history.csv", History.load),
            ("report.json", lambda path: json.loads(path.read_text())),
        ):
            if name in left:
                reads(left[name])
