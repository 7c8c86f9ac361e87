"""The process in which espeak-ng runs: standard library alone, started by its path.

espeak-ng keeps its whole state in globals, carries some of it from one utterance to the next (the
phase of its oscillators, its noise) and does not free all of its memory. The same text must give
the same samples however often a job is delivered, so every utterance gets the library freshly
loaded with a fixed seed, which costs 0.3 ms; and what leaks is gone when the process is replaced.
A text that crashed the library would take down this process, not a service.

Requests are lines of JSON on standard input; each answer is a line of JSON on standard output,
followed by as many 16-bit samples as it announces. The end of the input ends the process.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["main"]

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_DO_NOT_EXIT = 0x8000
_UTF8_WITH_END_PAUSE = 0x1001
_EVENT_LIST_END = 0
_EVENT_PHONEME = 7
_PARAMETERS = {"rate_wpm": 1, "volume": 2, "pitch": 3, "pitch_range": 4, "word_gap": 7}
_SEED = 1


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


def main(library_path: str, data_path: str) -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        with _loaded(library_path, data_path) as (library, rate_hz):
            answer: dict[str, Any] = {"error": "it does not find its data"}
            pcm = b""
            if rate_hz > 0 and request["do"] == "speak":
                answer, pcm = _speak(library, request)
            elif rate_hz > 0:
                answer = {"voices": _list(library, request["variants"])}
        header = {**answer, "rate_hz": rate_hz, "pcm_bytes": len(pcm)}
        sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + pcm)
        sys.stdout.buffer.flush()


def _speak(library: ctypes.CDLL, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    pcm = bytearray()
    events: list[tuple[int, str]] = []
    max_bytes = 2 * request["max_samples"]

    def take(wave: Any, count: int, happened: Any) -> int:
        if wave and count > 0:
            pcm.extend(ctypes.string_at(wave, 2 * count))
        index = 0
        while happened[index].type != _EVENT_LIST_END:
            if happened[index].type == _EVENT_PHONEME:
                ipa = happened[index].id.string.decode("utf-8", "ignore")
                events.append((happened[index].sample, ipa))
            index += 1
        return int(len(pcm) >= max_bytes)

    callback = _SynthCallback(take)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        return {"error": "it does not load that voice"}, b""
    for name, parameter in _PARAMETERS.items():
        library.espeak_SetParameter(parameter, request["delivery"][name], 0)
    text = request["text"].encode("utf-8", "replace") + b"\0"
    status = library.espeak_Synth(text, len(text), 0, 1, 0, _UTF8_WITH_END_PAUSE, None, None)
    if status != 0:
        return {"error": f"it failed with status {status}"}, b""
    return {"events": events, "complete": len(pcm) < max_bytes}, bytes(pcm)


def _list(library: ctypes.CDLL, variants: bool) -> list[dict[str, Any]]:
    request = _Voice(languages=ctypes.cast(ctypes.c_char_p(b"variant"), ctypes.c_void_p))
    rows = library.espeak_ListVoices(ctypes.byref(request) if variants else None)
    listed = []
    index = 0
    while rows[index]:
        row = rows[index].contents
        listed.append(
            {
                "name": row.name.decode(),
                "identifier": row.identifier.decode(),
                "languages": _languages(row.languages),
                "gender": row.gender,
            }
        )
        index += 1
    return listed


def _languages(address: int) -> list[tuple[int, str]]:
    """Pairs of a priority byte and a tag that ends in zero, closed by a zero priority."""
    found = []
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        found.append((priority, tag.decode()))
        address += len(tag) + 2
    return found


@contextmanager
def _loaded(library_path: str, data_path: str) -> Iterator[tuple[ctypes.CDLL, int]]:
    """The library in its initial state, and its sample rate; unloading resets its globals."""
    library = ctypes.CDLL(library_path)
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
    options = _PHONEME_EVENTS_IN_IPA | _DO_NOT_EXIT
    try:
        rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, data_path.encode(), options)
        library.espeak_ng_SetRandSeed(_SEED)
        yield library, rate_hz
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
