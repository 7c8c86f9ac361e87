from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lipstream.avatar.photo import MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS, load_photo
from lipstream.errors import BadInput, NotFound, TooLarge


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(width: int = 160, height: int = 120) -> Image.Image:
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.repeat(np.tile(row, (height, 1))[..., None], 3, 2))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_common_formats(kind: str, tmp_path: Path) -> None:
    data = encoded(gradient(), kind)
    path = tmp_path / "photo"
    path.write_bytes(data)
    photo = load_photo(path)
    assert photo.pixels.shape == (120, 160, 3)
    assert photo.pixels.dtype == np.uint8
    assert (photo.kind, photo.width_px, photo.height_px) == (kind.lower(), 160, 120)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    np.testing.assert_array_equal(load_photo(data).pixels, photo.pixels)


def test_orientation_of_cameras_is_undone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show rotated by 90 degrees clockwise
    photo = load_photo(encoded(gradient(), "JPEG", exif=exif.tobytes()))
    assert photo.pixels.shape == (160, 120, 3)
    assert (photo.width_px, photo.height_px) == (120, 160)
    assert photo.pixels[5].mean() < photo.pixels[-5].mean()


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    photo = load_photo(encoded(gradient().convert(mode), kind))
    assert photo.pixels.shape == (120, 160, 3)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    assert load_photo(encoded(clear, "PNG")).pixels.min() == 255


def test_large_photos_are_reduced_but_keep_their_name() -> None:
    photo = load_photo(encoded(Image.new("RGB", (5000, 3000)), "PNG"))
    assert max(photo.pixels.shape) == 2400
    assert (photo.width_px, photo.height_px) == (5000, 3000)
    photo = load_photo(encoded(Image.new("RGB", (5000, 3000)), "JPEG"))
    assert max(photo.pixels.shape) <= 2500
    assert (photo.width_px, photo.height_px) == (5000, 3000)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 4000, b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_no_image(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load_photo(data)
    assert caught.value.code in ("not_an_image", "damaged_image", "too_small")


def test_documents_and_scripts_are_no_images() -> None:
    """Only raster formats are tried: Pillow would run Ghostscript on PostScript."""
    for data in (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 300 300\n",
        b"%PDF-1.4\n",
        b"<svg/>",
    ):
        with pytest.raises(BadInput) as caught:
            load_photo(data)
        assert caught.value.code == "not_an_image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_images(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(BadInput) as caught:
        load_photo(data[: len(data) // 2])
    assert caught.value.code in ("damaged_image", "not_an_image")


def test_one_pixel() -> None:
    with pytest.raises(BadInput, match="1 x 1") as caught:
        load_photo(encoded(Image.new("RGB", (1, 1)), "PNG"))
    assert caught.value.code == "too_small"


@pytest.mark.parametrize("size", [(20_000, 20_000), (60_000, 60_000), (2_000_000_000, 5)])
def test_huge_sizes_are_refused_before_decoding(size: tuple[int, int]) -> None:
    tracemalloc.start()
    with pytest.raises(TooLarge, match=str(MAX_PHOTO_PIXELS // 1_000_000)):
        load_photo(png_header(*size))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_huge_files_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1)
    with pytest.raises(TooLarge, match="25 MB"):
        load_photo(path)
    with pytest.raises(TooLarge):
        load_photo(bytes(MAX_PHOTO_BYTES + 1))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_photo(tmp_path / "none.jpg")
    with pytest.raises(BadInput):
        load_photo(tmp_path)


@pytest.mark.parametrize(
    ("kind", "pixels"),
    [
        ("PNG", lambda grey: grey.astype(np.uint16) * 257),
        ("TIFF", lambda grey: grey.astype(np.uint16) * 257),
        ("TIFF", lambda grey: grey.astype(np.float32) / 255),
        ("TIFF", lambda grey: grey.astype(np.int32)),
    ],
)
def test_grey_of_more_than_8_bits_keeps_its_tones(
    kind: str, pixels: Callable[[NDArray[np.uint8]], NDArray[np.generic]]
) -> None:
    grey = np.asarray(gradient().convert("L"))
    photo = load_photo(encoded(Image.fromarray(pixels(grey)), kind))
    np.testing.assert_allclose(photo.pixels[..., 1], grey, atol=1)


@pytest.mark.parametrize("fault", [struct.error("bad"), TypeError("bad"), IndexError("bad")])
def test_whatever_a_decoder_throws_is_a_damaged_image(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def transpose(image: Image.Image) -> Image.Image:
        raise fault

    monkeypatch.setattr("lipstream.avatar.photo.ImageOps.exif_transpose", transpose)
    with pytest.raises(BadInput) as caught:
        load_photo(encoded(gradient(), "JPEG"))
    assert caught.value.code == "damaged_image"
