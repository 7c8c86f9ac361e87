"""The fields of a wish for a video that say what picture and file are like."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from lipstream.errors import BadInput
from lipstream.wire.output import (
    BLUR,
    MAX_SIZE_PX,
    MIN_SIZE_PX,
    NONE,
    PHOTO,
    UPLOAD,
    FilmFormat,
    Output,
    PictureSize,
    is_color,
)

__all__ = ["OutputFields", "SizeField"]


def _a_size(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a number, or width and height such as 720x1280")
    try:
        size = PictureSize.parse(str(value))
    except BadInput as error:
        raise ValueError(str(error).rstrip(".")) from None
    return size.width_px if size.width_px == size.height_px else str(size)


SizeField: TypeAlias = Annotated[
    int | str,
    BeforeValidator(_a_size),
    Field(
        description="Side of a square picture, px, or width and height of an upright one such "
        f"as 720x1280; even, {MIN_SIZE_PX} to {MAX_SIZE_PX} wide, at most twice as high.",
    ),
]


class OutputFields(BaseModel):
    """Size, kind of file and background; see `wire.output.Output`."""

    size: SizeField = 512
    format: Annotated[
        Literal["mp4", "webm", "mov", "png"],  # an enumeration would need a $ref in the schema
        Field(
            description="mp4 (H.264, AAC), webm (VP9, Opus), mov (ProRes 4444, PCM) or png (a ZIP "
            "archive of PNG pictures and a WAV file). All but mp4 have alpha where there is no "
            "background."
        ),
    ] = "mp4"
    background: Annotated[
        str,
        Field(
            description="photo, none, blur or a colour #RRGGBB; in a form also a picture or a "
            "video as a file, which covers the frame and begins again where it ends.",
            examples=[PHOTO, NONE, BLUR, "#00b140"],
        ),
    ] = PHOTO

    @field_validator("background")
    @classmethod
    def _a_background(cls, value: str) -> str:
        if value not in (PHOTO, NONE, BLUR, UPLOAD) and not is_color(value):
            raise ValueError(
                "must be photo, none, blur or a colour such as #00b140, or in a form a file"
            )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            Output(PictureSize.parse(str(self.size)), FilmFormat(self.format), self.background)
        except BadInput as error:
            raise ValueError(str(error).rstrip(".")) from None
        return self
