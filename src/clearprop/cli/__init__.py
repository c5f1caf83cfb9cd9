"""The command line: arguments in, text out.

A command is a file that defines it, and a line in `COMMANDS` that names it; the file is imported
only when the command is called, or told about in the help.
"""

import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import click

from clearprop.cli.command import Context, Formatter, colour, explained
from clearprop.errors import ClearpropError, did_you_mean, unknown_name
from clearprop.version import __version__

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "Data and training": {
        "train": "clearprop.cli.train",
        "data": "clearprop.cli.data",
        "compare": "clearprop.cli.compare",
        "cross-validate": "clearprop.cli.cross_validate",
        "search": "clearprop.cli.search",
        "doctor": "clearprop.cli.doctor",
        "studio": "clearprop.cli.studio",
    },
    "A trained model": {
        "predict": "clearprop.cli.predict",
        "evaluate": "clearprop.cli.evaluate",
        "explain": "clearprop.cli.explain",
        "show": "clearprop.cli.show",
        "plot": "clearprop.cli.show",
        "report": "clearprop.cli.report",
        "export": "clearprop.cli.export",
        "serve": "clearprop.cli.serve",
        "runs": "clearprop.cli.runs",
    },
    "Learning back-propagation": {
        "walk": "clearprop.cli.walk",
        "check": "clearprop.cli.check",
        "watch": "clearprop.cli.watch",
        "reproduce": "clearprop.cli.reproduce",
    },
}
"""The module of every command, in which the command goes by its own name, by groups of the help."""

_EXAMPLES = (
    "clearprop train digits",
    "clearprop train people.csv --target buys",
    "clearprop walk iris --html walk.html",
)
_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _Commands(click.Group):
    """Commands by name, and an exit code for every way to end."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for group in COMMANDS.values():
            if cmd_name in group:
                function = cmd_name.replace("-", "_")
                command: click.Command = getattr(import_module(group[cmd_name]), function)
                return command
        if ctx.resilient_parsing:  # a shell asks what might come next
            return None
        raise unknown_name("command", cmd_name, [*self.list_commands(ctx), "help"])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``help COMMAND`` for ``COMMAND --help``, and nothing for a call for help."""
        if not ctx.resilient_parsing and (not args or args[0] == "help"):
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by groups, and examples."""
        for title, group in COMMANDS.items():
            with formatter.section(title):
                every = ((name, self.get_command(ctx, name)) for name in group)
                formatter.write_dl(
                    [(name, one.get_short_help_str(200)) for name, one in every if one is not None]
                )
        if isinstance(formatter, Formatter):
            formatter.write_examples(_EXAMPLES)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its exit code; no traceback for a user's mistake."""
        kwargs |= {"standalone_mode": False, "color": kwargs.get("color", colour())}
        try:
            code = super().main(*args, **kwargs)
        except ClearpropError as error:
            _output().complain(str(error))
            code = error.exit_code
        except click.ClickException as error:
            _complain_of_usage(error)
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            _output().note("Interrupted.")
            code = _INTERRUPTED
        except SystemExit:  # click's, when nobody reads on in a help text: that is no error
            code = 0
        except (MemoryError, OSError, RuntimeError) as error:
            if (said := explained(error)) is None:
                raise
            _output().complain(said)
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="All about one of them: clearprop help COMMAND",
)
@click.version_option(__version__, prog_name="clearprop")
def cli() -> None:
    """Train deep feed-forward networks, and see, check and explain every number in them."""


def main() -> NoReturn:
    """Run the command line."""
    _open_closed_streams()
    # What libraries log of odd files would be printed; commands say it in their own words.
    logging.getLogger().addHandler(logging.NullHandler())
    cli.main(prog_name="clearprop")


def _open_closed_streams() -> None:
    """Put nothing in the place of closed standard streams: the next file would take it.

    And what a library writes to standard error would go into that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest place that is free


def _complain_of_usage(error: click.ClickException) -> None:
    """Say what is wrong with a command as it was typed, and how it is used."""
    message, ctx = error.format_message(), getattr(error, "ctx", None)
    if ctx is not None:
        _output().tell(f"{ctx.get_usage()}\nTry '{ctx.command_path} --help' for help.\n")
        if isinstance(error, click.NoSuchOption):
            known = [name for param in ctx.command.get_params(ctx) for name in param.opts]
            hint = did_you_mean(error.option_name, known)
            message = f"There is no option {error.option_name!r}.{hint}"
        if message.startswith("Got unexpected extra argument") and any(map(_is_file, sys.argv)):
            message += " A pattern that stands for several files is written in quotes: 'data/*'."
    _output().complain(message)


def _is_file(word: str) -> bool:
    return Path(word).suffix != "" and Path(word).is_file()


def _output() -> ModuleType:
    """Import how commands speak when one has to: --help and --version are to be quick."""
    return import_module("clearprop.cli.output")
