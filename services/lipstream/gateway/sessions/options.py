"""What a session is asked for, and what is told about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from lipstream.face.face_controls import FaceControls, Framing
from lipstream.gateway.output_fields import SizeField
from lipstream.wire.output import NONE, PHOTO

__all__ = [
    "LiveBackground",
    "OutputKind",
    "SdpDocument",
    "SessionDocument",
    "SessionOptions",
    "SessionOutput",
    "SessionState",
]

OutputKind: TypeAlias = Literal["video", "motion"]
LiveBackground: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^(photo|none|blur|#[0-9a-fA-F]{6})$",
        description="Of the photo, none (colours and alpha side by side), blur (the photo's, out "
        "of focus), or a colour such as #00b140.",
    ),
]


class SessionState(StrEnum):
    CONNECTING = "connecting"
    IDLE = "idle"
    SPEAKING = "speaking"
    CLOSED = "closed"


class SessionOptions(BaseModel):
    """The body of `POST /v1/sessions`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    avatar: Annotated[str, Field(description="Id of a finished avatar.", max_length=64)]
    output: Annotated[
        OutputKind,
        Field(description="Pictures, or blendshapes for a renderer of your own (264 bytes each)."),
    ] = "video"
    background: LiveBackground = PHOTO
    size: SizeField = 512
    sample_rate: Annotated[
        Literal[16_000, 24_000, 48_000], Field(description="Of the speech in and out, Hz.")
    ] = 24_000
    voice: Annotated[str, Field(max_length=64, description="For text; see `lipstream voices`.")] = (
        "en-us"
    )
    seed: Annotated[int, Field(ge=0, lt=1 << 63, description="Same seed, same manner.")] = 0
    style: Annotated[list[float], Field(max_length=4096)] = []
    controls: Annotated[
        FaceControls, Field(description="Emotion, gaze, blinks and more; may change later.")
    ] = FaceControls()


class SessionOutput(BaseModel):
    """What a session gives beside its sound; may change while it runs."""

    model_config = ConfigDict(frozen=True)

    kind: OutputKind
    background: LiveBackground
    framing: Framing

    @classmethod
    def of(cls, options: SessionOptions) -> Self:
        """That of the beginning."""
        return cls(
            kind=options.output,
            background=options.background,
            framing=options.controls.framing,
        )

    @property
    def side_by_side(self) -> bool:
        """Whether pictures are of twice the width: colours on the left, alpha on the right."""
        return self.background == NONE


class SessionDocument(BaseModel):
    """A session, as callers see it."""

    id: str
    state: SessionState
    avatar: str
    output: OutputKind
    background: LiveBackground
    size: int | str
    fps: float
    sample_rate: int
    look_ahead_ms: Annotated[
        int, Field(description="How much speech a picture waits for beyond its own beginning.")
    ]
    stream_url: Annotated[str, Field(description="The WebSocket, relative to this server.")]
    session_token: Annotated[
        str | None,
        Field(description="Opens the WebSocket; told when the session is made, and for a new one."),
    ] = None


class SdpDocument(BaseModel):
    """A WebRTC session description."""

    sdp: Annotated[str, Field(max_length=100_000)]
    type: Literal["offer", "answer"]
