"""A throw-away local stack for one command."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import load_settings

__all__ = ["local_stack"]


@contextmanager
def local_stack() -> Iterator[LocalStack]:
    """All services on free ports, with their state in a folder that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="lipstream-") as folder:
        changed = {"data_dir": Path(folder), "store": "", "auth": "off"}
        settings = load_settings().model_copy(update=changed)
        with LocalStack(settings) as stack:
            yield stack
