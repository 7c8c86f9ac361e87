"""What is said of a document that cannot be used speaks of the document, not of Python."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lipstream.gateway.documents import VideoRequest
from lipstream.gateway.sessions.client_messages import ClientMessage
from lipstream.wire.faults import fault_place, fault_words


def _first(kind: Any, document: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(document)
    fault = caught.value.errors()[0]
    return fault_place(fault["loc"]), fault_words(fault)


@pytest.mark.parametrize(
    ("document", "place", "words"),
    [
        ([], "", "must be a JSON object"),
        ({"avatar": "me", "speed": 2}, "speed", "there is no such field"),
        ({"avatar": "me", "controls": 5}, "controls", "must be a JSON object"),
        (
            {"avatar": "me", "controls": {"emotion": {"hope": 1}}},
            "controls.emotion.0.weights.hope",
            "There is no emotion 'hope'; choose of",
        ),
    ],
)
def test_faults_of_a_request(document: object, place: str, words: str) -> None:
    found = _first(VideoRequest, document)
    assert found[0] == place
    assert found[1].startswith(words)


def test_kinds_of_messages_are_named() -> None:
    assert _first(ClientMessage, {})[1] == "the field 'type' is missing"
    words = _first(ClientMessage, {"type": "agent.dance"})[1]
    assert words.startswith("there is no 'type' 'agent.dance'; choose of agent.speak, ")
