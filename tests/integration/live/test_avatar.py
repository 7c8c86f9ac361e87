"""Fits, their progress and their end, at the avatar stage's server."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lipstream.avatar import create
from lipstream.avatar import service as avatar
from lipstream.avatar.fit import FitResult
from lipstream.errors import Cancelled
from lipstream.face.bundle import load
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.v1 import avatar_pb2, avatar_pb2_grpc
from tests.integration.live.live_call import LONGEST_S, problem_of
from tests.integration.live.stage_host import StageHost
from tests.portrait import CONSENT, hopper_photo


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageHost]:
    with StageHost(tmp_path_factory.mktemp("fits") / "objects") as host:
        yield host


@pytest.fixture(scope="module")
def stub(host: StageHost) -> Any:
    return avatar_pb2_grpc.AvatarServiceStub(host.start("avatar", avatar.build))


def wish(**changed: Any) -> avatar_pb2.FitRequest:
    fields = {"name": "grace", "consent": CONSENT, "photo_bytes": b"x"} | changed
    return avatar_pb2.FitRequest(**fields)


def fit(stub: Any, **changed: Any) -> list[avatar_pb2.FitEvent]:
    return list(stub.Fit(wish(**changed), timeout=LONGEST_S))


def noise() -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_a_photo_becomes_an_avatar_that_can_be_described(
    host: StageHost, stub: Any, fitted: Callable[[Path], FitResult], tmp_path: Path
) -> None:
    host.store.put("uploads/photo", hopper_photo().read_bytes())
    assert not stub.Inspect(avatar_pb2.InspectPhotoRequest(photo_key="uploads/photo")).warnings

    events = fit(stub, photo_bytes=b"", photo_key="uploads/photo")
    shares = [event.progress.fraction for event in events if event.HasField("progress")]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(shares) > 5
    assert all(event.progress.step for event in events if event.HasField("progress"))
    assert events[-1].result.avatar_id == "grace"

    described = stub.Describe(avatar_pb2.DescribeRequest(avatar_id="grace"))
    assert described == events[-1].result.description
    manifest = json.loads(described.manifest_json)
    assert manifest["consent"]["statement"] == CONSENT
    # Equal photos give equal avatars.
    other = fitted(hopper_photo())
    preview = np.asarray(Image.open(io.BytesIO(described.preview)).convert("RGB"))
    np.testing.assert_array_equal(preview, other.preview)
    AvatarLibrary(host.store).fetch("grace", tmp_path / "bundle.zip")
    colors = load(tmp_path / "bundle.zip").model.gaussians.colors
    np.testing.assert_array_equal(colors, other.model.gaussians.colors)


def test_photos_that_cannot_be_used_are_named(host: StageHost, stub: Any) -> None:
    host.store.put("uploads/noise", noise())
    look = avatar_pb2.InspectPhotoRequest(photo_key="uploads/noise")
    assert problem_of(lambda: stub.Inspect(look)).code == "no_face"
    assert problem_of(lambda: fit(stub, photo_bytes=noise())).code == "no_face"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"name": "../etc"}, "INVALID_ARGUMENT", "bad_name"),
        ({"consent": " "}, "INVALID_ARGUMENT", "no_consent"),
        ({"photo_bytes": b"no picture"}, "INVALID_ARGUMENT", None),
        ({"photo_bytes": b"", "photo_key": "nowhere"}, "NOT_FOUND", "not_found"),
        ({"photo_bytes": b""}, "INVALID_ARGUMENT", "no_photo"),
    ],
)
def test_wishes_that_cannot_be_fulfilled_are_refused(
    stub: Any, changed: dict[str, Any], status: str, code: str | None
) -> None:
    error = problem_of(lambda: fit(stub, **changed))
    assert error.grpc_status == status
    assert code in (None, error.code)


def test_avatars_that_are_not_there_are_not_described(stub: Any) -> None:
    request = avatar_pb2.DescribeRequest(avatar_id="nobody")
    assert problem_of(lambda: stub.Describe(request)).grpc_status == "NOT_FOUND"


def test_a_fit_that_nobody_waits_for_stops(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def endless(*arguments: Any, progress: Callable[[float, str], None]) -> None:
        try:
            while True:
                progress(0.5, "Going on")
                stopped.wait(0.01)
        except Cancelled:
            stopped.set()
            raise

    monkeypatch.setattr(create, "create_avatar", endless)
    calls = [stub.Fit(wish(), timeout=LONGEST_S) for _ in range(2)]
    for call in calls:
        assert next(call).progress.step == "Going on"
    # Short calls are answered while fits take all their places.
    request = avatar_pb2.DescribeRequest(avatar_id="nobody")
    assert problem_of(lambda: stub.Describe(request, timeout=LONGEST_S)).grpc_status == "NOT_FOUND"
    calls[0].cancel()
    assert stopped.wait(20)
    calls[1].cancel()
