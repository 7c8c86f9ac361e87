"""Zip files from strangers, read within bounds; and written so that equal input gives equal bytes.

Sizes in a zip's directory are claims: what is inflated is counted, never trusted.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lipstream.errors import BadInput, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lipstream.face.bundle.manifest import Member

__all__ = ["MAX_BUNDLE_BYTES", "MEMBER_LIMITS", "open_archive", "read_member", "write_archive"]

MAX_BUNDLE_BYTES = 64 * 2**20
MEMBER_LIMITS: dict[str, int] = {
    "manifest.json": 2**20,
    "model.npz": 64 * 2**20,
    "plate.png": 16 * 2**20,
    "preview.png": 4 * 2**20,
    "sheet.png": 8 * 2**20,
}
"""The members of a bundle and the most bytes that each may inflate to."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def _damaged(why: str) -> BadInput:
    return BadInput(
        f"The avatar bundle is damaged: {why}.",
        remedy="Copy it or create the avatar again.",
        code="damaged_bundle",
    )


@contextmanager
def open_archive(source: Path | str | bytes | BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a bundle after checking its directory.

    Raises:
        NotFound: there is no such file.
        TooLarge: the file is over the limit.
        BadInput: no zip, or something in it that does not belong in a bundle.
    """
    with _stream(source) as stream:
        try:
            archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise BadInput(
                "The file is not an avatar bundle: it is no zip file.", code="not_a_bundle"
            ) from None
        with archive:
            _check_directory(archive)
            yield archive


@contextmanager
def _stream(source: Path | str | bytes | BinaryIO) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        if isinstance(source, bytes):
            stream: BinaryIO = io.BytesIO(source)
        elif isinstance(source, Path | str):
            try:
                stream = stack.enter_context(Path(source).open("rb"))
            except FileNotFoundError:
                raise NotFound(f"There is no avatar bundle at {source}.") from None
            except OSError as error:
                raise BadInput(f"{source} cannot be read: {error.strerror}.") from None
        else:
            stream = source
        _check_bytes(stream)
        yield stream


def _check_bytes(stream: BinaryIO) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > MAX_BUNDLE_BYTES:
        raise TooLarge(f"The avatar bundle is larger than {MAX_BUNDLE_BYTES // 2**20} MB.")


def _check_directory(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise _damaged("a name appears twice")
    for entry in entries:
        if entry.filename not in MEMBER_LIMITS:
            shown = ascii(entry.filename[:60])
            raise _damaged(f"it holds {shown}, which does not belong in a bundle")
        if entry.file_size > MEMBER_LIMITS[entry.filename]:
            raise _too_large(entry.filename)
    if "manifest.json" not in names:
        raise BadInput("The file is not an avatar bundle: it has no manifest.", code="not_a_bundle")


def read_member(archive: zipfile.ZipFile, name: str, expected: Member | None = None) -> bytes:
    """Inflate one member within its limit.

    Args:
        expected: what the manifest says of it.

    Raises:
        TooLarge: it inflates to more than its limit.
        BadInput: it is missing or damaged, or is not what the manifest says.
    """
    limit = MEMBER_LIMITS[name]
    try:
        with archive.open(name) as stream:
            data = stream.read(limit + 1)
    except KeyError:
        raise _damaged(f"{name} is missing") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        NotImplementedError,
    ):
        raise _damaged(f"{name} cannot be read") from None
    if len(data) > limit:
        raise _too_large(name)
    if expected is not None and (
        expected.bytes != len(data) or expected.sha256 != hashlib.sha256(data).hexdigest()
    ):
        raise _damaged(f"{name} does not match its checksum")
    return data


def _too_large(name: str) -> TooLarge:
    return TooLarge(f"{name} in the avatar bundle is over {MEMBER_LIMITS[name] // 2**20} MB.")


def write_archive(members: Mapping[str, bytes], stream: BinaryIO, compression: int) -> None:
    """Write members in order, without clocks, users or systems in the bytes.

    Args:
        compression: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
    """
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.compress_type = compression
            archive.writestr(entry, data, compresslevel=3)
