from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fits.cluster import FakeCluster
from tests.integration.redis_process import RedisProcess


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    """The object store that services and fits share."""
    folder = tmp_path / "objects"
    folder.mkdir()
    return folder


@pytest.fixture
def fit_env(redis_server: RedisProcess, store_folder: Path, tmp_path: Path) -> dict[str, str]:
    """What the chart's ConfigMap would say."""
    return {
        "LIPSTREAM_REDIS": redis_server.url,
        "LIPSTREAM_STORE": str(store_folder),
        "LIPSTREAM_DATA_DIR": str(tmp_path / "data"),
        "LIPSTREAM_HEARTBEAT_S": "0.1",
    }


@pytest.fixture
def cluster(
    fit_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeCluster]:
    """A cluster that KUBECONFIG names."""
    pytest.importorskip("kubernetes", reason="needs the `cluster` extra")
    folder = tmp_path / "kubelet"
    folder.mkdir()
    server = FakeCluster(folder, fit_env)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
        "clusters": [{"name": "here", "cluster": {"server": server.url}}],
        "users": [{"name": "here", "user": {}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    yield server
    server.close()
