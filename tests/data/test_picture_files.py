"""Picture files and folders of them."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from clearprop.data import load
from clearprop.data.picture_files import read_pictures
from clearprop.errors import DataError, UsageError

RANDOM = np.random.RandomState(7)


def noise(height: int = 8, width: int = 8) -> NDArray[np.uint8]:
    return RANDOM.randint(0, 256, size=(height, width, 3)).astype(np.uint8)


def save(path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def make_folder(root: Path, **classes: int) -> Path:
    for name, count in classes.items():
        for number in range(count):
            save(root / name / f"{number}.png", noise())
    return root


def png_that_claims(path: Path, width: int, height: int) -> Path:
    """Write a PNG of few bytes with any width and height in its header."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    return path


def read_one(path: Path, size: tuple[int, int] = (8, 8), channels: int = 3) -> NDArray[np.uint8]:
    read = read_pictures([path], size, channels)
    assert read.problems == ()
    return read.pixels[0]


@given(
    pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    suffix=st.sampled_from([".png", ".bmp", ".webp"]),
)
def test_a_picture_of_the_asked_size_keeps_every_bit(
    tmp_path_factory: pytest.TempPathFactory, pixels: NDArray[np.uint8], suffix: str
) -> None:
    options = {"lossless": True} if suffix == ".webp" else {}
    path = save(tmp_path_factory.mktemp("pictures") / f"a{suffix}", pixels, **options)
    size = (pixels.shape[0], pixels.shape[1])
    np.testing.assert_array_equal(read_one(path, size), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".gif"])
def test_every_format_gives_the_colour_and_the_asked_size(tmp_path: Path, suffix: str) -> None:
    plain = np.full((40, 30, 3), (200, 100, 50), dtype=np.uint8)
    pixels = read_one(save(tmp_path / f"a{suffix}", plain), (10, 20))
    assert pixels.shape == (10, 20, 3)
    np.testing.assert_allclose(pixels.reshape(-1, 3).mean(axis=0), (200, 100, 50), atol=6)


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, -1), (8, 1)])
def test_the_camera_s_orientation_is_undone(tmp_path: Path, orientation: int, turns: int) -> None:
    pixels = noise(6, 10)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", pixels, exif=exif)
    upright = np.rot90(pixels, turns)
    np.testing.assert_array_equal(read_one(path, (upright.shape[0], upright.shape[1])), upright)


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    pixels = np.dstack([noise(), np.zeros((8, 8), dtype=np.uint8)])
    pixels[:, 4:, 3] = 255
    read = read_one(save(tmp_path / "a.png", pixels))
    assert (read[:, :4] == 255).all()
    np.testing.assert_array_equal(read[:, 4:], pixels[:, 4:, :3])


def test_a_transparent_palette_becomes_white(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((8, 8), dtype=np.uint8), mode=None).convert("P")
    picture.save(tmp_path / "a.gif", transparency=picture.getpixel((0, 0)))
    assert (read_one(tmp_path / "a.gif") == 255).all()


def test_grey_is_repeated_in_three_channels_or_stays_one(tmp_path: Path) -> None:
    grey = noise()[..., 0]
    path = save(tmp_path / "a.png", grey)
    np.testing.assert_array_equal(read_one(path), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(read_one(path, channels=1), grey)


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    deep = RANDOM.randint(0, 2**16, size=(8, 8)).astype(np.uint16)
    np.testing.assert_array_equal(read_one(save(tmp_path / "a.png", deep), channels=1), deep >> 8)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    np.testing.assert_allclose(read_one(tmp_path / "a.jpg")[0, 0], (255, 0, 0), atol=8)


def test_shrinking_averages_instead_of_picking_pixels(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    pixels = read_one(save(tmp_path / "a.png", stripes))
    np.testing.assert_allclose(pixels[2:-2, 2:-2], 127, atol=12)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is text", "is not a JPEG"),
        (b"", "is not a JPEG"),
        (b"II*\x00" + bytes(100), "is not a JPEG"),
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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_a_problem(tmp_path: Path, suffix: str, kept: float) -> None:
    path = save(tmp_path / f"a{suffix}", noise(64, 64))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert len(read_pictures([path]).problems) == 1


FIXED = noise()


@given(st.data())
def test_damaged_bytes_never_raise(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    suffix = data.draw(st.sampled_from([".jpg", ".png", ".webp", ".gif", ".bmp"]))
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


def test_a_missing_file_and_a_format_not_read_are_problems(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(b"something")
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


def test_an_impossible_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="height and a width"):
        read_pictures([tmp_path / "a.png"], (0, 8))
    with pytest.raises(UsageError, match="channels"):
        read_pictures([tmp_path / "a.png"], (8, 8), 4)


def test_more_pixels_than_memory_is_refused_with_the_sum(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"GiB of memory\. Choose a smaller size"):
        read_pictures([tmp_path / "a.png"], (2**31, 2**31))


def test_classes_are_the_folders_sorted_and_files_are_sorted_in_them(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", dog=2, cat=3)
    dataset = load(root, size=(8, 8))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.y.tolist() == [0, 0, 0, 1, 1]
    assert dataset.sources == ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png")
    np.testing.assert_array_equal(dataset.X[3], np.asarray(Image.open(root / "dog/0.png")))
    assert dataset.test is None


def test_train_and_test_folders_become_a_set_and_its_test_set(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    make_folder(tmp_path / "test", dog=1)
    dataset = load(tmp_path)
    assert len(dataset) == 5
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [1]
    assert dataset.test.class_names == ("cat", "dog")
    assert dataset.test.sources == ("test/dog/0.png",)


def test_a_class_that_only_the_test_set_has_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    make_folder(tmp_path / "test", horse=1)
    with pytest.raises(DataError, match=r"horse is a class that is not in the training set.*cat"):
        load(tmp_path)


def test_broken_files_are_left_out_and_listed_and_other_files_passed_over(tmp_path: Path) -> None:
    root = make_folder(tmp_path, dog=2, cat=3)
    (root / "cat" / "notes.txt").write_text("not a picture")
    (root / "cat" / ".DS_Store").write_bytes(b"\0")
    (root / "cat" / "._0.png").write_bytes(b"\0")
    (root / "cat" / "1b.jpg").write_text("text")
    (root / ".git").mkdir()
    dataset = load(root)
    assert dataset.counts() == {"cat": 3, "dog": 2}
    assert [problem.source for problem in dataset.problems] == [str(root / "cat" / "1b.jpg")]


def test_a_folder_without_class_folders_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no class folders\. Expected pictures in"):
        load(tmp_path)
    save(tmp_path / "a.png", noise())
    with pytest.raises(DataError, match="no class folders"):
        load(tmp_path)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2)
    (tmp_path / "bird").mkdir()
    with pytest.raises(DataError, match="bird holds no pictures"):
        load(tmp_path)


def test_a_class_without_a_readable_picture_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=4)
    (tmp_path / "bird").mkdir()
    (tmp_path / "bird" / "a.jpg").write_text("text")
    with pytest.raises(DataError, match=r"bird has no picture that can be read: .*a\.jpg is not"):
        load(tmp_path)


def test_mostly_broken_folders_are_refused(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=1, cat=1)
    for number in range(3):
        (tmp_path / "cat" / f"b{number}.png").write_text("text")
    with pytest.raises(DataError, match="3 of the 5 pictures"):
        load(tmp_path)


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="can't be read: Permission denied"):
        load(tmp_path)
