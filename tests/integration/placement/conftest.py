"""A local stack with two replicas of every live stage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.runtime.local_stack import STAGE_SERVICES, LocalStack
from lipstream.runtime.settings import Settings
from tests.integration.started_stack import started_in

CAPACITY = 2
"""Of each replica."""
LIVE_STAGES = ("audio", "motion", "render")
_ENVIRONMENT = {"LIPSTREAM_LIVE_CAPACITY": str(CAPACITY), "LIPSTREAM_DRAIN_S": "20"}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, avatar_store: Path) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("placement")
    shutil.copytree(avatar_store, folder / "objects", dirs_exist_ok=True)
    stages = [service for service in STAGE_SERVICES if service.name in LIVE_STAGES]
    replicas = dict.fromkeys(LIVE_STAGES, 2)
    running = LocalStack(Settings(data_dir=folder), stages=stages, replicas=replicas)
    with started_in(_ENVIRONMENT, running):
        yield running


@pytest.fixture(autouse=True)
def _restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test has started again gets the same environment."""
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
