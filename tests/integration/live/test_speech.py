"""Speech synthesis, voices and inspection at the audio stage's server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lipstream.audio import synthesize
from lipstream.audio.speech import Delivery
from lipstream.v1 import audio_pb2, common_pb2
from lipstream.wire.tensors import unpack_samples
from tests.integration.live.conftest import Stubs
from tests.integration.live.live_call import LONGEST_S, problem_of

HEADER = common_pb2.LiveHeader(session_id="s", epoch=3, pts_us=2_000_000)
TEXT = "We may bring my big blue boat by the pier. " * 25


def spoken(stubs: Stubs, **request: Any) -> list[audio_pb2.SynthesizeResponse]:
    message = audio_pb2.SynthesizeRequest(header=HEADER, **request)
    return list(stubs.audio.Synthesize(message, timeout=LONGEST_S))


def test_a_text_is_spoken_in_pieces_with_its_phones(stubs: Stubs) -> None:
    answers = spoken(stubs, text=TEXT, voice="en-us")
    pieces = answers[:-1]
    assert answers[-1].HasField("end")
    assert len(pieces) > 1
    speech = synthesize(TEXT, "en-us")
    samples = np.concatenate(
        [unpack_samples(p.speech.samples, p.speech.sample_format) for p in pieces]
    )
    np.testing.assert_allclose(samples, speech.samples, atol=1 / 32768)
    expected_us = float(HEADER.pts_us)
    for piece in pieces:
        assert piece.header.epoch == 3
        assert piece.header.pts_us == pytest.approx(expected_us, abs=2)
        count = len(piece.speech.samples) // 2
        length_us = count * 1e6 / piece.speech.rate_hz
        for phone in piece.speech.phones:
            assert expected_us - 2 <= phone.start_us < phone.end_us <= expected_us + length_us + 2
        expected_us += length_us
    assert answers[-1].header.pts_us == pytest.approx(expected_us, abs=2)
    phones = [phone for piece in pieces for phone in piece.speech.phones]
    assert [phone.ipa for phone in phones] == [phone.ipa for phone in speech.phones]


def test_rate_and_pitch_are_followed(stubs: Stubs) -> None:
    def samples(**request: Any) -> bytes:
        return b"".join(a.speech.samples for a in spoken(stubs, text="Hello there.", **request))

    assert len(samples(rate_wpm=300)) < len(samples()) < len(samples(rate_wpm=100))
    low = synthesize("Hello there.", delivery=Delivery(pitch=0))
    np.testing.assert_allclose(
        unpack_samples(samples(pitch=0), common_pb2.SAMPLE_FORMAT_PCM_S16LE),
        low.samples,
        atol=1 / 32768,
    )


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"text": "Hello.", "voice": "vulcan"}, "INVALID_ARGUMENT", "unknown_voice"),
        ({"text": ""}, "INVALID_ARGUMENT", None),
        ({"text": "..."}, "INVALID_ARGUMENT", "no_speech"),
        ({"text": "word " * 20_000}, "OUT_OF_RANGE", None),
        ({"text": "Hello.", "rate_wpm": 1}, "INVALID_ARGUMENT", "speech_control"),
        ({"text": "Hello.", "pitch": 1000}, "INVALID_ARGUMENT", "speech_control"),
    ],
)
def test_what_cannot_be_spoken_is_refused(
    stubs: Stubs, request_: dict[str, Any], status: str, code: str | None
) -> None:
    error = problem_of(lambda: spoken(stubs, **request_))
    assert error.grpc_status == status
    assert code in (None, error.code)


def test_voices_can_be_listed_by_language_and_asked_for_by_name(stubs: Stubs) -> None:
    everything = stubs.audio.ListVoices(audio_pb2.ListVoicesRequest()).voices
    english = stubs.audio.ListVoices(audio_pb2.ListVoicesRequest(language="en")).voices
    assert len(everything) > 100
    assert 3 <= len(english) < 20
    assert {"en-us", "en-gb"} <= {voice.name for voice in english}
    assert all(voice.title for voice in everything)
    assert not stubs.audio.ListVoices(audio_pb2.ListVoicesRequest(language="xx")).voices
    assert spoken(stubs, text="Guten Tag.", voice="de")[-1].HasField("end")


def test_voices_and_recordings_are_inspected(stubs: Stubs) -> None:
    stubs.audio.Inspect(audio_pb2.InspectRequest(voice="en-us+f3"))
    wrong = problem_of(lambda: stubs.audio.Inspect(audio_pb2.InspectRequest(voice="vulcan")))
    assert wrong.code == "unknown_voice"
    missing = problem_of(lambda: stubs.audio.Inspect(audio_pb2.InspectRequest(audio_key="no/x")))
    assert missing.grpc_status == "NOT_FOUND"
    nothing = problem_of(lambda: stubs.audio.Inspect(audio_pb2.InspectRequest()))
    assert nothing.grpc_status == "INVALID_ARGUMENT"
