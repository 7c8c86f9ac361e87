"""Waits that know that the process is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["patiently", "unless"]

ResultT = TypeVar("ResultT")


async def unless(stopping: asyncio.Event, work: Awaitable[object]) -> bool:
    """Wait for `work`, but no longer than until `stopping`; say whether it was done."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return not stopping.is_set()
        return False
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()


async def patiently(
    work: Awaitable[ResultT | None], stopping: asyncio.Event, patience_s: float
) -> ResultT | None:
    """Wait for a read to end by itself; after `stopping`, only so long."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait((task,), timeout=patience_s)
        return task.result() if task.done() else None
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()
