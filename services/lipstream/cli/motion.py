"""`lipstream motion`: speech to blendshapes, for other programs to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipstream.cli.console import console
from lipstream.cli.controls import (
    Blinks,
    Emotion,
    Gaze,
    GazeWander,
    HeadMotion,
    MouthStrength,
    face_controls,
)
from lipstream.cli.output import check_output
from lipstream.cli.talking import Encoder, Generator, Style, open_talking
from lipstream.errors import BadInput

__all__ = ["motion"]


def motion(
    out: Annotated[Path, typer.Option("--out", "-o", help="FILE.csv or FILE.json.")],
    audio: Annotated[Path | None, typer.Option(help="Speech in any format.")] = None,
    text: Annotated[str | None, typer.Option(help="What to say instead.")] = None,
    voice: Annotated[str, typer.Option(help="Voice for --text: lipstream voices.")] = "en-us",
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
) -> None:
    """Write the face's motion: Live Link Face CSV (61 columns) or JSON, by the file's ending.

    25 frames a second of the 52 ARKit blendshapes, head rotation and gaze.
    """
    from lipstream.audio.pcm import SAMPLE_RATE_HZ
    from lipstream.cli.speech import open_speech
    from lipstream.face.motion import Motion
    from lipstream.face.motion_file import save_motion

    if not out.suffix:
        raise BadInput(f"{out.name} does not end in .csv or .json.", remedy="Choose another name.")
    check_output(out, ".csv", ".json")
    controls = face_controls(
        emotion=emotion,
        gaze=gaze,
        gaze_wander=gaze_wander,
        blinks=blinks,
        head_motion=head_motion,
        mouth_strength=mouth_strength,
    )
    source = open_speech(audio, text, voice)
    talking = open_talking(generator, encoder, style)
    pieces = talking.motion(source.chunks(SAMPLE_RATE_HZ), seed=seed, controls=controls)
    frames = Motion.concatenate(pieces)
    save_motion(out, frames)
    console.print(f"Wrote {out}: {len(frames)} frames, {len(frames) / frames.fps:.2f} s")
