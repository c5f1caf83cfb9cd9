"""The command line: arguments in, text out; one file a command."""

from clearprop.cli.group import main

__all__ = ["main"]
