"""`lipstream render`: the main job in one process."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from lipstream.cli.console import console, progress_bars
from lipstream.cli.controls import (
    Blinks,
    Emotion,
    Gaze,
    GazeWander,
    HeadMotion,
    MouthStrength,
    Offset,
    Zoom,
    face_controls,
)
from lipstream.cli.output import size_text
from lipstream.cli.picture import Background, Format, Size, film_output
from lipstream.cli.talking import Encoder, Generator, Style, open_talking
from lipstream.errors import BadInput, NotFound
from lipstream.wire.output import PHOTO

if TYPE_CHECKING:
    from lipstream.render import Drawable

__all__ = ["render"]

_CONSENT = "Given on the command line by the user of this machine."


def render(
    avatar: Annotated[str, typer.Option(help="Name of an avatar, or a photo.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The video: .mp4, .webm, .mov or .zip.")],
    audio: Annotated[Path | None, typer.Option(help="Speech in any format.")] = None,
    text: Annotated[str | None, typer.Option(help="What to say instead.")] = None,
    voice: Annotated[str, typer.Option(help="Voice for --text: lipstream voices.")] = "en-us",
    size: Size = "512",
    fps: Annotated[float, typer.Option(help="Frames a second, 1 to 60.")] = 25.0,
    background: Background = PHOTO,
    format: Format = None,
    seed: Annotated[int, typer.Option(help="Same seed, same blinks and head motion.", min=0)] = 0,
    generator: Generator = None,
    encoder: Encoder = None,
    style: Style = None,
    emotion: Emotion = None,
    gaze: Gaze = None,
    gaze_wander: GazeWander = None,
    blinks: Blinks = None,
    head_motion: HeadMotion = None,
    mouth_strength: MouthStrength = None,
    zoom: Zoom = None,
    offset: Offset = None,
) -> None:
    """Make an avatar say something, in a video of any kind. No server is needed."""
    from lipstream.audio.pcm import SAMPLE_RATE_HZ
    from lipstream.audio.source import SOUNDTRACK_RATE_HZ
    from lipstream.cli.speech import open_speech
    from lipstream.render import FilmOptions, open_background, render_video
    from lipstream.render.device import draw_on
    from lipstream.render.h264 import check_fps
    from lipstream.render.provenance import ContentSigner
    from lipstream.runtime.settings import load_settings

    settings = load_settings()
    signer = ContentSigner.of(settings)
    output = film_output(out, size, background, format)
    behind = open_background(output.background)
    check_fps(fps)
    draw_on(settings.render_device)
    controls = face_controls(
        emotion=emotion,
        gaze=gaze,
        gaze_wander=gaze_wander,
        blinks=blinks,
        head_motion=head_motion,
        mouth_strength=mouth_strength,
        zoom=zoom,
        offset=offset,
    )
    source = open_speech(audio, text, voice)
    talking = open_talking(generator, encoder, style)
    began = time.monotonic()
    with progress_bars() as bars:
        model = _model(avatar, bars, cut=background != PHOTO)
        # Before the film is begun, so that a recording that cannot be used costs nothing more;
        # this also tells how long the bar is.
        task = bars.add_task("listen", total=1.0, note="")
        samples = sum(chunk.size for chunk in source.chunks(SAMPLE_RATE_HZ))
        frames = max(1, round(samples / SAMPLE_RATE_HZ * fps))
        bars.update(task, description="render", total=frames)
        stats = render_video(
            model,
            talking.motion(source.chunks(SAMPLE_RATE_HZ), seed=seed, controls=controls),
            source.chunks(SOUNDTRACK_RATE_HZ),
            out,
            audio_rate_hz=SOUNDTRACK_RATE_HZ,
            options=FilmOptions(
                size_px=output.size,
                fps=fps,
                format=output.format,
                background=behind,
                framing=controls.framing,
                badge=settings.badge,
                threads=min(os.cpu_count() or 1, 8),
            ),
            progress=lambda done: bars.update(task, completed=done),
        )
        size_bytes = stats.size_bytes
        if signer is not None and signer.sign(out, output.format):
            size_bytes = out.stat().st_size
        bars.update(task, completed=frames)
    console.print(
        f"Wrote {out}: {stats.duration_s:.1f} s, {stats.frames} frames, "
        f"{size_text(size_bytes)}, in {time.monotonic() - began:.1f} s",
        highlight=False,
    )


def _model(avatar: str, bars: Progress, *, cut: bool) -> Drawable:
    """The avatar of that name, or one of that photo; a photo is fitted once and remembered.

    Args:
        cut: it must know its person from its background, which older ones do not.
    """
    from lipstream.cli.library import open_library, read_file
    from lipstream.render.avatar_shelf import AvatarShelf

    library = open_library()
    shelf = AvatarShelf(library)
    path = Path(avatar)
    if not path.is_file():
        try:
            return shelf.model(avatar)
        except (BadInput, NotFound) as error:
            if error.code not in ("bad_name", "not_found"):
                raise
            raise NotFound(
                f"There is neither an avatar nor a photo {avatar!r}.",
                remedy="See: lipstream avatar list",
            ) from None
    from lipstream.avatar.create import create_avatar
    from lipstream.avatar.photo import MAX_PHOTO_BYTES
    from lipstream.cli.refusal import refusal_shown
    from lipstream.face.model import AvatarModel

    data = read_file(path, "The photo", MAX_PHOTO_BYTES)
    name = "photo-" + hashlib.sha256(data).hexdigest()[:16]
    try:
        model = shelf.model(name)
        if not (cut and isinstance(model, AvatarModel) and model.torso is None):
            return model
    except (BadInput, NotFound):
        pass  # not there yet, or of another version of the bundle
    task = bars.add_task("fit the avatar", total=1.0, note="")
    with refusal_shown(bars, name):
        create_avatar(
            library,
            name,
            data,
            _CONSENT,
            progress=lambda done, step: bars.update(task, completed=done, note=step),
        )
    return shelf.model(name)
