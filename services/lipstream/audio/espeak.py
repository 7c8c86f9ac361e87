"""The espeak-ng library through ctypes: one text in, its samples and phone times out.

espeak-ng keeps its whole state in globals and carries some of it from one utterance to the next
(the phase of its oscillators, its noise), so that the same text sounds a little different every
time. A job that is delivered twice must give the same bytes. So every utterance gets the library
freshly loaded, with a fixed seed: that costs 0.3 ms. One lock guards it all.
"""

from __future__ import annotations

import _ctypes
import ctypes
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.pcm import Samples
from lipstream.audio.speech import Delivery
from lipstream.errors import Internal, Unavailable

__all__ = ["ListedVoice", "Utterance", "list_variants", "list_voices", "speak"]

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_DO_NOT_EXIT = 0x8000
_UTF8_WITH_END_PAUSE = 0x1001
_EVENT_LIST_END = 0
_EVENT_PHONEME = 7
_PARAMETERS = {"rate_wpm": 1, "volume": 2, "pitch": 3, "pitch_range": 4, "word_gap": 7}
_SEED = 1
_MAX_DATA_PATH = 150
"""espeak-ng keeps its data path in 160 bytes and fails, or worse, on longer ones."""

_lock = threading.Lock()


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the library said."""

    samples: Samples  # [S]
    rate_hz: int
    events: tuple[tuple[int, str], ...]
    """(first sample, IPA) of every phone; the IPA of a pause is empty."""
    complete: bool
    """False when it was stopped at `max_samples`."""


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """A row of the library's own list."""

    name: str
    identifier: str
    languages: tuple[tuple[int, str], ...]
    """(priority, tag): the lower the number, the better the voice suits the language."""
    gender: int


class _Collector:
    """Takes what the library calls back with; ctypes needs it kept alive meanwhile."""

    def __init__(self, max_samples: int) -> None:
        self.blocks: list[Samples] = []
        self.events: list[tuple[int, str]] = []
        self.samples = 0
        self._max_samples = max_samples
        self.callback = _SynthCallback(self._take)

    @property
    def full(self) -> bool:
        return self.samples >= self._max_samples

    def _take(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            block = np.ctypeslib.as_array(wave, (count,)).astype(np.float32)
            self.blocks.append(block / np.float32(32_768.0))
            self.samples += count
        index = 0
        while events[index].type != _EVENT_LIST_END:
            if events[index].type == _EVENT_PHONEME:
                ipa = events[index].id.string.decode("utf-8", "ignore")
                self.events.append((events[index].sample, ipa))
            index += 1
        return int(self.full)


def speak(text: str, voice: str, delivery: Delivery, *, max_samples: int = 2**31 - 1) -> Utterance:
    """Synthesise one text, the same bytes every time.

    Args:
        text: plain text without control characters.
        voice: an identifier from `list_voices`, with `+variant` if one is wanted.
        max_samples: stop soon after that many.

    Raises:
        Unavailable: the library is not installed.
        Internal: it refuses the voice or the text.
    """
    collector = _Collector(max_samples)
    data = text.encode("utf-8", "replace") + b"\0"
    with _loaded() as (library, rate_hz):
        library.espeak_SetSynthCallback(collector.callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise Internal(f"The speech library does not load its voice {voice}.")
        for name, parameter in _PARAMETERS.items():
            library.espeak_SetParameter(parameter, int(getattr(delivery, name)), 0)
        status = library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8_WITH_END_PAUSE, None, None)
    if status != 0:
        raise Internal(f"The speech library failed with status {status}.")
    samples = np.concatenate([np.zeros(0, np.float32), *collector.blocks])
    return Utterance(samples, rate_hz, tuple(collector.events), not collector.full)


@lru_cache(maxsize=1)
def list_voices() -> tuple[ListedVoice, ...]:
    """Every voice that comes with the library."""
    with _loaded() as (library, _):
        return tuple(_listed(library, None))


@lru_cache(maxsize=1)
def list_variants() -> tuple[str, ...]:
    """Names of the ways in which any voice can be altered, such as `f3` or `whisper`."""
    request = _Voice(languages=ctypes.cast(ctypes.c_char_p(b"variant"), ctypes.c_void_p))
    with _loaded() as (library, _):
        return tuple(row.identifier.rpartition("/")[2] for row in _listed(library, request))


def _listed(library: ctypes.CDLL, request: _Voice | None) -> Iterator[ListedVoice]:
    rows = library.espeak_ListVoices(ctypes.byref(request) if request else None)
    index = 0
    while rows[index]:
        row = rows[index].contents
        yield ListedVoice(
            row.name.decode(), row.identifier.decode(), _languages(row.languages), row.gender
        )
        index += 1


def _languages(address: int) -> tuple[tuple[int, str], ...]:
    """Pairs of a priority byte and a tag that ends in zero, closed by a zero priority."""
    found = []
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        found.append((priority, tag.decode()))
        address += len(tag) + 2
    return tuple(found)


@contextmanager
def _loaded() -> Iterator[tuple[ctypes.CDLL, int]]:
    """The library in its initial state, and its sample rate."""
    path, data = _installation()
    with _lock:
        library = ctypes.CDLL(path)
        try:
            _declare(library)
            options = _PHONEME_EVENTS_IN_IPA | _DO_NOT_EXIT
            rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), options)
            if rate_hz <= 0:
                raise Unavailable(
                    "The speech library does not find its data.",
                    remedy="Install the package espeakng-loader again.",
                )
            library.espeak_ng_SetRandSeed(_SEED)
            yield library, rate_hz
        finally:
            library.espeak_Terminate()
            # Unloading is what resets the library's globals.
            _ctypes.dlclose(library._handle)


def _declare(library: ctypes.CDLL) -> None:
    library.espeak_Initialize.argtypes = [
        *(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    ]
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
        *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
    ]
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))


@lru_cache(maxsize=1)
def _installation() -> tuple[str, str]:
    """Paths of the library and of the folder that holds `espeak-ng-data`."""
    try:
        import espeakng_loader
    except ImportError:
        raise Unavailable(
            "Speech synthesis is not installed.",
            remedy="Install it with `pip install espeakng-loader`.",
        ) from None
    data = Path(espeakng_loader.get_data_path())
    if len(str(data)) > _MAX_DATA_PATH:
        short = Path(tempfile.mkdtemp(prefix="espeak-")) / data.name
        short.symlink_to(data)
        data = short
    return str(espeakng_loader.get_library_path()), str(data.parent)
