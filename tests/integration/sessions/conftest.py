"""A local stack of all real services, with one avatar, for live sessions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from tests.integration.sessions.otlp import OtlpReceiver
from tests.integration.started_stack import started_in


@pytest.fixture(scope="package")
def traces() -> Iterator[OtlpReceiver]:
    """Gets the traces of the stack."""
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def environment(traces: OtlpReceiver) -> dict[str, str]:
    """Of the stack's processes."""
    return {
        "LIPSTREAM_MAX_SESSIONS": "3",
        "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "NO_PROXY": "127.0.0.1",
        "LIPSTREAM_LIVE_CAPACITY": "8",
        "LIPSTREAM_SESSION_PATIENCE_S": "3",
    }


@pytest.fixture(scope="package")
def stack(
    tmp_path_factory: pytest.TempPathFactory, avatar_store: Path, environment: dict[str, str]
) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("sessions")
    shutil.copytree(avatar_store, folder / "objects", dirs_exist_ok=True)
    running = LocalStack(Settings(data_dir=folder))
    with started_in(environment, running):
        yield running


@pytest.fixture(autouse=True)
def _restarts(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test has started again gets the same environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="package")
def server(stack: LocalStack) -> str:
    """URL of the gateway."""
    return stack.url
