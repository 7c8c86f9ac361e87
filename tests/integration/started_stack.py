"""A stack that outlives a test, in an environment that does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from lipstream.runtime.local_stack import LocalStack

__all__ = ["started_in"]


@contextmanager
def started_in(environment: Mapping[str, str], stack: LocalStack) -> Iterator[None]:
    """Start the stack with these variables, which this process has only meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        stack.start()
    try:
        yield
    finally:
        stack.stop()
