"""What commands have in common: examples and groups of options in their help, --quiet, colour."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from clearprop.errors import did_you_mean, listed, shortened

EVERY = "In every command"
"""The group of the options that every command has."""

_OWN = "Options"
_GROUPS = (_OWN, "Data", "Network", "Training", "Regularisation", "Held-out samples", EVERY)
_QUIET = "clearprop.quiet"


def colour() -> bool | None:
    """Return False where nobody wants colour, None where it depends on whether one can see it."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def is_quiet() -> bool:
    """Whether the command that runs was told to leave out progress and notes."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_QUIET))


def explained(error: Exception) -> str | None:
    """Say what the system refuses by an error that is of no file; None where it is no such error.

    Files have errors of their own.
    """
    if isinstance(error, MemoryError):
        asked = f": {error}" if str(error) else ""
        return f"There is not enough memory{asked}. Use smaller layers or less data."
    if isinstance(error, OSError):
        concerned = "" if error.filename is None else f" ({error.filename})"
        return f"The system refuses what is needed here: {error.strerror or error}{concerned}."
    if str(error) == "can't start new thread":  # as Python words it
        return f"The system refuses what is needed here: {error}."
    return None


class Formatter(click.HelpFormatter):
    """Help with headings that stand out on a terminal."""

    def write_heading(self, heading: str) -> None:
        """Write a heading in bold."""
        super().write_heading(click.style(heading, bold=True))

    def write_examples(self, examples: Sequence[str]) -> None:
        """Write commands, each unbroken: one copies them."""
        with self.section("Examples"):
            for example in examples:
                self.write(f"{'':{self.current_indent}}{example}\n")


class Context(click.Context):
    """The context of a command, with its formatter."""

    formatter_class = Formatter


class Option(click.Option):
    """An option that stands in a group of the help.

    Parameters
    ----------
    *args : object
    group : str
    **kwargs : object
        As of `click.Option`.
    """

    def __init__(self, *args: Any, group: str = _OWN, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class OneOf(click.Choice[str]):
    """One of several names; a wrong one is told the nearest."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Refuse an unknown name."""
        if value not in self.choices:
            hint = did_you_mean(str(value), self.choices)
            self.fail(
                f"{shortened(value)} is none.{hint} Known: {listed(self.choices)}.", param, ctx
            )
        return str(value)


class DataName(click.ParamType[str]):
    """Data by name or path."""

    name = "data"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of data sets, and files."""
        from clearprop.data.named import BUILTINS, TOYS

        known = [name for name in (*BUILTINS, *TOYS) if name.startswith(incomplete)]
        return [*map(CompletionItem, known), CompletionItem(incomplete, type="file")]


class Command(click.Command):
    """A command with examples in its help, its options in groups, and ``--quiet``."""

    context_class = Context

    def __init__(self, *args: Any, examples: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        _quiet_option(self)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and examples."""
        super().format_help_text(ctx, formatter)
        if isinstance(formatter, Formatter):
            formatter.write_examples(self.examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by groups."""
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in _GROUPS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups[_group_of(param)].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def command(*examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function.

    Parameters
    ----------
    *examples : str
        Commands for its help, as one types them.
    """
    return click.command(cls=Command, examples=examples)


def _group_of(param: click.Option) -> str:
    if isinstance(param, Option):
        return param.group
    return EVERY if "--help" in param.opts else _OWN  # click's own


def _keep_quiet(ctx: click.Context, _: click.Parameter, quiet: bool) -> None:
    ctx.meta[_QUIET] = quiet


_quiet_option = click.option(
    "-q",
    "--quiet",
    cls=Option,
    group=EVERY,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_keep_quiet,
    help="Leave out progress and notes; results and errors stay.",
)
