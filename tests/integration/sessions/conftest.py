"""A local stack of all real services, with one avatar, for live sessions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from tests.integration.sessions.otlp import OtlpReceiver


@pytest.fixture(scope="package")
def traces() -> Iterator[OtlpReceiver]:
    """Gets the traces of the stack."""
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def stack(
    tmp_path_factory: pytest.TempPathFactory, avatar_store: Path, traces: OtlpReceiver
) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("sessions")
    shutil.copytree(avatar_store, folder / "objects", dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIPSTREAM_MAX_SESSIONS", "3")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("LIPSTREAM_LIVE_CAPACITY", "8")
        patch.setenv("LIPSTREAM_SESSION_PATIENCE_S", "3")
        with LocalStack(Settings(data_dir=folder)) as running:
            yield running


@pytest.fixture(scope="package")
def server(stack: LocalStack) -> str:
    """URL of the gateway."""
    return stack.url
