"""What the command is given: texts, labels, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from lipstream.audio.wav import write_wav
from lipstream.errors import BadInput, LipstreamError, NotFound
from lipstream.evaluation.commands import app
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ
from lipstream.evaluation.video.clips import find_clips
from lipstream.evaluation.video.pictures import pictures
from tests.unit.motion.spoken import SENTENCES, spoken

_GRID = """File type = "ooTextFile"
Object class = "TextGrid"
0
2
<exists>
1
"IntervalTier"
"phones"
0
2
3
0
0.5
""
0.5
{end}
"B"
{end}
2
"AA1"
"""


def _film(path: Path, *, fps: int = 25, seconds: float = 2.0, sound: bool = True) -> Path:
    """A grey film with noise for its sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        grey = np.full((64, 64, 3), 120, np.uint8)
        for _ in range(int(seconds * fps)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            noise = np.random.default_rng(0).normal(0, 0.1, (1, int(seconds * 16_000)))
            frame = av.AudioFrame.from_ndarray(noise.astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def _labels(path: Path, end_s: float = 0.6) -> None:
    path.write_text(_GRID.format(end=end_s))


def _refusal(*arguments: str) -> LipstreamError:
    result = CliRunner().invoke(app, ["video", *arguments])
    assert isinstance(result.exception, LipstreamError), result.output
    return result.exception


@pytest.mark.parametrize("fps", [25, 30, 50])
def test_pictures_come_with_their_times_on_the_clock_of_the_sound(tmp_path: Path, fps: int) -> None:
    times_s = [picture.time_s for picture in pictures(_film(tmp_path / "film.mp4", fps=fps))]
    assert times_s == pytest.approx(np.arange(2 * fps) / fps, abs=1e-3)


def test_labels_beside_a_video_are_read(tmp_path: Path) -> None:
    _film(tmp_path / "one.mp4")
    _labels(tmp_path / "one.TextGrid")
    (clip,) = find_clips([tmp_path])
    assert clip.video == tmp_path / "one.mp4"
    assert [segment.symbol for segment in clip.speech.segments] == ["sil", "b", "aa"]


def test_a_text_is_aligned(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    speech = spoken(SENTENCES[2])
    write_wav(tmp_path / "fox.wav", speech.waveform, SAMPLE_RATE_HZ)
    (tmp_path / "transcripts.csv").write_text(f"file,text\nfox.wav,{SENTENCES[2]}\nnone.wav,\n")
    (clip,) = find_clips([tmp_path])
    assert clip.video is None
    found = [s.symbol for s in clip.speech.segments if s.symbol in {"p", "b", "m", "f", "v"}]
    assert found == ["b", "f", "m", "p", "v"]


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No labelled or transcribed speech"):
        find_clips([tmp_path])


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    _film(tmp_path / "one.mp4", seconds=1.0)
    _labels(tmp_path / "one.TextGrid")
    with pytest.raises(BadInput, match=r"one\.mp4: The labels do not fit: they end at 2\.0 s"):
        find_clips([tmp_path / "one.mp4"])


def test_a_text_is_for_one_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="for one file"):
        find_clips([tmp_path], text="hello")


def test_each_refusal_is_one_sentence_that_names_the_file(tmp_path: Path) -> None:
    _labels(tmp_path / "labels.TextGrid")
    labels = ("--labels", str(tmp_path / "labels.TextGrid"))
    film = _film(tmp_path / "grey.mp4")
    assert "grey.mp4: No face was found" in _refusal(str(film), *labels).message
    silent = _film(tmp_path / "silent.mp4", sound=False)
    assert "silent.mp4: The file has no audio track" in _refusal(str(silent), *labels).message
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:300])
    assert "broken.mp4: " in _refusal(str(broken), *labels).message
    sound = tmp_path / "sound.wav"
    write_wav(sound, np.random.default_rng(0).normal(0, 0.1, 32_000), 16_000)
    assert "sound has no pictures" in _refusal(str(sound), *labels).message
    assert "not known what is said" in _refusal(str(film)).message
    assert "There is no file" in _refusal(str(tmp_path / "nothing.mp4")).message
    assert "holds no phone labels" in _refusal(str(film), "--labels", str(film)).message
    assert "does not exist" in _refusal(str(film), *labels, "--json", "/no/such/x.json").message
