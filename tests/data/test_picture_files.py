"""Picture files and folders of them."""

import os
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
from PIL import Image, ImageFile, features

from clearprop.data.pictures import files as picture_files
from clearprop.data.pictures import formats as picture_formats
from clearprop.data.pictures.depth import FULL, Depth
from clearprop.data.pictures.files import preview, read_pictures
from clearprop.data.pictures.formats import PictureBytes, named_like_a_picture
from clearprop.errors import DataError, UsageError

RANDOM = np.random.RandomState(7)
SUFFIXES = (".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".ppm", ".tga", ".ico", ".pcx", ".sgi")


def noise(height: int = 8, width: int = 8) -> NDArray[np.uint8]:
    return RANDOM.randint(0, 256, size=(height, width, 3)).astype(np.uint8)


def require(suffix: str) -> None:
    if not features.check({".jp2": "jpg_2000", ".avif": "avif"}.get(suffix, "zlib")):
        pytest.skip(f"this Pillow was built without {suffix}")


def save(path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: Path, header: tuple[int, ...], rows: bytes, *more: bytes) -> Path:
    """Write a PNG of any header (width, height, bits, colours), with further chunks."""
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0))
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def png_that_claims(path: Path, width: int, height: int) -> Path:
    """Write a PNG of few bytes with any width and height in its header."""
    return write_png(path, (width, height, 8, 2), bytes(1000))


def deep_png(path: Path, values: NDArray[Any]) -> Path:
    """Write numbers of 16 bits, shape (H, W), (H, W, 3) or (H, W, 4), as a PNG."""
    colours = {2: 0, 3: {3: 2, 4: 6}.get(values.shape[-1], 0)}[values.ndim]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return write_png(path, (values.shape[1], values.shape[0], 16, colours), rows)


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


# More than 8 bits a colour


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


# Colours, transparency, frames, metadata


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
