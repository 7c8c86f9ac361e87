"""The encoder's start from a published recogniser: its file, its mel, its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lipstream.audio.mel import log_mel
from lipstream.errors import BadInput
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.hama_weights import mel_to_hama, read_hama
from lipstream.training.recogniser import Recogniser, start_encoder, typical_mel
from tests.unit.motion.spoken import SENTENCES, spoken
from tests.unit.training.hama_file import hama_shapes, write_hama


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    path = tmp_path_factory.mktemp("hama") / "asr_waveform.hama"
    write_hama(path, hama_shapes())
    return read_hama(path)


@pytest.fixture(scope="module")
def speech() -> Tensor:
    mel = log_mel(np.concatenate([spoken(text).waveform for text in SENTENCES]))
    return torch.from_numpy(mel[: len(mel) // 2 * 2])[None]


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.hama"
    for data, reason in ((b"RIFF....", "begins with other bytes"), (b"", "other bytes")):
        path.write_bytes(data)
        with pytest.raises(BadInput, match=reason):
            read_hama(path)
    shapes = hama_shapes()
    del shapes["onnx::Conv_804"]
    write_hama(path, shapes)
    with pytest.raises(BadInput, match="Conv_804"):
        read_hama(path)
    write_hama(path, hama_shapes())
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(BadInput, match="hama"):
        read_hama(path)


def test_its_bands_are_read_from_ours() -> None:
    """Of noise that falls by 6 nepers, its filters' mean log power follows to within 0.4."""
    bins_hz = np.linspace(0, 8_000, 201)
    edges_hz = np.linspace(100, 7_000, 82)
    filters = np.maximum(
        0,
        1 - np.abs(bins_hz[:, None] - edges_hz[None, 1:-1]) / (edges_hz[1] - edges_hz[0]),
    )
    rng = np.random.default_rng(0)
    samples = np.cumsum(rng.normal(0, 0.01, 64_000)).astype(np.float32)
    samples -= np.convolve(samples, np.ones(400) / 400, "same").astype(np.float32)
    window = np.hanning(401)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    expected = np.log(power @ filters).mean(0)
    matrix, offset = mel_to_hama(torch.from_numpy(filters).float())
    ours = torch.from_numpy(log_mel(samples)[3:]) @ matrix.T + offset
    assert np.abs(ours.numpy().mean(0) - expected).max() < 0.4


def test_an_encoder_that_sees_enough_gives_what_the_recogniser_gives(
    weights: dict[str, Tensor], speech: Tensor
) -> None:
    recogniser = Recogniser(weights, typical_mel(speech))
    config = EncoderConfig(memory=2_000, ahead=(15, 15, 15, 15), memory_s=1e6, prior_s=1e6)
    encoder = SpeechEncoderModel(config).eval()
    start_encoder(encoder, recogniser)
    late = torch.cat([speech, speech.flip(1)], 1)
    with torch.no_grad():
        whole = recogniser(late)
        # A mean that is held where the recogniser has it; then only the streaming differs.
        loud = torch.sigmoid((late.mean(2, keepdim=True) + 9.5) * 1.5)
        mean = (late * loud).sum(1) / loud.sum(1)
        state = encoder.initial_state(1)
        state[:, :80] = (mean - config.prior_log_power) * state[:, 80:81]
        streamed, _ = encoder.hidden(late, state)
    steps = whole.shape[1]
    inner = slice(steps // 2, steps - 60)
    shifted = streamed[:, config.delay :][:, inner]
    spread = whole.var()
    assert float((shifted - whole[:, inner]).square().mean() / spread) < 0.05
    unstarted = SpeechEncoderModel(config).eval()
    with torch.no_grad():
        fresh, _ = unstarted.hidden(late, state)
    assert float((fresh[:, config.delay :][:, inner] - whole[:, inner]).square().mean()) > (
        0.5 * float(spread)
    )


def test_what_is_cut_keeps_the_nearest_past(weights: dict[str, Tensor], speech: Tensor) -> None:
    recogniser = Recogniser(weights, typical_mel(speech))
    encoder = SpeechEncoderModel(EncoderConfig(past=8, ahead=(2, 0, 0, 0)))
    start_encoder(encoder, recogniser)
    full = weights["blocks.0.convolution.depthwise.weight"]
    cut = encoder.state_dict()["blocks.0.convolution.depthwise.weight"]
    assert torch.equal(cut, full[..., 7:18])
