"""Options of the commands that make films: what the picture and the file are like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipstream.cli.output import check_output
from lipstream.wire.output import PHOTO, FilmFormat, Output, PictureSize

__all__ = ["Background", "Format", "Size", "film_output"]

Size = Annotated[
    str,
    typer.Option(
        help="Width and height, px: 512, or upright such as 720x1280; even, 64 to 1080 wide."
    ),
]
Background = Annotated[
    str,
    typer.Option(
        help="photo, none (with alpha: .webm, .mov, .zip), blur, a colour '#RRGGBB', or a picture "
        "or video, which covers the frame and begins again where it ends."
    ),
]
Format = Annotated[
    FilmFormat | None,
    typer.Option(
        help="By default by the file's ending: .mp4, .webm (VP9, Opus), .mov (ProRes 4444, PCM) or "
        ".zip (PNG pictures and WAV). png with another name writes a folder of pictures."
    ),
]


def film_output(out: Path, size: str, background: str, kind: FilmFormat | None) -> Output:
    """What the options say, checked before minutes are spent.

    Raises:
        BadInput: size, file name or background cannot be used, or they do not fit together.
    """
    ending = out.suffix.lower()
    endings = [each.ending for each in FilmFormat] if kind is None else [kind.ending]
    if kind is FilmFormat.PNG:
        endings.append(ending)  # of a folder
    check_output(out, *endings)
    if kind is None:
        by_ending = {each.ending: each for each in FilmFormat}
        kind = by_ending.get(ending, FilmFormat.MP4)
    return Output(PictureSize.parse(size), kind, background or PHOTO)
