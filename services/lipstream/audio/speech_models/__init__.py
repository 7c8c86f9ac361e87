"""Features of speech from whichever encoder is configured: the project's own, or HuBERT, wav2vec
2.0 and Whisper from weights that the user has on disk."""

from lipstream.audio.speech_models.alignment import at_frame_rate
from lipstream.audio.speech_models.choice import EncoderChoice
from lipstream.audio.speech_models.extractor import (
    OwnExtractor,
    open_extractor,
    open_voiced_extractor,
)
from lipstream.audio.speech_models.stream import (
    FeatureExtractor,
    encode_recording,
    stream_features,
)
from lipstream.audio.speech_models.voiced import VoicedExtractor
from lipstream.audio.speech_models.window import StreamWindow, WindowState
from lipstream.audio.speech_models.windowed import WindowedExtractor

__all__ = [
    "EncoderChoice",
    "FeatureExtractor",
    "OwnExtractor",
    "StreamWindow",
    "VoicedExtractor",
    "WindowState",
    "WindowedExtractor",
    "at_frame_rate",
    "encode_recording",
    "open_extractor",
    "open_voiced_extractor",
    "stream_features",
]
