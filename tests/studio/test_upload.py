"""Tables that come from the studio's page: bounded, under a clean name, in the place of nothing."""

import asyncio
import re
import string
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from asking import Answer, Asker

from clearprop.errors import UsageError
from clearprop.studio import upload
from clearprop.studio.children import Children
from clearprop.studio.desk import Desk
from clearprop.studio.serving import serve_studio

TABLE = b"age,buys\r\n20,no\r\n--\r\n-->21,yes\r\n"
MARK = "----WebKitFormBoundaryAbC123"
KIND = f"multipart/form-data; boundary={MARK}"


def form(name: str = "people.csv", content: bytes = TABLE, field: str = "file") -> bytes:
    """Write a form as Chromium does."""
    head = (
        f"--{MARK}\r\nContent-Disposition: form-data; name={field!r}; filename={name!r}\r\n"
        "Content-Type: text/csv\r\n\r\n"
    ).replace("'", '"')
    return head.encode() + content + f"\r\n--{MARK}--\r\n".encode()


def receive(folder: Path, body: bytes, step: int = 2**16, kind: str = KIND) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]
        yield b""

    return asyncio.run(upload.receive(kind, pieces(), folder))


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10**6])
def test_a_file_comes_whole_however_it_is_cut(step: int, tmp_path: Path) -> None:
    content = TABLE + f"\r\n--{MARK[:-1]}x".encode() + bytes(range(256))
    assert receive(tmp_path, form(content=content), step) == "uploads/people.csv"
    assert (tmp_path / "uploads/people.csv").read_bytes() == content
    assert left(tmp_path) == ["uploads", "uploads/people.csv"]


def test_an_empty_file_and_a_quoted_boundary(tmp_path: Path) -> None:
    kind = f'multipart/form-data; boundary="{MARK}"'
    assert receive(tmp_path, form(content=b""), kind=kind) == "uploads/people.csv"
    assert (tmp_path / "uploads/people.csv").read_bytes() == b""


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    names = [receive(tmp_path, form(content=content)) for content in (b"1", b"2", b"3")]
    assert names == [f"uploads/people{end}.csv" for end in ("", "-2", "-3")]
    assert [(tmp_path / name).read_bytes() for name in names] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/people.csv", "people.csv"),
        ("C:\\data\\people.CSV", "people.CSV"),
        ("/absolute.tsv", "absolute.tsv"),
        ("<img src=x>.csv", "_img src_x_.csv"),
        ('quo"te&.csv', "quo_te_.csv"),
        (" .hidden.csv", "hidden.csv"),
        ("año 数据.parquet", "año 数据.parquet"),
        ("x.csv.gz", "x.csv.gz"),
        ("a\nb\u202ec.csv", "a_b_c.csv"),
        ("n" * 300 + ".csv", "n" * 80 + ".csv"),
        ("-x.csv", "-x.csv"),
    ],
)
def test_names_are_cleaned(given: str, name: str) -> None:
    assert upload.cleaned(given) == name


@pytest.mark.parametrize("given", ["", "..", ".csv", "x.exe", "x", "x.npz", "x.csv/", "../.csv"])
def test_what_is_no_table_by_its_name_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no table by its name: expected one that ends with \.csv"
    ):
        receive(tmp_path, form(given))
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        form()[:-40],
        form()[2:],
        form(field="other"),
        form().replace(b"filename", b"filenome"),
        form() + form(),
        form()[: -len(f"--{MARK}--\r\n")] + form(),
        form().replace(b"people", b"\xff\xfe"),
        b"--" + MARK.encode() + b"\r\n" + b"x" * 10_000,
    ],
)
def test_what_is_no_such_form_leaves_nothing(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        receive(tmp_path, body)
    assert [name for name in left(tmp_path) if name != "uploads"] == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 71]
)
def test_another_kind_of_body_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no form with a file"):
        receive(tmp_path, form(), kind=kind)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here/uploads").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="uploads leads elsewhere"):
        receive(tmp_path / "here", form())
    assert left(tmp_path / "outside") == []
    (tmp_path / "outside/secret.csv").write_bytes(TABLE)
    assert Desk(tmp_path / "here").data() == []


# By the server


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    (tmp_path / "mine.csv").write_bytes(TABLE)
    children = Children(tmp_path)
    with serve_studio(Desk(tmp_path), children) as server:
        yield Asker(server.address)
    children.close()


def send(asker: Asker, body: object, **headers: str) -> Answer:
    return asker.ask("POST", "/upload", body=body, **{"content_type": KIND} | headers)


def test_an_upload_is_chosen_on_the_page_and_can_be_trained_on(
    asker: Asker, tmp_path: Path
) -> None:
    answer = send(asker, form("my people.csv"))
    assert answer.status == 303
    assert answer.headers["location"] == "/?data=.%2Fuploads%2Fmy+people.csv"
    page = asker.get(answer.headers["location"]).body.decode()
    assert re.findall(r'value="([^"]*)" selected', page) == ["./uploads/my people.csv"]
    desk = Desk(tmp_path)
    assert desk.data() == ["mine.csv", "uploads/my people.csv"]
    assert desk.word_for("./uploads/my people.csv") == "./uploads/my people.csv"
    assert desk.word_for("./uploads/../mine.csv") is None


def test_what_was_not_listed_is_not_chosen(asker: Asker) -> None:
    page = asker.get("/?data=%22%3E%3Cscript%3E").body.decode()
    assert " selected" not in page
    assert "<script" not in page


def test_without_the_token_or_from_elsewhere_nothing_is_written(
    asker: Asker, tmp_path: Path
) -> None:
    assert send(asker, form(), origin="http://evil.example").status == 403
    assert send(asker, form(), host="evil.example").status == 403
    given = {"body": form(), "content_type": KIND, "token": None}
    assert asker.ask("POST", "/upload", **given).status == 401
    assert asker.get("/upload").status == 405
    assert left(tmp_path) == ["mine.csv"]


@pytest.mark.parametrize("says_so", [True, False])
def test_what_is_too_large_is_refused_with_the_limit(
    says_so: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LARGEST", 100_000)
    children = Children(tmp_path)
    body = form(content=b"1\n" * 60_000)
    pieces = (body[start : start + 2**14] for start in range(0, len(body), 2**14))
    with serve_studio(Desk(tmp_path), children) as server:
        asker = Asker(server.address)
        answer = send(asker, body if says_so else pieces)
        assert send(asker, form(content=b"1\n" * 40_000)).status == 303
    assert answer.status == 413
    assert b"At most 100,000 bytes are taken." in answer.body
    assert left(tmp_path) == ["uploads", "uploads/people.csv"]


def test_a_form_that_is_none_is_answered_by_a_sentence_on_the_page(asker: Asker) -> None:
    answer = send(asker, form("<script>.exe"))
    assert answer.status == 400
    assert b"_script_.exe is no table by its name" in answer.body
    assert b"<script" not in answer.body
    assert send(asker, form(), content_type="text/plain").status == 400


def test_the_page_says_what_is_taken(asker: Asker) -> None:
    page = asker.get("/").body.decode()
    assert f"Up to {upload.LARGEST // 10**6} MB: .csv, .tsv" in page
    (accepted,) = re.findall(r'accept="([^"]*)"', page)
    assert {".csv", ".xlsx", ".parquet", ".jsonl", ".gz"} <= {*accepted.split(",")}
    assert not {*accepted} - {*string.ascii_letters, *string.digits, *".,"}
