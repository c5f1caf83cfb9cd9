"""Picture files of every format and mode become pixels of one size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image
from written_pictures import noise, read_one, require, save

from clearprop.data.pictures import files as picture_files
from clearprop.data.pictures.files import read_pictures
from clearprop.data.pictures.formats import named_like_a_picture
from clearprop.errors import DataError, UsageError


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


@pytest.mark.parametrize(
    "suffix",
    [
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
        *(".ppm", ".pnm", ".jp2", ".avif", ".tga", ".ico", ".dib", ".pcx", ".sgi", ".qoi", ".JPG"),
    ],
)
def test_every_format_gives_the_colour_and_the_asked_size(tmp_path: Path, suffix: str) -> None:
    require(suffix)
    plain = np.full((40, 30, 3), (200, 100, 50), dtype=np.uint8)
    assert named_like_a_picture(Path(f"a{suffix}"))
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
    assert "transparent parts, which become white" in read_pictures([tmp_path / "a.png"]).notes[0]
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


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    np.testing.assert_allclose(read_one(tmp_path / "a.jpg")[0, 0], (255, 0, 0), atol=8)


def test_shrinking_averages_instead_of_picking_pixels(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    pixels = read_one(save(tmp_path / "a.png", stripes))
    np.testing.assert_allclose(pixels[2:-2, 2:-2], 127, atol=12)


def test_an_impossible_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="height and a width"):
        read_pictures([tmp_path / "a.png"], (0, 8))
    with pytest.raises(UsageError, match="channels"):
        read_pictures([tmp_path / "a.png"], (8, 8), 4)


def test_more_pixels_than_memory_is_refused_with_the_sum(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"GiB of memory\. Choose a smaller size"):
        read_pictures([tmp_path / "a.png"], (2**31, 2**31))


def test_a_suffix_that_lies_does_no_harm(tmp_path: Path) -> None:
    pixels = noise()
    save(tmp_path / "a.png", pixels).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_one(tmp_path / "a.jpg"), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_every_colour_mode_becomes_what_pillow_makes_of_it(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(noise()).convert(mode)
    picture.save(tmp_path / "a.tif") if mode not in ("PA", "HSV") else picture.convert("RGB").save(
        tmp_path / "a.tif"
    )
    expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_allclose(read_one(tmp_path / "a.tif"), expected, atol=2)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_of_several_frames_the_first_is_read_and_told(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    read = read_pictures([path], (8, 8))
    np.testing.assert_allclose(read.pixels[0, 0, 0], (255, 0, 0), atol=3)
    assert read.notes == (f"{path} has several frames; the first is read.",)


def test_pixels_in_flight_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [
        save(tmp_path / f"{number}.png", noise(10, 10 * (number % 3 + 1))) for number in range(96)
    ]
    together, most = [], []
    decode = picture_files._flat

    def watched(image: Any, *others: Any) -> Any:
        together.append(image.width * image.height)
        most.append(sum(together))
        try:
            return decode(image, *others)
        finally:
            together.remove(image.width * image.height)

    monkeypatch.setattr(picture_files, "_flat", watched)
    monkeypatch.setattr(picture_files, "IN_FLIGHT", 350)
    monkeypatch.setattr(picture_files, "_BATCH", 1)
    monkeypatch.setattr(picture_files, "available_cores", lambda: 8)
    assert len(read_pictures(paths).kept) == 96
    assert max(most) <= 350


def test_a_picture_larger_than_the_bound_waits_for_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_files, "IN_FLIGHT", 10)
    paths = [save(tmp_path / f"{number}.png", noise()) for number in range(5)]
    assert len(read_pictures(paths).kept) == 5
