"""Files that may be anything are read with a bound, or refused at once."""

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.reading import (
    open_to_read,
    parsed_json,
    parsed_toml,
    read_bounded,
    require_regular,
)


@pytest.fixture(params=["pipe", "device", "endless device", "folder", "socket"])
def special(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's whole path may be too long
    with socket.socket(socket.AF_UNIX) as one:
        if request.param == "pipe":
            os.mkfifo("special")
        elif request.param == "folder":
            Path("special").mkdir()
        elif request.param == "socket":
            one.bind("special")
        yield {"device": "/dev/null", "endless device": "/dev/zero"}.get(request.param, "special")


@pytest.mark.parametrize(
    "read", [open_to_read, require_regular, lambda path: read_bounded(path, 9)]
)
def test_what_is_no_regular_file_is_refused_at_once(special, read):
    with pytest.raises(OSError, match=r"a pipe|a device|a folder|a socket|No such device"):
        read(special)


def test_a_symlink_to_a_pipe_is_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OSError, match="a pipe"):
        open_to_read(tmp_path / "link")


def test_a_name_with_nul_is_no_files(tmp_path):
    with pytest.raises(OSError, match="no file can have this name"):
        open_to_read(f"{tmp_path}/a\0b")


@given(content=st.binary(max_size=40), most=st.integers(0, 40))
def test_a_file_is_read_whole_or_not_at_all(tmp_path_factory, content, most):
    path = tmp_path_factory.mktemp("files") / "file"
    path.write_bytes(content)
    if len(content) <= most:
        assert read_bounded(path, most) == content
    else:
        with pytest.raises(OSError, match=f"more than {most} bytes"):
            read_bounded(path, most)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@given(_json)
def test_json_is_read_as_the_standard_library_reads_it(value):
    assert parsed_json(json.dumps(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 900 + "]" * 900, "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 70 + "1" + "}" * 70, "nested deeper"),
        ("1" + "0" * 400, "beyond 2"),
        ("[[18446744073709551616]]", "beyond 2"),
        ("9" * 5000, "beyond 2"),
        ("{", "line 1"),
    ],
)
def test_json_beyond_its_bounds_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parsed_json(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"a = {'[' * 5000}{']' * 5000}", "nested deeper"),
        (".".join("a" * 100) + " = 1", "nested deeper"),
        (f"a = {'1' * 400}", "beyond 2"),
        (f"a = {'1' * 5000}", "beyond 2"),
        ("a = ", "Invalid value"),
    ],
)
def test_toml_beyond_its_bounds_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parsed_toml(text)


def test_a_name_that_comes_twice_is_refused_where_that_is_asked_for():
    text = '{"a": [{"b": 1, "c": 2, "b": 3}]}'
    assert parsed_json(text) == {"a": [{"b": 3, "c": 2}]}
    with pytest.raises(ValueError, match="it has 'b' twice"):
        parsed_json(text, is_strict=True)
    once = '{"a": {"b": 1}, "c": {"b": 1}}'
    assert parsed_json(once, is_strict=True) == {"a": {"b": 1}, "c": {"b": 1}}
