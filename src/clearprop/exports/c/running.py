"""A file of C, compiled by the compiler that is there and run, in processes within bounds."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import Final

from clearprop.core.printable import printable
from clearprop.errors import OutputError

_SECONDS: Final = 600.0  # that compiling, and that running may take
_NUMBER: Final = 32  # bytes at most of a number that is printed

FLAGS: Final = ("-std=c99", "-O2")

Lines = dict[str, list[list[float]]]
"""By the first word of a line: the numbers behind it, line by line."""


def compiler() -> list[str] | None:
    """Return the command of a C compiler: CC of the environment, else cc, gcc or clang, if any."""
    for command in (shlex.split(os.environ.get("CC", "")), ["cc"], ["gcc"], ["clang"]):
        if command and (found := shutil.which(command[0])):
            return [found, *command[1:]]
    return None


def version_of(command: Sequence[str]) -> str:
    """Return what a compiler calls itself."""
    said = _said([*command, "--version"], 60.0)
    return printable(said.partition("\n")[0], one_line=True) or Path(command[0]).name


class CompilingError(Exception):
    """A compiler's refusal."""


def compiled(
    command: Sequence[str], source: Path, out: Path, *flags: str, seconds: float = _SECONDS
) -> None:
    """Compile a file.

    Raises
    ------
    CompilingError
        If the compiler doesn't, with what it says first.
    """
    done = [*command, *FLAGS, *flags, "-o", str(out), str(source), "-lm"]
    try:
        _said(done, seconds)
    except subprocess.CalledProcessError as error:
        said = error.output.decode(errors="replace")
        first = next((line for line in said.splitlines() if "error" in line), said[:200])
        raise CompilingError(printable(first, one_line=True)) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilingError(printable(str(error), one_line=True)) from error


def printed(program: Path, *words: str, numbers: int) -> Lines:
    """Run a program, and return the lines that it prints.

    Parameters
    ----------
    program : Path
    *words : str
        Its arguments.
    numbers : int
        How many it prints at most.

    Raises
    ------
    OutputError
        If it fails, takes too long or says too much.
    """
    most = _NUMBER * (numbers + 1)
    with subprocess.Popen(  # noqa: S603 - what was just compiled
        [str(program), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        clock = Timer(_SECONDS, process.kill)
        clock.start()
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - asked
        told = process.stdout.read(most + 1)
        if len(told) > most:
            process.kill()
        errors = process.stderr.read(2**12).decode(errors="replace")
        process.wait()
    is_over = not clock.is_alive()
    clock.cancel()
    if process.returncode != 0 or len(told) > most:
        why = printable(errors, one_line=True) or f"exit code {process.returncode}"
        if len(told) > most:
            why = f"it says more than {most:,} bytes"
        elif is_over:
            why = f"it was not done in {_SECONDS:g} seconds"
        raise OutputError(f"The program compiled from the exported C failed: {why}.")
    lines: Lines = {}
    for line in told.decode("ascii", "replace").splitlines():
        what, *found = line.split()
        lines.setdefault(what, []).append([float(one) for one in found])
    return lines


def code_size(files: Mapping[str, bytes], name: str) -> int | None:
    """Return the bytes of code and constants, compiled for this machine; None where that can't be.

    Parameters
    ----------
    files : mapping of str to bytes
        The file's content by ending.
    name : str
        How they are called.
    """
    command, size = compiler(), shutil.which("size")
    if command is None or size is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        for ending, content in files.items():
            with Path(folder, f"{name}{ending}").open("wb") as file:
                file.write(content)
        out = Path(folder, "out.o")
        try:
            # Small, as for a microcontroller; and without tables that only exceptions need.
            flags = ("-Os", "-fno-asynchronous-unwind-tables", "-c")
            compiled(command, Path(folder, f"{name}.c"), out, *flags, seconds=60.0)
            text, data, *_ = _said([size, str(out)], 60.0).splitlines()[1].split()
            return int(text) + int(data)
        except (CompilingError, OSError, subprocess.SubprocessError, ValueError, IndexError):
            return None


def _said(command: list[str], seconds: float) -> str:
    done = subprocess.run(  # noqa: S603 - a compiler, as found
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=True,
    )
    return done.stdout.decode(errors="replace")
