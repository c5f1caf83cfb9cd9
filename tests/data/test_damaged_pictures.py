"""Files that are damaged, claim too much, or are no pictures: problems that nothing else meets."""

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile
from written_pictures import chunk, noise, read_one, require, save, write_png

from clearprop.data.pictures import formats as picture_formats
from clearprop.data.pictures.files import read_pictures
from clearprop.data.pictures.formats import PictureBytes, named_like_a_picture

SUFFIXES = (".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".ppm", ".tga", ".ico", ".pcx", ".sgi")


def png_that_claims(path: Path, width: int, height: int) -> Path:
    """Write a PNG of few bytes with any width and height in its header."""
    return write_png(path, (width, height, 8, 2), bytes(1000))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is text", "is not a JPEG"),
        (b"", "is empty"),
        (b"Python, a text", "is not a JPEG"),
        (b"II*\x00" + bytes(100), "is a TIFF picture that is damaged"),
        (b"GIF89a", "is a GIF picture that is damaged"),
        (b"\n <!DOCTYPE html><html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "is a HEIC picture"),
    ],
)
def test_a_file_that_only_has_the_name_of_a_picture_is_a_problem(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    read = read_pictures([path])
    assert len(read.pixels) == 0
    assert reason in read.problems[0].reason
    assert read.problems[0].source == str(path)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".jp2", ".avif"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_a_problem(tmp_path: Path, suffix: str, kept: float) -> None:
    require(suffix)
    path = save(tmp_path / f"a{suffix}", noise(64, 64))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert len(read_pictures([path]).problems) == 1


FIXED = noise()


@given(st.data())
def test_damaged_bytes_never_raise(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    suffix = data.draw(st.sampled_from(SUFFIXES))
    path = save(tmp_path_factory.mktemp("damaged") / f"a{suffix}", FIXED)
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    read = read_pictures([path], (8, 8))
    assert len(read.pixels) + len(read.problems) == 1


# Between the sizes at which Pillow warns and at which it raises, and beyond both.
@pytest.mark.parametrize("side", [11_000, 13_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    read = read_pictures([png_that_claims(tmp_path / "a.png", side, side)])
    assert "more than 120 million pixels" in read.problems[0].reason


def tiff_that_claims(path: Path, width: int, height: int) -> Path:
    """Write a TIFF with one strip of nine rows, whatever it claims."""
    held = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 122, 277: 1, 278: 9, 279: 63}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in held.items())
    head = b"II*\0" + struct.pack("<IH", 8, len(held)) + entries + struct.pack("<I", 0)
    path.write_bytes(head + bytes(63))
    return path


def gif_that_claims(path: Path, width: int, height: int) -> Path:
    """Write a GIF of one frame of 7x9 on a sheet of any size."""
    Image.fromarray(noise(9, 7)).save(path)
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", width, height)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "name", "width", "height"),
    [
        (tiff_that_claims, "TIFF", 7, 16_711_689),
        (gif_that_claims, "GIF", 6727, 10_266),
        (png_that_claims, "PNG", 10_000, 10_000),
    ],
)
def test_pixels_that_no_file_of_its_size_holds_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, name: str, width: int, height: int
) -> None:
    path = make(tmp_path / f"a.{name.lower()}", width, height)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    (problem,) = read_pictures([path]).problems
    assert problem.reason == (
        f"is damaged: it claims {height}x{width} pixels, which no {name} picture of "
        f"{path.stat().st_size:,} bytes can hold; get it anew"
    )


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", {}),
        (".gif", {}),
        (".tif", {"compression": "tiff_lzw"}),
        (".tif", {"compression": "tiff_adobe_deflate"}),
        (".tif", {"compression": "packbits"}),
        (".tif", {"compression": "group4"}),
        (".pcx", {}),
        (".webp", {"lossless": True}),
    ],
)
def test_an_empty_sheet_is_small_and_is_read(
    tmp_path: Path, suffix: str, options: dict[str, Any]
) -> None:
    path = tmp_path / f"a{suffix}"
    Image.new("1", (6000, 6000), 1).save(path, **options)
    read = read_pictures([path], (8, 8))
    assert not read.problems
    assert read.pixels.min() == 255


def test_a_dot_on_a_large_sheet_is_read(tmp_path: Path) -> None:
    assert not read_pictures([gif_that_claims(tmp_path / "a.gif", 2000, 2000)]).problems


def test_a_missing_file_and_a_format_not_read_are_problems(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(b"something")
    assert named_like_a_picture(Path("phone.HEIC"))
    read = read_pictures([tmp_path / "gone.png", tmp_path / "phone.heic"])
    assert "No such file" in read.problems[0].reason
    assert "save it as JPEG or PNG" in read.problems[1].reason


def test_gaps_of_broken_files_are_closed_in_order(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{number}.png", noise()) for number in range(70)]
    expected = [np.asarray(Image.open(path)) for path in paths]
    broken = {0, 1, 33, 69}
    for number in broken:
        paths[number].write_text("text")
    read = read_pictures(paths, (8, 8))
    kept = [number for number in range(70) if number not in broken]
    assert read.kept.tolist() == kept
    np.testing.assert_array_equal(read.pixels, [expected[number] for number in kept])
    assert len(read.problems) == 4


@pytest.mark.parametrize("exif", [b"Exif\0\0broken", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"?"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_a_picture_with_broken_metadata_is_read(tmp_path: Path, suffix: str, exif: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (6, 8), "red").save(path, exif=exif)
    np.testing.assert_allclose(read_one(path, (8, 6))[0, 0], (255, 0, 0), atol=3)


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b"eXIf", b"MM")[:-4] + b"\0\0\0\0",  # a wrong checksum
        chunk(b"zTXt", b"name\0\0" + zlib.compress(bytes(80_000_000))),  # text without end
        chunk(b"iCCP", b"broken"),
    ],
)
def test_a_png_s_broken_chunks_beside_its_pixels_do_no_harm(tmp_path: Path, broken: bytes) -> None:
    pixels = noise()
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path = write_png(tmp_path / "a.png", (8, 8, 8, 2), rows, broken)
    np.testing.assert_array_equal(read_one(path), pixels)
    in_memory = PictureBytes("a.png", path.read_bytes())
    np.testing.assert_array_equal(read_pictures([in_memory], (8, 8)).pixels[0], pixels)


@pytest.mark.parametrize("content", [b"", b"<html>", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"text"])
def test_what_is_no_picture_in_memory_is_none_as_in_a_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    (of_file,) = read_pictures([tmp_path / "a"]).problems
    (in_memory,) = read_pictures([PictureBytes("the picture", content)]).problems
    assert (in_memory.source, in_memory.reason) == ("the picture", of_file.reason)


def test_a_drawing_that_another_program_would_have_to_draw_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    (tmp_path / "b.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    read = read_pictures([tmp_path / "a.png", tmp_path / "b.eps"])
    assert "is not a JPEG" in read.problems[0].reason
    assert "is a drawing" in read.problems[1].reason


def test_a_format_that_pillow_lacks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0")
    formats, suffixes = picture_formats._registry()
    lacking = (formats, suffixes - {".avif", ".avifs"})
    monkeypatch.setattr(picture_formats, "_registry", lambda: lacking)
    assert named_like_a_picture(tmp_path / "b.avif")
    assert "in AVIF, which the Pillow" in read_pictures([tmp_path / "a.jpg"]).problems[0].reason


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert read_pictures([tmp_path / "a.png"]).problems[0].reason == "is not a file"
