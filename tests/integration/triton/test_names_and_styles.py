"""What models say of themselves, and the style encoder, on a real tritonserver."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import NotFound, Unavailable
from lipstream.inference import EncoderIdentity, OnnxModel, TritonModel
from lipstream.inference.triton_health import TritonHealth
from lipstream.inference.triton_server import find_triton
from lipstream.motion import StreamingTalker
from lipstream.motion.talker_style import STYLE_MODEL
from lipstream.training.streaming_talker.export import export_talker
from tests.integration.triton.triton_process import TritonProcess
from tests.unit.motion.clips import speaking_clip
from tests.unit.training.streaming_talker.tiny import FEATURES, styled_network

_HUBERT = EncoderIdentity("hubert", FEATURES, "0123456789abcdef", 9)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small StreamingTalker that was trained on another encoder."""
    root = tmp_path_factory.mktemp("repository")
    export_talker(styled_network(encoder=_HUBERT.encode()), root)
    return root


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    try:
        find_triton()
    except Unavailable as error:
        pytest.skip(str(error))
    server = TritonProcess(repository, tmp_path_factory.mktemp("triton"))
    server.start()
    yield server
    server.stop(signal.SIGKILL)


def _local(repository: Path, name: str) -> OnnxModel:
    return OnnxModel(repository / name / "1" / "model.onnx")


def test_the_server_knows_encoder_and_digest(server: TritonProcess, repository: Path) -> None:
    remote = TritonModel(server.address, "streaming_talker")
    assert remote.digest == _local(repository, "streaming_talker").digest
    assert remote.text("nothing") == ""
    assert StreamingTalker(model=remote).encoder == _HUBERT
    assert TritonHealth(server.address).faults() == {}


def test_styles_are_read_as_in_this_process(
    server: TritonProcess, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSTREAM_MODELS", server.url)
    here = StreamingTalker(
        model=_local(repository, "streaming_talker"), style_model=_local(repository, STYLE_MODEL)
    )
    for seconds in (1.0, 4.0):
        clip = speaking_clip(0.8, seconds=seconds)
        np.testing.assert_allclose(StreamingTalker().style_of(clip), here.style_of(clip), atol=1e-4)


def test_a_server_without_style_encoder_says_so(
    triton: TritonProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        TritonModel(triton.address, STYLE_MODEL)
    except NotFound:
        monkeypatch.setenv("LIPSTREAM_MODELS", triton.url)
        with pytest.raises(NotFound, match="neutral style only"):
            StreamingTalker().style_of(speaking_clip(0.8))
    else:
        pytest.skip("the repository's own StreamingTalker has one")
