"""Files that are whole or not there."""

import errno
import os
import stat
from pathlib import Path

import pytest

from clearprop.errors import OutputError
from clearprop.files.written import make_folder, remove_leftovers, write_text, written_beside


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "new.csv"
    with written_beside(target) as beside:
        assert beside.parent == tmp_path
        assert beside.suffix == ".csv"
        beside.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.write_text("old")
    with written_beside(target) as beside:
        beside.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_an_exception_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "old"
    target.write_text("old")
    with pytest.raises(error):
        write_half(target, error())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_an_output_error_that_names_the_file(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.write_text("old")
    with pytest.raises(OutputError, match="old can't be written: No space left on device"):
        write_half(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_fails_to_flush_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="Input/output error"):
        write_text(tmp_path / "new", "text")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written_to_are_output_errors(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "full").mkdir(parents=True)
    for target in (
        tmp_path / "missing" / "new",
        tmp_path / "file" / "new",  # its parent is a file
        tmp_path / "folder",  # a folder stands there
        tmp_path / ("x" * 300),
    ):
        with pytest.raises(OutputError, match="can't be written"):
            write_text(target, "text")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_an_output_error_is_an_os_error_and_leaves_with_one() -> None:
    assert issubclass(OutputError, OSError)
    assert OutputError.exit_code == 1


def test_a_written_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_text(tmp_path / "written", "text")
    usual, written = ((tmp_path / name).stat().st_mode for name in ("usual", "written"))
    assert stat.S_IMODE(written) == stat.S_IMODE(usual)


def test_text_is_utf_8_with_line_feeds(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "σ(z) ×\n·\n")
    assert (tmp_path / "text").read_bytes() == "σ(z) ×\n·\n".encode()


def test_a_folder_is_made_with_its_parents_or_taken_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert make_folder(folder) == make_folder(str(folder)) == folder
    assert folder.is_dir()


def test_a_folder_that_cannot_be_made_or_written_to_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(OutputError, match="can't be written"):
            make_folder(path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # nothing is closed to root
    with pytest.raises(OutputError, match="can't be written to"):
        make_folder(tmp_path)


def write_half(target: Path, error: BaseException) -> None:
    with written_beside(target) as beside:
        beside.write_text("half")
        raise error


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("somebody else's")
    (tmp_path / "model.safetensors").write_text("whole")
    writer = written_beside(tmp_path / "model.safetensors")
    half = writer.__enter__()  # and never left
    assert half.exists()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "model.safetensors"]
