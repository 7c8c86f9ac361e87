"""espeak-ng: one text in, its samples and phone times out; the same bytes every time.

The library runs in child processes (`espeak_child` says why), a few that stay alive between
utterances and are replaced now and then. Threads speak in parallel, each through its own child.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lipstream.audio import espeak_child
from lipstream.audio.pcm import Samples, from_pcm16
from lipstream.audio.speech import Delivery
from lipstream.errors import Internal, LipstreamError, Unavailable

__all__ = ["ListedVoice", "Utterance", "list_variants", "list_voices", "speak"]

_CHILD_UTTERANCES = 200
"""At most 40 MB leak in that many utterances."""
_DEADLINE_S = 60.0
_MAX_DATA_PATH = 150
"""espeak-ng keeps its data path in 160 bytes and fails, or worse, on longer ones."""


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


def speak(text: str, voice: str, delivery: Delivery, *, max_samples: int = 2**30) -> Utterance:
    """Synthesise one text.

    Args:
        text: plain text without control characters.
        voice: an identifier from `list_voices`, with `+variant` if one is wanted.
        max_samples: stop soon after that many.

    Raises:
        Unavailable: the library is not installed.
        Internal: it refuses the voice or the text, or takes longer than a minute.
    """
    request = {
        "do": "speak",
        "text": text,
        "voice": voice,
        "delivery": asdict(delivery),
        "max_samples": max_samples,
    }
    answer, pcm = _ask(request)
    events = tuple((int(first), str(ipa)) for first, ipa in answer["events"])
    return Utterance(from_pcm16(pcm), answer["rate_hz"], events, answer["complete"])


@lru_cache(maxsize=1)
def list_voices() -> tuple[ListedVoice, ...]:
    """Every voice that comes with the library.

    Raises:
        Unavailable: it is not installed.
    """
    return _listed(variants=False)


@lru_cache(maxsize=1)
def list_variants() -> tuple[str, ...]:
    """Names of the ways in which any voice can be altered, such as `f3` or `whisper`.

    Raises:
        Unavailable: the library is not installed.
    """
    return tuple(row.identifier.rpartition("/")[2] for row in _listed(variants=True))


class _Child:
    """One process and the pipes to it."""

    def __init__(self) -> None:
        library, data = _installation()
        # Isolated: neither the user's packages nor PYTHONPATH have a say in it.
        command = [sys.executable, "-I", "-S", espeak_child.__file__, library, data]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.utterances = 0

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """
        Raises:
            OSError, ValueError: the process died or was stopped at the deadline.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.utterances += 1
        watchdog = threading.Timer(_DEADLINE_S, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            pcm = self._process.stdout.read(answer["pcm_bytes"])
            if len(pcm) != answer["pcm_bytes"]:
                raise EOFError("the answer ends early")
        finally:
            watchdog.cancel()
        return answer, pcm

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Pool:
    """Idle children, and a bound on how many work at once."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._process_id = os.getpid()
        self._places = threading.BoundedSemaphore(max(os.cpu_count() or 1, 2))
        atexit.register(self.close)

    @contextmanager
    def child(self) -> Iterator[_Child]:
        """A child of one's own; one that fails or is worn out is not used again."""
        with self._places:
            child = self._take()
            try:
                yield child
            except BaseException:
                child.close()
                raise
            if child.utterances < _CHILD_UTTERANCES:
                self._idle.append(child)
            else:
                child.close()

    def close(self) -> None:
        # A fork inherits this object and its exit handler, but not the children.
        while self._idle and os.getpid() == self._process_id:
            self._idle.pop().close()

    def _take(self) -> _Child:
        while True:
            try:
                child = self._idle.pop()
            except IndexError:
                return _Child()
            if child.alive:
                return child
            child.close()


@lru_cache(maxsize=1)
def _pool(process_id: int) -> _Pool:
    """The pool of this process: one that was forked must not share its parent's pipes."""
    return _Pool()


def _ask(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        with _pool(os.getpid()).child() as child:
            answer, pcm = child.ask(request)
    except LipstreamError:
        raise
    except (OSError, ValueError, EOFError):
        raise Internal("The speech library stopped while it spoke this text.") from None
    if "error" in answer:
        raise Internal(f"The speech library cannot speak: {answer['error']}.")
    return answer, pcm


def _listed(*, variants: bool) -> tuple[ListedVoice, ...]:
    answer, _ = _ask({"do": "list", "variants": variants})
    return tuple(
        ListedVoice(
            name=row["name"],
            identifier=row["identifier"],
            languages=tuple((priority, tag) for priority, tag in row["languages"]),
            gender=row["gender"],
        )
        for row in answer["voices"]
    )


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
