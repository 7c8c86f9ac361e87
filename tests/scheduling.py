"""Which tests run in one process: those of a file, and those of a folder that share a stack.

A stack takes ten seconds of computing to start, so no second one is started for a folder's tests.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

__all__ = ["StackScheduling"]

_STACKS = "tests/integration/"


class StackScheduling(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder.startswith(_STACKS) else file
