"""Texts that a session is to speak, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from lipstream.errors import LipstreamError

__all__ = ["Texts"]


class Texts:
    """
    Args:
        synthesize: 16-bit PCM of a text in a voice, piece by piece.
        speak: takes a piece.
        spoken: called at the end of a text.
        refused: is told why a text cannot be spoken.
    """

    def __init__(
        self,
        synthesize: Callable[[str, str], AsyncGenerator[bytes, None]],
        speak: Callable[[bytes], None],
        spoken: Callable[[], None],
        refused: Callable[[LipstreamError], None],
    ) -> None:
        self._synthesize = synthesize
        self._speak = speak
        self._spoken = spoken
        self._refused = refused
        self._one_text = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()
        """Those that are being spoken, or wait."""

    def say(self, text: str, voice: str) -> None:
        """After what was asked for before."""
        task = asyncio.create_task(self._say(text, voice))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def drop(self) -> None:
        """Say no more of them."""
        for task in self.tasks:
            task.cancel()

    async def _say(self, text: str, voice: str) -> None:
        try:
            pieces = self._synthesize(text, voice)
            async with self._one_text, aclosing(pieces) as speech:
                async for samples in speech:
                    self._speak(samples)
                self._spoken()
        except LipstreamError as error:
            self._refused(error)
