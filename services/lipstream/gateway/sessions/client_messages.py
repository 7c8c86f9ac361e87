"""What clients send as text: JSON with a `type`."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from lipstream.errors import BadInput
from lipstream.face.face_controls import FaceControls, Framing
from lipstream.gateway.sessions.live_session import LiveSession
from lipstream.gateway.sessions.options import LiveBackground, OutputKind
from lipstream.wire.faults import fault_place, fault_words

__all__ = [
    "ClientMessage",
    "Interrupt",
    "KeepAlive",
    "SetControls",
    "SetOutput",
    "Speak",
    "SpeakEnd",
    "obey",
    "parse_message",
]

_MOST_TEXT = 20_000
_REMEDY = 'Send JSON such as {"type": "agent.speak", "text": "Hello."}; see docs/live.md.'


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speak(_Message):
    """A piece of speech, as samples or as text; text is an utterance of its own."""

    type: Literal["agent.speak"]
    audio: bytes | None = None
    text: Annotated[str | None, Field(min_length=1, max_length=_MOST_TEXT)] = None
    voice: Annotated[str | None, Field(max_length=64)] = None

    @field_validator("audio", mode="before")
    @classmethod
    def _decoded(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise ValueError("it is no base64") from None


class SpeakEnd(_Message):
    type: Literal["agent.speak_end"]


class Interrupt(_Message):
    type: Literal["agent.interrupt"]


class SetControls(_Message):
    """Other wishes for the face, in place of all before them."""

    type: Literal["session.controls"]
    controls: FaceControls

    @field_validator("controls")
    @classmethod
    def _of_the_face(cls, controls: FaceControls) -> FaceControls:
        if controls.framing != Framing():
            raise ValueError("the framing is a matter of session.output")
        return controls


class SetOutput(_Message):
    """Pictures or motion from now on, before another background, in another framing; what is left
    out stays."""

    type: Literal["session.output"]
    output: OutputKind | None = None
    background: LiveBackground | None = None
    framing: Framing | None = None


class KeepAlive(_Message):
    type: Literal["session.keep_alive"]


ClientMessage = Annotated[
    Speak | SpeakEnd | Interrupt | SetControls | SetOutput | KeepAlive, Field(discriminator="type")
]

_ADAPTER: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def parse_message(text: str) -> ClientMessage:
    """
    Raises:
        BadInput: it is no such message; the text names what is wrong.
    """
    try:
        message = _ADAPTER.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        # The first part of a place is the type of the message.
        place = fault_place(fault["loc"][1:]) or "message"
        raise BadInput(
            f"{place[:80]}: {fault_words(fault)[:200]}.",
            remedy=_REMEDY,
            code="bad_message",
        ) from None
    if isinstance(message, Speak) and (message.audio is None) == (message.text is None):
        raise BadInput(
            "agent.speak holds either 'audio' or 'text'.", remedy=_REMEDY, code="bad_message"
        )
    return message


def obey(live: LiveSession, message: str | bytes) -> None:
    """Do what a client says: JSON, or samples.

    Raises:
        BadInput, TooLarge: it cannot be done; nothing was.
    """
    if isinstance(message, bytes):
        live.speak(message)
        return
    match parse_message(message):
        case Speak(audio=bytes() as samples):
            live.speak(samples)
        case Speak(text=str() as words, voice=voice):
            live.say(words, voice)
        case SpeakEnd():
            live.end_speech()
        case Interrupt():
            live.interrupt()
        case SetControls(controls=controls):
            live.direct(controls)
        case SetOutput(output=kind, background=background, framing=framing):
            wishes = {"kind": kind, "background": background, "framing": framing}
            live.show({name: wish for name, wish in wishes.items() if wish is not None})
