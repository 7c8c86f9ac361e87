"""`/v1/voices`: in which a text can be spoken."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lipstream.gateway.callers import AnyCaller
from lipstream.gateway.platform import Shared

__all__ = ["router"]

router = APIRouter(prefix="/v1/voices", tags=["voices"])


class VoiceDocument(BaseModel):
    """One voice of the built-in synthesiser."""

    voice: Annotated[str, Field(description="To ask for it by; `+f3` and its like may follow.")]
    language: Annotated[str, Field(description="BCP 47.")]
    title: str


@router.get("", response_model=list[VoiceDocument])
async def list_voices(
    platform: Shared,
    caller: AnyCaller,
    language: Annotated[
        str, Query(max_length=35, description="Only voices of a language, such as en or en-gb.")
    ] = "",
) -> list[VoiceDocument]:
    """The built-in voices, by the tags of their languages."""
    found = await platform.inspector.voices(language)
    return [
        VoiceDocument(voice=each.name, language=each.language, title=each.title) for each in found
    ]
