from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.audio import (
    check_speech,
    decode_audio,
    from_pcm16,
    require_speech,
    to_pcm16,
    write_wav,
)
from lipstream.errors import BadInput
from tests.unit.audio.media import tone


@given(st.binary(max_size=400).filter(lambda data: len(data) % 2 == 0))
def test_pcm16_survives_the_way_through_floats(data: bytes) -> None:
    samples = from_pcm16(data)
    assert samples.dtype == np.float32
    assert to_pcm16(samples) == data


def test_full_scale_is_clipped() -> None:
    assert to_pcm16(np.asarray([2.0, 1.0, -1.0, -2.0], np.float32)) == bytes.fromhex(
        "ff7fff7f00800080"
    )


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(BadInput, match="16-bit"):
        from_pcm16(b"abc")


def test_wav_is_what_was_written(tmp_path: Path) -> None:
    audio = tone(0.5)
    path = tmp_path / "speech.wav"
    assert write_wav(path, [audio[:3_000], audio[3_000:]], 16_000) == audio.size
    file = io.BytesIO()
    write_wav(file, [audio], 16_000)
    assert file.getvalue() == path.read_bytes()
    np.testing.assert_allclose(decode_audio(path).samples, audio, atol=2e-5)


def test_silence_is_refused_as_speech_whole_and_streamed() -> None:
    silence = np.zeros(16_000, np.float32)
    with pytest.raises(BadInput) as refusal:
        check_speech(silence)
    assert refusal.value.code == "silent_audio"
    with pytest.raises(BadInput, match="silent"):
        list(require_speech([silence, silence]))
    check_speech(tone(0.1))
    assert len(list(require_speech([silence, tone(0.1), silence]))) == 3
