"""Regular files are replaced, symlinks are written through, and all else is left as it is."""

import os
import socket
import stat
from pathlib import Path

import pytest

from clearprop.errors import OutputError
from clearprop.files.written import write_text, written_beside


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_symlink_stays_one_and_its_target_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there/file.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to("there/file.txt")
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert names(tmp_path) == ["link.txt", "there"]
    assert names(tmp_path / "there") == ["file.txt"]


def test_a_symlink_to_nothing_is_written_where_it_leads(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/new.txt")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "there/new.txt").read_text() == "text"
    assert (tmp_path / "link").is_symlink()


def test_symlinks_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match=r"a can't be written"):
        write_text(tmp_path / "a", "text")
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
@pytest.mark.parametrize("through", ["itself", "a symlink"])
def test_what_is_no_regular_file_is_left_as_it_is(kind, through, tmp_path, request, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's whole path may be too long
    if kind == "pipe":
        os.mkfifo("special")
    elif kind == "folder":
        Path("special").mkdir()
    else:
        one = socket.socket(socket.AF_UNIX)
        request.addfinalizer(one.close)
        one.bind("special")
    before = Path("special").stat()
    if through == "a symlink":
        Path("link").symlink_to("special")
    with pytest.raises(OutputError, match=f"it is a {kind}, expected the name of a file"):
        write_text("special" if through == "itself" else "link", "text")
    assert Path("special").stat().st_mode == before.st_mode
    assert "clearprop" not in "".join(names(tmp_path))


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full", "/dev/stdout", "/dev/fd/1"])
def test_devices_and_open_outputs_are_left_as_they_are(device):
    before = Path(device).stat()
    with pytest.raises(OutputError, match="print it afterwards: cat FILE"):
        write_text(device, "text")
    after = Path(device).stat()
    assert (after.st_mode, after.st_rdev) == (before.st_mode, before.st_rdev)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o606])
def test_permissions_of_an_existing_file_are_kept(mode, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "new"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    write_text(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_that_is_read_only_is_left_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o444)
    if os.geteuid() == 0:  # whom the system lets write to every file
        monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    with pytest.raises(OutputError, match="Permission denied"):
        write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("name", ["n" * 250 + ".txt", os.fsdecode(b"p\xff.txt"), "a.b" + "c" * 200])
def test_every_name_that_a_file_may_have_can_be_written(name, tmp_path):
    write_text(tmp_path / name, "text")
    assert (tmp_path / name).read_text() == "text"
    assert names(tmp_path) == [name]


def test_a_name_with_nul_is_refused(tmp_path):
    with pytest.raises(OutputError, match="no file can have this name"):
        write_text(f"{tmp_path}/a\0b", "text")


def test_the_old_file_stays_while_the_new_one_fails(tmp_path):
    path = tmp_path / "file.png"
    path.write_text("old")

    def half_written():
        with written_beside(path) as beside:
            assert beside.suffix == ".png"
            beside.write_text("half")
            raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        half_written()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.png"]
