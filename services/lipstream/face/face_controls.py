"""What a caller may wish of a face beside its words: emotion, gaze, blinks, and so on.

One document for the command, the REST interface, jobs and live streams, checked here and nowhere
else. What is left out is as it is without any wish.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import field
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from lipstream.errors import BadInput
from lipstream.wire.faults import fault_place, fault_words

__all__ = ["EMOTIONS", "EmotionKeyframe", "FaceControls", "Framing", "Gaze"]

EMOTIONS: tuple[str, ...] = (
    "amazement",
    "anger",
    "cheekiness",
    "disgust",
    "fear",
    "grief",
    "joy",
    "outofbreath",
    "pain",
    "sadness",
)
"""The names of NVIDIA Audio2Face-3D."""

_LONGEST_S = 86_400.0
_MOST_KEYFRAMES = 1000
_SHORTEST_STEP_S = 0.1
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_REMEDY = "See the section on controls in the README for names and ranges."

Amount = Annotated[float, Field(ge=0, le=2)]


def _known(name: str) -> str:
    if name not in EMOTIONS:
        raise ValueError(f"There is no emotion {name[:40]!r}; choose of {', '.join(EMOTIONS)}")
    return name


def _keyframes(value: object) -> object:
    """Weights alone hold from the beginning to the end."""
    if isinstance(value, Mapping):
        return [{"weights": value}]
    if not isinstance(value, list | tuple):
        raise ValueError("must be weights such as {'joy': 0.8}, or a list of keyframes")
    return value


def _direction(value: object) -> object:
    if isinstance(value, str):
        if value != "camera":
            raise ValueError("must be 'camera', or an object of yaw_deg and pitch_deg")
        return {}
    return value


@dataclass(frozen=True, slots=True, config=_STRICT)
class EmotionKeyframe:
    """What the face feels at one time."""

    time_s: Annotated[float, Field(ge=0, le=_LONGEST_S)] = 0.0
    """Since the controls took effect: in a video, since its beginning."""
    weights: dict[
        Annotated[str, AfterValidator(_known)],
        Annotated[float, Field(ge=0, le=1, description="Intensity.")],
    ] = field(default_factory=dict)
    """Emotions that are left out are 0."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Gaze:
    """Where the eyes look, seen from the camera's direction; degrees."""

    yaw_deg: Annotated[float, Field(ge=-30, le=30)] = 0.0
    """Positive: to the person's own left."""
    pitch_deg: Annotated[float, Field(ge=-20, le=20)] = 0.0
    """Positive: up."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Framing:
    """The part of the avatar's picture that is shown. There is nothing beyond its edges."""

    zoom: Annotated[float, Field(ge=1, le=3)] = 1.0
    offset: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """How far the head is moved up, in heights of what is shown."""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        room = (self.zoom - 1) / 2
        if abs(self.offset) > room + 1e-6:
            wanted = math.ceil(100 * (1 + 2 * abs(self.offset))) / 100
            raise ValueError(
                f"A zoom of {self.zoom:g} leaves room for an offset of -{room:g} to {room:g}; an "
                f"offset of {self.offset:g} needs a zoom of {wanted:g}"
            )
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class FaceControls:
    """Wishes for one stretch of motion and its pictures."""

    emotion: Annotated[
        tuple[EmotionKeyframe, ...],
        Field(
            max_length=_MOST_KEYFRAMES,
            description="Weights by emotion, or keyframes between which they change smoothly. "
            f"Emotions: {', '.join(EMOTIONS)}.",
        ),
        BeforeValidator(
            _keyframes, json_schema_input_type=dict[str, float] | list[EmotionKeyframe]
        ),
    ] = ()
    gaze: Annotated[
        Gaze | None,
        Field(description="Degrees, or 'camera'; by default an emotion may turn the eyes."),
        BeforeValidator(_direction, json_schema_input_type=Gaze | Literal["camera"] | None),
    ] = None
    gaze_wander: Annotated[Amount, Field(description="How much the eyes wander.")] = 1.0
    blink_rate: Annotated[
        float | None, Field(ge=0, le=60, description="A minute; by default as people blink.")
    ] = None
    head_motion: Annotated[Amount, Field(description="Amount of sway and nods.")] = 1.0
    mouth_strength: Annotated[Amount, Field(description="How far speech moves the mouth.")] = 1.0
    framing: Framing = Framing()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [keyframe.time_s for keyframe in self.emotion]
        if any(later - sooner < _SHORTEST_STEP_S - 1e-6 for sooner, later in pairwise(times)):
            raise ValueError(
                f"Keyframes of emotion must follow each other by {_SHORTEST_STEP_S:g} s or more"
            )
        return self

    @classmethod
    def parse(cls, document: object) -> Self:
        """Of a JSON document.

        Raises:
            BadInput: a name is unknown, or a number out of range.
        """
        try:
            controls: Self = TypeAdapter(cls).validate_python(document)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place, what = fault_place(fault["loc"]), fault_words(fault)
            raise BadInput(
                f"{place[:80]}: {what}." if place else f"{what}.",
                remedy=_REMEDY,
                code="bad_controls",
            ) from None
        return controls

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no controls.
        """
        try:
            return cls.parse(json.loads(data))
        except (ValueError, RecursionError):
            raise BadInput("These are no controls of a face.", code="bad_controls") from None

    def document(self) -> dict[str, Any]:
        """As JSON, without what is as it would be anyway."""
        document: dict[str, Any] = TypeAdapter(type(self)).dump_python(
            self, mode="json", exclude_defaults=True
        )
        return document

    def encode(self) -> bytes:
        return json.dumps(self.document()).encode()
