"""What the commands ask of a face beside its words, and of the camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipstream.errors import BadInput, NotFound

if TYPE_CHECKING:
    from lipstream.face.face_controls import FaceControls

__all__ = [
    "Blinks",
    "Emotion",
    "Gaze",
    "GazeWander",
    "HeadMotion",
    "MouthStrength",
    "Offset",
    "Zoom",
    "face_controls",
]

_PANEL = "Face and camera"
_LONGEST_BYTES = 1_000_000

Emotion = Annotated[
    str | None,
    typer.Option(
        help="amazement, anger, cheekiness, disgust, fear, grief, joy, outofbreath, pain, sadness; "
        "with intensities: joy=0.7,amazement=0.3; or FILE.json of keyframes.",
        rich_help_panel=_PANEL,
    ),
]
Gaze = Annotated[
    str | None,
    typer.Option(
        help="camera, or YAW,PITCH in degrees from there: to the person's left, up.",
        rich_help_panel=_PANEL,
    ),
]
GazeWander = Annotated[
    float | None, typer.Option(help="How much the eyes wander, 0 to 2.", rich_help_panel=_PANEL)
]
Blinks = Annotated[
    float | None, typer.Option(help="Blinks a minute, 0 to 60.", rich_help_panel=_PANEL)
]
HeadMotion = Annotated[
    float | None, typer.Option(help="Amount of head motion, 0 to 2.", rich_help_panel=_PANEL)
]
MouthStrength = Annotated[
    float | None,
    typer.Option(help="How far speech moves the mouth, 0 to 2.", rich_help_panel=_PANEL),
]
Zoom = Annotated[
    float | None,
    typer.Option(help="How much closer the camera is, 1 to 3.", rich_help_panel=_PANEL),
]
Offset = Annotated[
    float | None,
    typer.Option(
        help="How far up the head is, in heights of the picture; at most (zoom - 1) / 2.",
        rich_help_panel=_PANEL,
    ),
]


def face_controls(
    *,
    emotion: str | None,
    gaze: str | None,
    gaze_wander: float | None,
    blinks: float | None,
    head_motion: float | None,
    mouth_strength: float | None,
    zoom: float | None = None,
    offset: float | None = None,
) -> FaceControls:
    """What the options ask for.

    Raises:
        BadInput: a name is unknown, or a number out of range.
        NotFound: there is no such file of keyframes.
    """
    from lipstream.face.face_controls import FaceControls

    wishes: dict[str, Any] = {
        "emotion": None if emotion is None else _emotion(emotion),
        "gaze": None if gaze is None else _gaze(gaze),
        "gaze_wander": gaze_wander,
        "blink_rate": blinks,
        "head_motion": head_motion,
        "mouth_strength": mouth_strength,
    }
    camera = {"zoom": zoom, "offset": offset}
    framing = {name: value for name, value in camera.items() if value is not None}
    document = {name: value for name, value in wishes.items() if value is not None}
    return FaceControls.parse(document | ({"framing": framing} if framing else {}))


def _emotion(text: str) -> Any:
    if text.lower().endswith(".json"):
        return _keyframes(Path(text))
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, intensity = part.partition("=")
        try:
            weights[name.strip()] = float(intensity) if intensity else 1.0
        except ValueError:
            raise BadInput(
                f"--emotion: {intensity[:40]!r} is no intensity.",
                remedy="Write for example: --emotion joy=0.7,amazement=0.3",
            ) from None
    return weights


def _keyframes(path: Path) -> Any:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", remedy="Give a JSON file of keyframes.")
    try:
        with path.open("rb") as file:
            return json.loads(file.read(_LONGEST_BYTES))
    except (ValueError, RecursionError):
        raise BadInput(
            f"{path} is no JSON that can be read.",
            remedy='Write keyframes such as [{"time_s": 0, "weights": {"joy": 0.8}}].',
        ) from None


def _gaze(text: str) -> Any:
    if text == "camera":
        return text
    try:
        yaw_deg, pitch_deg = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(
            f"--gaze: {text[:40]!r} is no direction.",
            remedy="Write camera, or two angles such as: --gaze=-12,4",
        ) from None
    return {"yaw_deg": yaw_deg, "pitch_deg": pitch_deg}
