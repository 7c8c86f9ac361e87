"""How a long evaluation tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Progress", "quietly"]

Progress: TypeAlias = Callable[[str, float], None]
"""Told a stage's name and the share of it that is done, 0..1."""


def quietly(stage: str, share: float) -> None:
    """Tell nobody."""
