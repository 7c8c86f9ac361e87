from __future__ import annotations

import io
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio import AudioLimits, decode_audio, decode_chunks
from lipstream.audio.media_input import MediaSource
from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge
from tests.unit.audio.media import encoded, pcm_wav, tone, video_with_sound, wav_bytes

LOSSLESS = [
    *(("wav", "pcm_s16le"), ("wav", "pcm_s24le"), ("wav", "pcm_s32le"), ("wav", "pcm_f32le")),
    *(("wav", "pcm_f64le"), ("w64", "pcm_s16le"), ("aiff", "pcm_s16be"), ("au", "pcm_s16be")),
    *(("flac", "flac"), ("ogg", "flac"), ("ipod", "alac"), ("tta", "tta"), ("wv", "wavpack")),
]
LOSSY = [
    *(("mp3", "libmp3lame"), ("ogg", "libopus"), ("matroska", "libopus"), ("adts", "aac")),
    *(("mp4", "aac"), ("ipod", "aac"), ("mpegts", "aac"), ("ac3", "ac3"), ("mp2", "mp2")),
    *(("wav", "pcm_alaw"), ("wav", "pcm_mulaw"), ("wav", "pcm_u8"), ("avi", "libmp3lame")),
]


def best_correlation(heard: Samples, meant: Samples) -> float:
    """Highest correlation over the delays that encoders add, up to 60 ms."""
    middle = meant[4_000:12_000]
    delays = range(-1_000, 1_000, 2)
    return max(float(np.corrcoef(heard[4_000 + d : 12_000 + d], middle)[0, 1]) for d in delays)


@pytest.mark.parametrize(("container", "codec"), LOSSLESS)
def test_lossless_formats_keep_the_signal(container: str, codec: str) -> None:
    recording = decode_audio(encoded(tone(1.0, 48_000), container, codec))
    assert recording.rate_hz == 16_000
    assert recording.samples.dtype == np.float32
    assert recording.samples.size == 16_000
    inner = slice(500, -500)
    np.testing.assert_allclose(recording.samples[inner], tone(1.0)[inner], atol=1e-4)
    assert recording.warnings == ()


@pytest.mark.parametrize(("container", "codec"), LOSSY)
def test_lossy_formats_keep_the_signal(container: str, codec: str) -> None:
    noise = np.random.default_rng(0).standard_normal(48_000)
    smooth = np.convolve(noise, np.hanning(200) / 25, "same").astype(np.float32) * 0.1
    heard = decode_audio(encoded(smooth, container, codec)).samples
    assert abs(heard.size - 16_000) <= 1_600
    assert best_correlation(np.pad(heard, (0, 1_600)), smooth[::3]) > 0.97


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1", "16 channels"])
def test_channels_are_averaged(layout: str) -> None:
    heard = decode_audio(encoded(tone(0.5, 48_000), "wav", "pcm_s16le", layout)).samples
    np.testing.assert_allclose(heard[500:-500], tone(0.5)[500:-500], atol=1e-4)


def test_eight_planar_channels_are_read_within_bounds() -> None:
    heard = decode_audio(encoded(tone(0.5, 48_000), "ogg", "libopus", "7.1")).samples
    assert 0.35 < float(np.abs(heard[2_000:-2_000]).max()) < 0.45


def test_unequal_channels_give_their_mean() -> None:
    stereo = np.stack((tone(0.5), np.zeros(8_000, np.float32)), axis=1)
    data: bytes = np.rint(stereo * 32_767).astype("<i2").tobytes()
    heard = decode_audio(wav_bytes(data, channels=2)).samples
    np.testing.assert_allclose(heard, tone(0.5) / 2, atol=1e-4)


def test_the_sound_of_a_video_is_taken() -> None:
    heard = decode_audio(video_with_sound(tone(0.4, 48_000))).samples
    assert 0.3 < heard.size / 16_000 < 0.5
    assert float(np.abs(heard).max()) > 0.35


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_the_soundtrack_may_have_another_rate(rate_hz: int) -> None:
    recording = decode_audio(pcm_wav(tone(0.5, 44_100), 44_100), rate_hz=rate_hz)
    assert recording.samples.size == rate_hz // 2
    inner = slice(rate_hz // 40, -rate_hz // 40)
    np.testing.assert_allclose(recording.samples[inner], tone(0.5, rate_hz)[inner], atol=1e-3)


def test_every_way_in_gives_the_same(tmp_path: Path) -> None:
    data = pcm_wav(tone(0.5, 22_050), 22_050)
    path = tmp_path / "speech.wav"
    path.write_bytes(data)
    expected = decode_audio(data).samples
    receiving, sending = os.pipe()

    def feed() -> None:
        with os.fdopen(sending, "wb") as pipe:
            pipe.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(receiving, "rb") as pipe, path.open("rb") as file:
        sources: list[MediaSource] = [path, str(path), io.BytesIO(data), file, pipe]
        for source in sources:
            np.testing.assert_array_equal(decode_audio(source).samples, expected)
    feeder.join()


@pytest.mark.parametrize("chunk_samples", [1, 333, 16_000, 1_000_000])
def test_chunks_join_to_the_whole(chunk_samples: int) -> None:
    data = pcm_wav(tone(0.2, 44_100), 44_100)
    chunks = list(decode_chunks(data, chunk_samples=chunk_samples))
    assert all(chunk.size == chunk_samples for chunk in chunks[:-1])
    np.testing.assert_array_equal(np.concatenate(chunks), decode_audio(data).samples)


def test_overshoot_is_clipped() -> None:
    loud = np.asarray([3.0, -3.0] * 4_000, "<f4")
    heard = decode_audio(wav_bytes(loud.tobytes(), bits=32, code=3)).samples
    assert float(np.abs(heard).max()) == 1.0


def test_a_size_left_open_by_a_pipe_is_accepted() -> None:
    data = bytearray(pcm_wav(tone(0.5)))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    recording = decode_audio(bytes(data))
    assert (recording.samples.size, recording.warnings) == (8_000, ())


def test_cut_data_is_taken_with_a_warning() -> None:
    recording = decode_audio(pcm_wav(tone(1.0))[:-16_001])
    assert 7_900 < recording.samples.size <= 8_000
    assert "cut short" in recording.warnings[0]


def test_a_damaged_packet_is_skipped_with_a_warning() -> None:
    data = encoded(tone(2.0, 48_000), "flac", "flac")
    recording = decode_audio(data[: len(data) * 2 // 3])
    assert recording.samples.size > 16_000
    assert "damaged" in recording.warnings[0]


FLOAT_WAV = {"bits": 32, "code": 3}
REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing at all", b"", "empty_audio"),
    ("a header and no samples", wav_bytes(b""), "empty_audio"),
    ("five samples", wav_bytes(bytes(10)), "too_short"),
    ("text", b"I am no audio.\n" * 99, "not_media"),
    ("noise", bytes(random.Random(0).randbytes(50_000)), "not_media"),
    ("raw samples", bytes(pcm_wav(tone(1.0))[44:]), "not_media"),
    ("an LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "not_media"),
    ("0 Hz", wav_bytes(bytes(9_999), rate_hz=0), "sample_rate"),
    ("200 Hz", wav_bytes(bytes(9_999), rate_hz=200), "sample_rate"),
    ("1 MHz", wav_bytes(bytes(999_999), rate_hz=1_000_000), "sample_rate"),
    ("NaN", wav_bytes(np.full(9_999, np.nan, "<f4").tobytes(), **FLOAT_WAV), "not_finite"),
    ("infinity", wav_bytes(np.full(9_999, np.inf, "<f4").tobytes(), **FLOAT_WAV), "not_finite"),
    ("a cut MP4", encoded(tone(0.5, 48_000), "mp4", "aac")[:3_000], "damaged_media"),
    ("a playlist", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n", "refers_elsewhere"),
    ("a script", b"ffconcat version 1.0\nfile '/etc/hostname'\n", "refers_elsewhere"),
]


@pytest.mark.parametrize(("data", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refusals_are_named_and_offer_a_remedy(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        decode_audio(data)
    assert refusal.value.code == code
    assert refusal.value.remedy


def test_the_place_of_a_bad_sample_is_named() -> None:
    samples = tone(1.0).astype("<f4")
    samples[12_000] = np.nan
    with pytest.raises(BadInput, match=r"0\.750 s"):
        decode_audio(wav_bytes(samples.tobytes(), bits=32, code=3))


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    target = tmp_path / "speech.wav"
    target.write_bytes(pcm_wav(tone(1.0)))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"
    path = tmp_path / "list.m3u8"
    path.write_text(playlist)
    with pytest.raises(BadInput):
        decode_audio(path)


def test_length_is_limited_before_everything_is_decoded() -> None:
    taken: list[Samples] = []
    limits = AudioLimits(max_seconds=3)
    with pytest.raises(TooLarge, match="3 seconds"):
        taken.extend(decode_chunks(pcm_wav(tone(60.0)), limits=limits))
    assert sum(chunk.size for chunk in taken) <= 4 * 16_000


def test_an_endless_pipe_is_bounded_by_bytes() -> None:
    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self._header = pcm_wav(tone(0.01))[:44]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            data = self._header or bytes(len(buffer))
            self._header = b""
            buffer[: len(data)] = data
            return len(data)

    limits = AudioLimits(max_bytes=300_000)
    with pytest.raises(TooLarge, match=r"0\.3 MB"):
        decode_audio(Endless(), limits=limits)  # type: ignore[arg-type]


def test_size_is_limited_without_reading() -> None:
    with pytest.raises(TooLarge, match=r"0\.001 MB"):
        decode_audio(pcm_wav(tone(1.0)), limits=AudioLimits(max_bytes=1_000))


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        decode_audio(tmp_path / "absent.wav")
    with pytest.raises(BadInput, match="not a file"):
        decode_audio(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        decode_audio("a\0b.wav")


def test_a_video_without_sound_is_refused() -> None:
    with pytest.raises(BadInput) as refusal:
        decode_audio(_silent_video())
    assert refusal.value.code == "no_audio"


def test_mutated_files_give_a_result_or_a_refusal() -> None:
    rng = random.Random(7)
    seeds = [
        encoded(tone(0.4, 48_000), container, codec)
        for container, codec in [*LOSSLESS[:2], *LOSSLESS[8:], *LOSSY[:6]]
    ]
    outcomes = set()
    for _ in range(300):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 5, 50))):
            reach = min(len(data), rng.choice((64, 512, len(data))))
            data[rng.randrange(reach)] = rng.randrange(256)
        try:
            samples = decode_audio(bytes(data)).samples
            assert np.isfinite(samples).all()
            outcomes.add("result")
        except LipstreamError:
            outcomes.add("refusal")
    assert outcomes == {"result", "refusal"}


def _silent_video() -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        assert isinstance(stream, av.VideoStream)
        image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        output.mux([*stream.encode(image), *stream.encode(None)])
    return file.getvalue()
