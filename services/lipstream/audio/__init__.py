"""Audio: anything that carries speech in, log-mel features out; and speech from text."""

from lipstream.audio.mel import MelState, log_mel, log_mel_chunk
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples, from_pcm16, to_pcm16

__all__ = [
    "SAMPLE_RATE_HZ",
    "MelState",
    "Samples",
    "from_pcm16",
    "log_mel",
    "log_mel_chunk",
    "to_pcm16",
]
