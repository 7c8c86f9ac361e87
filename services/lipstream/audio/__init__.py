"""Audio: anything that carries speech in, log-mel features out; and speech from text."""

from lipstream.audio.decode import Recording, decode_audio, decode_chunks
from lipstream.audio.limits import AudioLimits, check_speech, require_speech
from lipstream.audio.mel import MelState, log_mel, log_mel_chunk
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples, from_pcm16, to_pcm16
from lipstream.audio.resample import Resampler, resample
from lipstream.audio.speech import Delivery, Phone, Speech
from lipstream.audio.synthesis import synthesize, synthesize_chunks
from lipstream.audio.voices import Voice, variants, voices
from lipstream.audio.wav import write_wav

__all__ = [
    "SAMPLE_RATE_HZ",
    "AudioLimits",
    "Delivery",
    "MelState",
    "Phone",
    "Recording",
    "Resampler",
    "Samples",
    "Speech",
    "Voice",
    "check_speech",
    "decode_audio",
    "decode_chunks",
    "from_pcm16",
    "log_mel",
    "log_mel_chunk",
    "require_speech",
    "resample",
    "synthesize",
    "synthesize_chunks",
    "to_pcm16",
    "variants",
    "voices",
    "write_wav",
]
