"""Help that teaches, words that are not known, --quiet, colour, and the page that tells of them."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from clearprop.cli import COMMANDS, cli
from clearprop.experiment.settings import Settings, described

NAMES = [name for group in COMMANDS.values() for name in group]
TOP = click.Context(cli)
DOCUMENT = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
CODES = {0, 1, 2, 130}


def command_of(name):
    return cli.get_command(TOP, name)


def parsed(example):
    """Read an example as the command line does, without running it."""
    program, name, *words = shlex.split(example)
    assert program == "clearprop"
    return command_of(name).make_context(name, words)


class TestHelp:
    @pytest.mark.parametrize("call", [[], ["help"], ["-h"]])
    def test_is_shown_for_nothing_help_and_h(self, clearprop, call):
        result = clearprop(*call)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == clearprop("--help").stdout

    def test_has_commands_in_groups_and_examples(self, clearprop):
        text = clearprop("help").stdout
        places = [text.index(f"\n{title}:\n") for title in [*COMMANDS, "Examples"]]
        assert places == sorted(places)
        for title, group in COMMANDS.items():
            block = text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]
            listed = re.findall(r"^  ([\w-]+) +\w", block, re.MULTILINE)
            assert listed == list(group)
        assert "..." not in text.replace("[ARGS]...", "")  # nothing is cut

    @pytest.mark.parametrize("name", NAMES)
    def test_of_a_command_has_two_ways(self, clearprop, name):
        assert clearprop("help", name).stdout == clearprop(name, "--help").stdout

    @pytest.mark.parametrize("name", NAMES)
    def test_has_examples_that_can_be_read(self, clearprop, name):
        lines = clearprop("help", name).stdout.partition("\nExamples:\n")[2].splitlines()
        examples = [line.strip() for line in lines[: lines.index("")]]
        assert examples
        for example in examples:
            assert parsed(example).info_name == name
            assert example.split()[1] == name

    @pytest.mark.parametrize("name", NAMES)
    def test_has_json_and_quiet_in_every_command(self, name):
        every = {word for param in command_of(name).params for word in param.opts}
        assert {"--json", "--quiet", "-q"} <= every

    def test_groups_the_options_of_settings_by_what_their_fields_say(self, clearprop):
        text = clearprop("train", "--help").stdout
        groups = {about.group for about in described(Settings).values()} - {""}
        assert len(groups) == 5
        for name, about in described(Settings).items():
            if name != "data":
                block = text.partition(f"\n{about.group}:\n")[2].partition("\n\n")[0]
                option = {"start": "from"}.get(name, name.replace("_", "-"))
                assert re.search(rf"^  --{option}\b", block, re.MULTILINE), name

    @pytest.mark.parametrize("columns", [50, 80])
    @pytest.mark.parametrize("name", NAMES)
    def test_fits_the_width(self, name, columns):
        command = command_of(name)
        context = command.context_class(command, TOP, name, terminal_width=columns)
        text = click.unstyle(context.get_help())
        wide = [line for line in text.splitlines() if len(line) > columns]
        assert all(line.startswith("  clearprop ") for line in wide)  # examples are never broken
        assert len(max(text.partition("In every command:")[2].splitlines(), key=len)) > columns - 20


class TestUnknownWords:
    @pytest.mark.parametrize(
        ("words", "meant"),
        [
            (["trian", "iris"], "train"),
            (["help", "wlak"], "walk"),
            (["hlep"], "help"),
            (["train", "iris", "--lerning-rate", "1"], "--learning-rate"),
            (["predict", "model", "file", "--prboa"], "--proba"),
            (["train", "iris", "--activation", "rleu"], "relu"),
            (["train", "iris", "--optimizer", "admaw"], "adamw"),
            (["compare", "iris", "--layers", "3", "--schedule", "cosin"], "cosine"),
            (["walk", "iris", "--notation", "cuorse"], "course"),
            (["walk", "iris", "--layer", "lsos"], "loss"),
            (["train", "irs"], "iris"),
            (["data", "digit"], "digits"),
            (["train", "iris", "--validation", "irsi"], "iris"),
            (["train", "{people}", "--target", "byus"], "buys"),
            (["data", "{people}", "--drop", "wieght"], "weight"),
            (["train", "{people}", "--group", "clour"], "colour"),
            (["data", "{people}", "--encoding", "latn1"], "latin-1"),
            (["reproduce", "mnist-fnn"], "mnist-ffn"),
            (["train", "--config", "dash.toml"], "learning_rate"),
            (["train", "--config", "value.toml"], "adam"),
        ],
    )
    def test_are_told_the_nearest_known_one(self, clearprop, people, words, meant):
        Path("dash.toml").write_text('data = "iris"\nlearning-rate = 0.1\n')
        Path("value.toml").write_text('data = "iris"\noptimizer = "adma"\n')
        result = clearprop(*(word.format(people=people) for word in words))
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"Did you mean {meant!r}?" in result.stderr

    @pytest.mark.parametrize(
        "words",
        [["train", "peple.csv"], ["predict", "model", "peple.csv"], ["show", "peple.safetensors"]],
    )
    def test_of_files_are_told_the_nearest_in_the_folder(self, clearprop, table_model, words):
        suffix = Path(words[-1]).suffix
        Path(f"people{suffix}").touch()
        Path("people").mkdir()  # a suffix counts, too
        result = clearprop(*(table_model if word == "model" else word for word in words))
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"Did you mean 'people{suffix}'?" in result.stderr

    def test_that_are_like_nothing_get_no_suggestion(self, clearprop):
        Path("a.csv").touch()
        for words in (["zzzzzz"], ["data", "zzzzzz.csv"], ["train", "iris", "--init", "zzzz"]):
            assert "Did you mean" not in clearprop(*words).stderr

    def test_are_known_to_a_shell_that_completes(self, clearprop):
        def completed(*words):
            env = {"_CLEARPROP_COMPLETE": "bash_complete", "COMP_WORDS": shlex.join(words)}
            env["COMP_CWORD"] = str(len(words) - 1)
            result = CliRunner(env=env).invoke(cli, prog_name="clearprop")
            assert result.stderr == ""
            return [line.partition(",")[2] for line in result.stdout.splitlines()]

        assert completed("clearprop", "com") == ["compare"]
        assert completed("clearprop", "help", "com") == ["compare"]
        assert completed("clearprop", "train", "--act") == ["--activation"]
        assert completed("clearprop", "train", "--activation", "sig") == ["sigmoid"]
        assert completed("clearprop", "train", "ir") == ["iris", "ir"]  # "ir": files, too


class TestQuiet:
    def test_leaves_out_progress_and_notes_and_changes_no_result(self, clearprop, people):
        options = ("--epochs", 2, "--layers", 2)
        loud = clearprop("train", people, *options, "--out", "loud")
        quiet = clearprop("train", people, *options, "--out", "quiet", "--quiet")
        assert "epoch" in loud.stderr
        assert (quiet.exit_code, quiet.stderr) == (0, "")
        scores = [line for line in loud.stdout.splitlines() if " samples" in line]
        assert scores == [line for line in quiet.stdout.splitlines() if " samples" in line]
        assert scores

    def test_keeps_errors(self, clearprop):
        assert clearprop("data", "gone.csv", "-q").stderr.startswith("Error: There is no file")


class TestColour:
    @pytest.mark.parametrize(
        ("env", "bold"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
    )
    def test_makes_headings_bold_where_it_is_wanted(self, env, bold):
        runner = CliRunner(env={"NO_COLOR": None, "TERM": "xterm", **env})
        colour = {"color": True} if bold else {}
        shown = runner.invoke(cli, ["--help"], **colour).stdout
        assert ("\x1b[1mExamples" in shown) == bold
        assert ("\x1b" in shown) == bold
        wrong = runner.invoke(cli, ["train", "--lrs"], color=True).stderr
        assert ("\x1b[31mError: " in wrong) == bold


class TestThePage:
    def test_tells_of_every_command_with_an_example(self):
        rows = re.findall(r"^\| `([\w-]+)` \| .+ \| `(clearprop .+)` \|$", DOCUMENT, re.MULTILINE)
        assert [name for name, _ in rows] == NAMES
        for name, example in rows:
            assert parsed(example).info_name == name

    def test_tells_of_every_exit_code(self):
        assert {
            int(code) for code in re.findall(r"^\| `(\d+)` \|", DOCUMENT, re.MULTILINE)
        } == CODES

    def test_tells_of_the_variables_that_count(self):
        named = re.findall(r"^\| (`[A-Z_`, ]+`) \|", DOCUMENT, re.MULTILINE)
        said = {name.strip("` ") for one in named for name in one.split(",")}
        assert {"NO_COLOR", "TERM", "COLUMNS", "CLEARPROP_KERNELS", "_CLEARPROP_COMPLETE"} <= said
        assert "CLEARPROP_TOKEN" in said

    def test_shows_errors_as_they_are(self, clearprop):
        shown = re.findall(r"^\$ (clearprop .+)\n(Error: .+) \.\.\.$", DOCUMENT, re.MULTILINE)
        assert len(shown) == 2
        for line, error in shown:
            assert error in clearprop(*shlex.split(line)[1:]).stderr
