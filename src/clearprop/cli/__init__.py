"""The command line: arguments in, text out.

A command is a file that defines it, and a line in `COMMANDS` that names it; the file is imported
only when the command is called, or told about in the help.
"""

import logging
import os
import sys
from importlib import import_module
from io import StringIO
from types import ModuleType
from typing import Any, NoReturn

import click

from clearprop.errors import ClearpropError, unknown_name
from clearprop.version import __version__

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "train": "clearprop.cli.train",
    "predict": "clearprop.cli.predict",
    "evaluate": "clearprop.cli.evaluate",
    "show": "clearprop.cli.show",
    "plot": "clearprop.cli.show",
    "data": "clearprop.cli.data",
    "compare": "clearprop.cli.compare",
    "check": "clearprop.cli.check",
    "reproduce": "clearprop.cli.reproduce",
    "walk": "clearprop.cli.walk",
    "doctor": "clearprop.cli.doctor",
    "runs": "clearprop.cli.runs",
}
"""The module of every command, in which the command goes by its own name, in the help's order."""

_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _Commands(click.Group):
    """Commands by name, and an exit code for every way to end."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise unknown_name("command", cmd_name, COMMANDS)
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its exit code; no traceback for a user's mistake."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except ClearpropError as error:
            _output().complain(str(error))
            code = error.exit_code
        except click.ClickException as error:
            shown = StringIO()  # first, because what was typed is text from outside
            error.show(shown)
            _output().tell(shown.getvalue().rstrip())
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            _output().note("Interrupted.")
            code = _INTERRUPTED
        except MemoryError as error:
            asked = f": {error}" if str(error) else ""
            _output().complain(
                f"There is not enough memory{asked}. Use smaller layers or less data."
            )
            code = 1
        except OSError as error:  # no file's: these have errors of their own
            concerned = "" if error.filename is None else f" ({error.filename})"
            reason = f"{error.strerror or error}{concerned}"
            _output().complain(f"The system refuses what is needed here: {reason}.")
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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


def _output() -> ModuleType:
    """Import how commands speak when one has to: --help and --version are to be quick."""
    return import_module("clearprop.cli.output")
