"""The speech that a command was given: `--audio` or `--text`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lipstream.cli.console import error_console
from lipstream.errors import BadInput

if TYPE_CHECKING:
    from lipstream.audio.source import SpeechSource

__all__ = ["open_speech"]


def open_speech(audio: Path | None, text: str | None, voice: str) -> SpeechSource:
    """The source that the options name.

    Raises:
        BadInput: neither is given, or both.
    """
    from lipstream.audio.limits import AudioLimits
    from lipstream.audio.source import RecordedSpeech, SpokenText
    from lipstream.runtime.settings import load_settings

    settings = load_settings()
    limits = AudioLimits(max_seconds=settings.max_audio_s, max_bytes=settings.max_upload_bytes)
    if (audio is None) == (text is None):
        raise BadInput("Give either --audio FILE or --text '...'.", code="no_speech")
    if audio is None:
        return SpokenText(text or "", voice, limits)
    shown: set[str] = set()

    def warn(sentence: str) -> None:
        if sentence not in shown:
            shown.add(sentence)
            error_console.print(f"note: {sentence}", highlight=False)

    return RecordedSpeech(audio, limits, warn)
