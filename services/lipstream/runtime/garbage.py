"""Pauses of Python's garbage collector, which would be late pictures and slow answers."""

from __future__ import annotations

import gc

__all__ = ["keep_what_stands"]

_YOUNG_OBJECTS = 5_000


def keep_what_stands() -> None:
    """To be called when a service has started: what it has made so far stays to its end.

    A full collection looks at every object. Modules, schemas and compiled kernels are 90,000 of
    them in the gateway and more in a stage: 50 to 200 ms in which nothing else runs, each time in
    vain. They are taken out of what is looked at. The services make few cycles, so they need not
    look often either; but those of an ended session hold its sound and pictures. While services
    start they do not look at all: imports make hardly any garbage and many objects, and looking at
    them was a twentieth of a start.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(_YOUNG_OBJECTS)
