"""Text however it is encoded and packed."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import cells_of, read, said_by, write

from clearprop.data import load
from clearprop.data.reading import TextForm
from clearprop.data.tables import text_file
from clearprop.data.tables.text_file import open_text
from clearprop.errors import DataError, UsageError

TOWNS = "town,size,y\nMünchen,1,a\nKöln,2,b\nMünchen,3,a\nKöln,4,b\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("latin-1", "CP1252"),
        ("cp1252", "cp1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("utf-32", "UTF-32"),
    ],
)
def test_an_encoding_is_found_and_said(tmp_path: Path, encoding: str, mark: str) -> None:  # D9
    dataset = load(write(tmp_path, TOWNS, encoding=encoding))
    assert cells_of(dataset, "town") == ["München", "Köln"] * 2
    assert dataset.feature_names == ("town", "size")  # no mark in front of the first
    assert mark.lower() in said_by(dataset).lower()
    assert ("encoding" in said_by(dataset).lower()) == (mark != "")


def test_signs_that_only_windows_has_are_read(tmp_path: Path) -> None:
    text = "price,y\n€ 1.50,“a”\n€ 2.50,b\n€ 3.50,“a”\n€ 4.50,b\n"
    dataset = load(write(tmp_path, text, encoding="cp1252"))
    assert dataset.class_names == ("b", "“a”")
    assert cells_of(dataset, "price") == [1.5, 2.5, 3.5, 4.5]
    assert "cp1252" in said_by(dataset)


def test_the_word_that_shows_the_encoding_is_said(tmp_path: Path) -> None:
    said = said_by(load(write(tmp_path, TOWNS, encoding="latin-1")))
    assert "'München'" in said
    assert "--encoding" in said


def test_an_encoding_that_is_named_goes_before_what_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, "a,y\n1,ж\n2,щ\n3,ж\n4,щ\n", encoding="cp1251")
    assert read(path, TextForm(encoding="cp1251")).class_names == ("ж", "щ")
    assert load(path).class_names != ("ж", "щ")
    with pytest.raises(DataError, match=r"is not text in ascii.*--encoding"):
        read(path, TextForm(encoding="ascii"))
    with pytest.raises(UsageError, match="no encoding 'utf-9'"):
        TextForm(encoding="utf-9")


@pytest.mark.parametrize(
    ("encoding", "text"), [("big5", "景點編號"), ("koi8-r", "название"), ("shift_jis", "なまえ")]
)
def test_an_alphabet_that_cannot_be_told_is_shown_in_several(
    tmp_path: Path, encoding: str, text: str
) -> None:
    path = write(tmp_path, f"{text},y\n1,{text}\n2,b\n", encoding=encoding)
    with pytest.raises(DataError, match="--encoding") as caught:
        load(path)
    assert text in str(caught.value)
    assert f"{encoding} (" in str(caught.value)


def packed(name: str) -> bytes:
    data = TOWNS.encode()
    if name.endswith(".zip"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("table.csv", data)
            archive.writestr("__MACOSX/._table.csv", b"\0\5\x16\7")
        return buffer.getvalue()
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.get(name.split(".")[-1])
    return pack(data) if pack else data


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.gz",
        "a.txt",
        "a.csv.bz2",
        "a.tsv.xz",
        "a.zip",
        "a.csv.zip",
        "a.gz",
        "A.CSV",
        "a.dat",
        "a.names",
    ],
)
def test_packed_and_oddly_named_files_are_read(tmp_path: Path, name: str) -> None:  # D10
    assert cells_of(load(write(tmp_path, packed(name), name)), "size") == [1, 2, 3, 4]


def test_what_is_packed_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert len(load(write(tmp_path, packed("a.gz"), "a.csv"))) == 4


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(TOWNS.encode())))
    assert cells_of(load("-"), "size") == [1, 2, 3, 4]


@pytest.mark.parametrize("cut", [1, 8, 30])
def test_a_packed_file_that_is_cut_off_is_damaged(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path, packed("a.gz")[:-cut], "a.csv.gz")
    with pytest.raises(DataError, match=r"a\.csv\.gz is damaged: .*Get it anew"):
        load(path)


def test_an_archive_of_several_tables_lists_them(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", TOWNS)
        archive.writestr("test.csv", TOWNS)
    with pytest.raises(DataError, match=r"2 files \(train\.csv, test\.csv\).*Unpack it"):
        load(path)


@pytest.mark.slow
def test_what_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_file, "_SMALL", 2**20)
    line = b"a,y\n" + b"1,2\n" * 2**19
    path = write(tmp_path, bz2.compress(line + b"\n" * 2**22), "a.csv.bz2")
    assert path.stat().st_size < 2**12
    with pytest.raises(DataError, match="unpacks to more than"):
        open_text(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PAR1\0\0", "Parquet file.*ends in .parquet"),
        (b"%PDF-1.4\n", "PDF.*save its table as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
        (b"\x28\xb5\x2f\xfdabc", "zstd -d FILE"),
        (b"7z\xbc\xaf\x27\x1c", "7z x FILE"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"\n\n<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"a,b\n1,\0\n", "holds zero bytes"),
        (b"% iris\n%\n\n@RELATION iris\n@ATTRIBUTE a NUMERIC\n@DATA\n1\n", "ARFF file of Weka"),
        (
            b"+----+-----+\n| id | y   |\n+----+-----+\n|  1 | yes |\n+----+-----+\n",
            "client has drawn",
        ),
        (b"-- dump\n/*!40101 */;\n\nINSERT INTO t VALUES (1, 'a');\n", "SQL statements"),
        (b"CREATE TABLE t (a INT);\n", "SQL statements"),
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, data))


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.data.tables.text_file._LONGEST_LINE", 1000)
    with pytest.raises(DataError, match=r"Line 2 of .* has over 1,000 characters"):
        load(write(tmp_path, "a,b\n" + "x" * 1001))


@settings(max_examples=30)
@given(
    words=st.lists(
        st.text(st.characters(categories=["L"], max_codepoint=0x24F), min_size=1, max_size=8),
        min_size=4,
        max_size=12,
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    last=st.booleans(),
)
def test_words_come_back_from_unicode(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], encoding: str, end: str, last: bool
) -> None:
    lines = ["n,w,y", *(f"{row % 3},x{word},{'ab'[row % 2]}" for row, word in enumerate(words))]
    text = end.join(lines) + end * last
    path = write(tmp_path_factory.mktemp("text"), text, encoding=encoding)
    dataset = read(path, keep=("w",), category=("w",))
    assert cells_of(dataset, "w") == ["x" + word for word in words]
