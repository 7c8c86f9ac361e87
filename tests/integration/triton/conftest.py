"""One real tritonserver for all tests; whoever breaks it mends it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from lipstream.errors import Unavailable
from lipstream.inference import ModelStore
from lipstream.inference.triton_server import find_triton
from tests.integration.triton.triton_process import TritonProcess


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    try:
        find_triton()
    except Unavailable as error:
        pytest.skip(str(error))
    server = TritonProcess(ModelStore.bundled().root, tmp_path_factory.mktemp("triton"))
    server.start()
    yield server
    # A server that lost a model's process takes seconds to give it up.
    server.stop(signal.SIGKILL)
