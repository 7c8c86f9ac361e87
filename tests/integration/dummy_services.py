"""What the supervisor's tests run in place of the real stages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lipstream.pipeline import STAGES
from lipstream.runtime.local_stack import PythonService
from lipstream.runtime.settings import Settings

__all__ = ["DUMMY_STAGES", "quick_settings"]

DUMMY_STAGES = tuple(
    PythonService(stage.name, "tests.integration.dummy_stage", (stage.name,)) for stage in STAGES
)


def quick_settings(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Settings:
    """Settings of a stack whose workers notice everything soon, given to its processes too."""
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root), prepend=os.pathsep)
    for name, value in {
        "LIPSTREAM_HEARTBEAT_S": "0.1",
        "LIPSTREAM_CLAIM_IDLE_S": "1.5",
        "LIPSTREAM_RETRY_BASE_S": "0.1",
        "LIPSTREAM_DATA_DIR": str(data_dir),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LIPSTREAM_REDIS", raising=False)
    monkeypatch.delenv("LIPSTREAM_STORE", raising=False)
    return Settings()
