"""What is printed, written and read goes through one door each."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "src/clearprop"
COMMANDS = sorted((HOUSE / "cli").glob("*.py"))
DOOR = HOUSE / "cli/output.py"

PRINTING = {"echo", "secho", "print", "print_exception", "echo_via_pager"}
WRITING = {"write_text", "write_bytes", "savefig", "savez", "tofile", "touch"}
READING = {"read_text", "read_bytes"}

WRITTEN_BY = {  # into a folder of their own, or through the door itself
    *("files/written.py", "files/tensors.py", "plots/figures.py"),
    *("gradcheck/learner/process.py", "gradcheck/learner/child.py"),
    *("exports/python/target.py", "studio/upload.py"),
}
READ_BY = {  # files that the system or clearprop itself has just written, or code that is run
    *("core/blas.py", "gradcheck/learner/process.py"),
    *("gradcheck/learner/child.py", "gradcheck/learner/running.py"),
}


def calls(source):
    """Return the names of the functions and methods that are called, with their lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func
            found.append((getattr(name, "attr", None) or getattr(name, "id", ""), node.lineno))
    return found


def called_in(files, names):
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    return [
        f"{file.relative_to(HOUSE)}:{line} {name}"
        for file, text in texts.items()
        if any(name in text for name in names)  # to parse takes long
        for name, line in calls(text)
        if name in names
    ]


def test_commands_print_through_their_door_alone():
    assert not called_in([file for file in COMMANDS if file != DOOR], PRINTING)


def test_the_door_is_not_walled_up():
    assert called_in([DOOR], PRINTING)


def test_nothing_is_written_past_the_door():
    others = [file for file in HOUSE.rglob("*.py") if name_of(file) not in WRITTEN_BY]
    written_beside = [
        one
        for one in called_in(others, WRITING)
        if not one.endswith(" write_text")  # which is the door's own name, too
    ]
    assert not written_beside
    for file in others:
        assert ".write_text" not in file.read_text(encoding="utf-8"), name_of(file)


def test_whole_files_are_read_through_the_door():
    others = [file for file in HOUSE.rglob("*.py") if name_of(file) not in READ_BY]
    assert not called_in(others, READING)


def name_of(file):
    return file.relative_to(HOUSE).as_posix()


@pytest.mark.parametrize("line", ["print(1)", "click.echo(x)", "self.out.secho('a')"])
def test_a_call_is_found(line):
    assert {name for name, _ in calls(line)} & PRINTING
