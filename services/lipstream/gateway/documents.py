"""What the REST interface takes and gives: the models behind /docs."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from lipstream.face.face_controls import FaceControls
from lipstream.gateway.output_fields import OutputFields
from lipstream.wire.problem import Problem

__all__ = [
    "AvatarDocument",
    "AvatarName",
    "BatchDocument",
    "BatchLine",
    "Consent",
    "ConsentBy",
    "MostListed",
    "ProblemDocument",
    "StatusName",
    "VideoDocument",
    "VideoRequest",
]

StatusName = Literal["queued", "running", "ready", "succeeded", "failed", "cancelled"]
_NUMBER = re.compile("[0-9]{1,4}")

MostListed = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
AvatarName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,55}$",
        description="1 to 56 of a-z, 0-9, '-' and '_'; the avatar's id from then on.",
        examples=["grace"],
    ),
]
Consent = Annotated[
    str,
    StringConstraints(max_length=2000),
    Field(description="Who allows this face to be used, and how; kept in the avatar."),
]
ConsentBy = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="Who gives the consent; kept with it. Some servers ask for it."),
]


class VideoRequest(OutputFields):
    """What to render. Send `text` as JSON, or the same fields and an `audio` file as a form."""

    model_config = ConfigDict(extra="forbid")

    avatar: AvatarName
    text: Annotated[str | None, Field(description="Words to speak, in the voice's language.")] = (
        None
    )
    voice: Annotated[
        str, Field(max_length=64, description="espeak-ng voice, such as en-us, de, cmn, en-gb+f3.")
    ] = "en-us"
    fps: Literal[25, 30, 50, 60] = 25
    seed: Annotated[
        int, Field(ge=0, lt=2**31, description="Same seed, same blinks and head motion.")
    ] = 0
    style: Annotated[
        list[Annotated[float, Field(allow_inf_nan=False)]] | None,
        Field(
            min_length=1,
            max_length=4096,
            description="How the face moves: what `lipstream style` reads off a clip. In a form, "
            "as JSON. By default neutral.",
        ),
    ] = None

    controls: Annotated[
        FaceControls | None,
        Field(description="Emotion, gaze, blinks and more. In a form, as JSON."),
    ] = None
    priority: Annotated[
        Literal["interactive", "batch"],
        Field(description="batch lets go first those for whom somebody waits."),
    ] = "interactive"
    deadline_s: Annotated[
        float | None,
        Field(
            gt=0,
            le=30 * 86_400,
            allow_inf_nan=False,
            description="After so many seconds nobody wants it any more: it fails wherever it is.",
        ),
    ] = None

    @field_validator("style", "controls", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("must be JSON") from None

    @field_validator("fps", mode="before")
    @classmethod
    def _from_form(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int | None = None
    detail: str
    instance: str | None = None
    code: str | None = None
    remedy: str | None = None
    figures: Annotated[
        dict[str, float] | None, Field(description="Measured values, names with their units.")
    ] = None

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The reason that is kept with a failed job."""
        return cls(
            type=f"/problems/{problem.code}",
            title=problem.title,
            detail=problem.detail,
            code=problem.code,
            remedy=problem.remedy or None,
            figures=dict(problem.figures) or None,
        )


class VideoDocument(BaseModel):
    """One video job."""

    id: str
    status: StatusName
    stage: Annotated[str | None, Field(description="Where it is now.")] = None
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    avatar: str
    priority: Literal["interactive", "batch"] = "interactive"
    deadline_ms: Annotated[int | None, Field(description="Unix time.")] = None
    created_ms: int
    updated_ms: int
    results: Annotated[dict[str, Any], Field(description="Facts such as duration_s.")] = {}
    warnings: list[str] = []
    error: ProblemDocument | None = None
    links: dict[str, str]


class BatchLine(BaseModel):
    """What became of one line of a manifest."""

    line: Annotated[int, Field(description="Of the manifest, from 1.")]
    status: StatusName | None = Field(
        description="As a video's; null until the line is come to, or when its video was forgotten."
    )
    video: str | None = None
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    error: ProblemDocument | None = None
    links: dict[str, str] = {}


class BatchEntry(BaseModel):
    """Many videos that were asked for at once, as a list of batches names them."""

    id: str
    created_ms: int
    lines: Annotated[int, Field(description="In its manifest.")]
    links: dict[str, str]


class BatchDocument(BatchEntry):
    """A batch, and what became of its videos."""

    counts: Annotated[dict[str, int], Field(description="Lines by status.")]
    done: Annotated[bool, Field(description="Whether each line has ended.")]
    page: Annotated[list[BatchLine], Field(description="The lines that were asked for.")] = []


class AvatarDocument(BaseModel):
    """One avatar: being fitted, ready, or failed with a reason."""

    id: str
    status: StatusName
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    created: Annotated[str | None, Field(description="ISO 8601, UTC.")] = None
    source: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    report: dict[str, Any] | None = None
    warnings: list[Any] = []
    error: ProblemDocument | None = None
    links: dict[str, str]
