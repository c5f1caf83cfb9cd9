"""Pictures of more than 8 bits a colour, and of fractions: how they become 0 to 255."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from written_pictures import RANDOM, noise, read_one, save, write_png

from clearprop.data.pictures.depth import FULL, Depth
from clearprop.data.pictures.files import preview, read_pictures
from clearprop.errors import UsageError


def deep_png(path: Path, values: NDArray[Any]) -> Path:
    """Write numbers of 16 bits, shape (H, W), (H, W, 3) or (H, W, 4), as a PNG."""
    colours = {2: 0, 3: {3: 2, 4: 6}.get(values.shape[-1], 0)}[values.ndim]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return write_png(path, (values.shape[1], values.shape[0], 16, colours), rows)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (8, 8, 4)])
@pytest.mark.parametrize(("highest", "shift"), [(200, 0), (1000, 2), (4095, 4), (60_000, 8)])
def test_deep_pictures_are_scaled_by_what_is_in_them(
    tmp_path: Path, shape: tuple[int, ...], highest: int, shift: int
) -> None:
    values = RANDOM.randint(0, highest, size=shape).astype(np.uint16)
    values.flat[0] = highest
    if shape[-1] == 4:
        values[..., 3] = 65_535
    channels = 1 if len(shape) == 2 else 3
    read = read_pictures([deep_png(tmp_path / "a.png", values)], (8, 8), channels)
    np.testing.assert_array_equal(
        read.pixels[0], (values if channels == 1 else values[..., :3]) >> shift
    )
    assert read.depth == Depth(0, 255 << shift | (1 << shift) - 1)
    assert "more than 8 bits" in read.notes[0]


def test_deep_pictures_share_one_scale(tmp_path: Path) -> None:
    dim, light = np.full((8, 8), 50, np.uint16), np.full((8, 8), 1023, np.uint16)
    paths = [deep_png(tmp_path / "a.png", dim), deep_png(tmp_path / "b.png", light)]
    read = read_pictures([*paths, save(tmp_path / "c.png", noise())], (8, 8), 1)
    assert [int(one.max()) for one in read.pixels[:2]] == [50 >> 2, 255]
    assert read.notes == (
        f"2 pictures, such as {paths[0]}, have more than 8 bits a colour: "
        "0 to 1023 become 0 to 255.",
    )


@pytest.mark.parametrize("suffix", [".tif", ".pgm"])
def test_deep_tiff_and_pgm_are_scaled_too(tmp_path: Path, suffix: str) -> None:
    values = RANDOM.randint(0, 65_536, size=(8, 8)).astype(np.uint16)
    values[0, 0] = 65_535
    path = tmp_path / f"a{suffix}"
    if suffix == ".pgm":
        path.write_bytes(b"P5 8 8 65535\n" + values.astype(">u2").tobytes())
    else:
        Image.fromarray(values).save(path)
    np.testing.assert_array_equal(read_one(path, channels=1), values >> 8)


@pytest.mark.parametrize(
    ("low", "high", "depth"),
    [(0.0, 1.0, Depth(0, 1)), (0.0, 250.0, Depth(0, 255)), (-1000.0, 3000.0, Depth(-1024, 4095))],
)
def test_fractions_are_spread_over_0_to_255(
    tmp_path: Path, low: float, high: float, depth: Depth
) -> None:
    values = np.linspace(low, high, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "a.tif")
    read = read_pictures([tmp_path / "a.tif"], (8, 8), 1)
    assert read.depth == depth
    expected = (values - depth.black) / (depth.white - depth.black) * 255
    np.testing.assert_allclose(read.pixels[0], expected, atol=1)


def test_a_given_depth_is_kept_and_what_lies_beyond_is_told(tmp_path: Path) -> None:
    path = deep_png(tmp_path / "a.png", np.full((8, 8), 2000, np.uint16))
    read = read_pictures([path], (8, 8), 1, Depth(0, 1023))
    assert (read.pixels == 255).all()
    assert read.notes == (
        f"{path} has values above 1023, which is white in the training pictures; "
        "they become white, too.",
    )
    assert (read_pictures([path], (8, 8), 1, FULL).pixels == 2000 >> 8).all()


def test_values_that_are_no_numbers_are_a_problem(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "a.tif")
    assert "no finite numbers" in read_pictures([tmp_path / "a.tif"]).problems[0].reason


def test_a_preview_of_a_deep_picture_is_no_black_one(tmp_path: Path) -> None:
    values = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint16)
    seen = preview(deep_png(tmp_path / "a.png", values))
    np.testing.assert_array_equal(seen[..., 0], values)


@pytest.mark.parametrize("numbers", [(0, 0), (0, float("nan")), ("0", 1), (0, 10**400)])
def test_a_depth_that_can_t_be_is_refused(numbers: Any) -> None:
    with pytest.raises(UsageError, match="expected two numbers"):
        Depth(*numbers)
