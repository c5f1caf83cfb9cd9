"""No file makes a reader fail in a way of its own; more of them: python tests/fuzz/run.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from readers import READERS, FindingError, Reader, require_harmless, require_message, try_file

FILES = {
    "models": 320,
    "estimators": 300,
    "checkpoints": 200,
    "settings": 400,
    "histories": 400,
    "folds": 300,
    "searches": 300,
    "tables": 300,
    "arrays": 300,
    "columnar": 200,
    "workbooks": 20,
    "pictures": 300,
    "backbones": 200,
    "runs": 30,
}
PROGRAM = (sys.executable, "-m", "clearprop")


def test_there_are_two_thousand_files_for_every_reader_together():
    assert FILES.keys() == READERS.keys()
    assert sum(FILES.values()) >= 2000


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        case
        for kind in READERS
        for case in ((kind, 0.2), pytest.param(kind, 1, marks=pytest.mark.slow))
    ],
)
def test_changed_files_are_read_or_refused(kind, share, tmp_path):
    reader = READERS[kind]
    reader.furnish(tmp_path)
    furnished = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    source = reader.from_seed(11)
    for _ in range(round(share * FILES[kind])):
        name, content = next(source)
        try_file(reader, tmp_path, name, content)
        (tmp_path / name).unlink()
        if name in furnished:
            (tmp_path / name).write_bytes(furnished[name])


def _fails(path: Path) -> None:
    raise KeyError(path.name)


def _changes(path: Path) -> None:
    path.write_bytes(b"other")


@pytest.mark.parametrize("read", [_fails, _changes])
def test_a_reader_that_fails_or_changes_its_file_is_found(read, tmp_path):
    with pytest.raises(FindingError):
        try_file(Reader(READERS["models"].files, read), tmp_path, "a", b"content")


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\u202e", "\u200b", "\x7f", "\ue000"])
def test_what_a_terminal_obeys_is_found(character):
    with pytest.raises(FindingError):
        require_harmless(f"a{character}b")
    require_message(f"a{character}b")


@pytest.mark.parametrize("command", ["show", "doctor", "predict"])
def test_a_process_leaves_with_one_sentence(command, tmp_path):
    """In a process of its own no test's settings stand between a command and its user."""
    name, content = next(READERS["models"].from_seed(3))
    path = tmp_path / name
    path.write_bytes(content[:100])
    files = [str(path)] if command == "predict" else []
    done = subprocess.run(
        [*PROGRAM, command, str(path), *files], capture_output=True, check=False, timeout=60
    )
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(b"Error: ")
    assert len(done.stderr.splitlines()) == 1
