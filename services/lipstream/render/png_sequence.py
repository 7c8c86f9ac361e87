"""A film as pictures: one PNG a frame, for programs that composite."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

from lipstream.render.container import layout_of
from lipstream.render.film_writer import MARK, FilmWriter
from lipstream.render.sink import Sink, Target
from lipstream.render.soundtrack import Soundtrack
from lipstream.render.splats import Bytes
from lipstream.wire.output import FilmFormat, PictureSize

__all__ = ["PngSequence"]

_LEVEL = 3
"""Of zlib: higher ones cost much time for a few percent."""


class PngSequence(FilmWriter):
    """Writes `000000.png` and on, `sound.wav` and `film.json`, which has the frame rate.

    Args:
        target: a path that ends in `.zip`, or a binary file, for a ZIP archive; any other path
            for a folder, which must not exist or be empty.
        metadata: texts of every picture; `comment` marks it as generated unless it is given.
        transparent: take pictures with alpha.

    The other arguments are those of `VideoWriter`.
    """

    def __init__(
        self,
        target: Target,
        size_px: int | PictureSize,
        fps: float = 25.0,
        audio_rate_hz: int | None = 16_000,
        *,
        metadata: dict[str, str] | None = None,
        transparent: bool = False,
    ) -> None:
        import av

        folder = (
            isinstance(target, (str, os.PathLike))
            and Path(target).suffix.lower() != FilmFormat.PNG.ending
        )
        sink = Sink(target, "" if folder else FilmFormat.PNG.ending, folder=folder)
        super().__init__(sink, size_px, fps, audio_rate_hz)
        self.layout = layout_of(FilmFormat.PNG, transparent)
        self._tags = {"comment": MARK} | (metadata or {})
        with sink.writing():
            if folder:
                sink.part.mkdir()
            self._archive = None if folder else zipfile.ZipFile(sink.part, "w")
            # Sound comes beside the pictures, and an archive takes one file after the other.
            self._wav_part = sink.part / "sound.wav" if folder else Path(f"{sink.part}.wav")
            self._wav = None
            if audio_rate_hz is not None:
                self._wav = av.open(str(self._wav_part), "w", format="wav")
                self._wav.metadata.update(self._tags)
                self._sound = Soundtrack(self._wav, "pcm_s16le", audio_rate_hz)

    def _add(self, picture: Bytes) -> None:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        texts = PngInfo()
        for key, value in self._tags.items():
            texts.add_text(key.capitalize(), value)
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "PNG", compress_level=_LEVEL, pnginfo=texts)
        self._put(f"{self.frames:06d}.png", out.getvalue())

    def _finish(self) -> None:
        about = {
            **self._tags,
            "fps": float(self._rate),
            "frames": self.frames,
            "size": [self._size.width_px, self._size.height_px],
        }
        self._put("film.json", json.dumps(about, indent=2).encode())
        if self._wav is not None and self._sound is not None:
            self._sound.finish()
            self._wav.close()
        if self._archive is not None:
            if self._wav is not None:
                # Not by `write`, which keeps the file's time.
                with (
                    self._wav_part.open("rb") as sound,
                    self._archive.open(zipfile.ZipInfo("sound.wav"), "w") as entry,
                ):
                    shutil.copyfileobj(sound, entry)
                self._wav_part.unlink()
            self._archive.close()

    def _give_up(self) -> None:
        for opened in (self._wav, self._archive):
            with contextlib.suppress(OSError, ValueError):
                if opened is not None:
                    opened.close()
        self._wav_part.unlink(missing_ok=True)

    def _put(self, name: str, data: bytes) -> None:
        if self._archive is None:
            (self._sink.part / name).write_bytes(data)
        else:  # with a fixed time, and not compressed again
            self._archive.writestr(zipfile.ZipInfo(name), data)
