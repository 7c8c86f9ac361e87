"""Every damaged or odd recording gives a result or one clear refusal; every real one a result."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio import check_speech, decode_audio, log_mel
from lipstream.audio.limits import AudioLimits
from lipstream.audio.source import RecordedSpeech
from lipstream.errors import BadInput
from tests.shared_data import shared_data

REFUSED = {
    "derived_empty.mp4": "empty_audio",
    "lfs_pointer_named.mpg": "not_media",
    "awful.wav": "sample_rate",
    "bad.wav": "damaged_media",
    "derived_empty_0_samples.wav": "empty_audio",
    "derived_nan_inf_float.wav": "not_finite",
    "derived_silence_1s.wav": "silent_audio",
    "derived_zero_samplerate.wav": "sample_rate",
    "evil.wav": "damaged_media",
    "headerless_s16le_16k_goforward.raw": "not_media",
    "null.wav": "empty_audio",
    "sndhdr.8svx": "too_short",
    "sndhdr.voc": "too_short",
    "sndhdr.wav": "too_short",
}


def refusal_of(path: Path) -> BadInput | None:
    try:
        recording = decode_audio(path)
        check_speech(recording.samples)
    except BadInput as refusal:
        return refusal
    assert recording.samples.size >= 1_600
    assert np.isfinite(log_mel(recording.samples)).all()
    assert float(np.abs(recording.samples).max()) <= 1.0
    return None


def test_odd_recordings() -> None:
    folder = shared_data("robustness")
    files = [path for path in folder.rglob("*") if path.parent != folder and path.is_file()]
    refusals = {path.name: refusal_of(path) for path in files}
    codes = {name: refusal.code for name, refusal in refusals.items() if refusal}
    assert codes == {name: code for name, code in REFUSED.items() if name in refusals}
    for refusal in filter(None, refusals.values()):
        assert refusal.remedy
        assert "\n" not in str(refusal)


def test_cut_recordings_say_so() -> None:
    path = shared_data("robustness") / "wav" / "derived_truncated_data.wav"
    assert "cut short" in decode_audio(path).warnings[0]


def test_a_source_can_be_streamed_twice() -> None:
    path = shared_data("robustness") / "wav" / "stereo_11025_chan3.wav"
    source = RecordedSpeech(path, AudioLimits())
    first, second = (np.concatenate(list(source.chunks(16_000))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("index", ["index.csv", "index-more.csv"])
def test_all_real_speech_decodes_to_its_length(index: str) -> None:
    folder = shared_data("speech")
    rows = list(csv.DictReader((folder / index).open(encoding="utf-8")))
    files = [(folder / row["file"], float(row["seconds"])) for row in rows]
    present = [(path, seconds) for path, seconds in files if path.exists()]
    assert len(present) > 100
    for path, seconds in present:
        recording = decode_audio(path)
        assert recording.duration_s == pytest.approx(seconds, abs=0.03), path
        assert recording.warnings == (), path
        check_speech(recording.samples)
