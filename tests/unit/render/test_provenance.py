"""Signed manifests in films, read by the reader of C2PA's own library."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from lipstream.audio.wav import write_wav
from lipstream.errors import BadInput
from lipstream.face.motion import Motion
from lipstream.face.motion_file import write_npz
from lipstream.pipeline import JobKind, stage_named
from lipstream.render import FilmOptions, render_video
from lipstream.render.job import RenderJob
from lipstream.render.provenance import ContentSigner
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry
from lipstream.wire.job import Job
from lipstream.wire.output import FilmFormat
from tests.certificates import Authority
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

c2pa = pytest.importorskip("c2pa", reason="the extra provenance is not installed")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("signing")
    authority = Authority(folder)
    issued = authority.issue("signer", (ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    chain = folder / "chain.pem"
    chain.write_bytes(issued.cert.read_bytes() + authority.ca.read_bytes())
    return Settings(c2pa_cert=chain, c2pa_key=issued.key)


@pytest.fixture(scope="module")
def film(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "video.mp4"
    options = FilmOptions(size_px=64)
    motion = [synthetic_motion(10)]
    render_video(synthetic_avatar(), motion, None, path, options=options, driver=SyntheticDriver())
    signer = ContentSigner.of(settings)
    assert signer is not None
    assert signer.sign(path, FilmFormat.MP4)
    assert [each.name for each in path.parent.iterdir()] == ["video.mp4"]
    return path


def test_the_manifest_is_valid_and_says_that_it_was_generated(film: Path) -> None:
    reader = c2pa.Reader(str(film))
    results = reader.get_validation_results()["activeManifest"]
    # A certificate of a test is on nobody's list of those to trust; all else is in order.
    assert [one["code"] for one in results["failure"]] == ["signingCredential.untrusted"]
    assert "assertion.bmffHash.match" in [one["code"] for one in results["success"]]
    document = json.loads(reader.json())
    manifest = document["manifests"][document["active_manifest"]]
    assert manifest["claim_generator_info"][0]["name"] == "lipstream"
    told = {one["label"]: one["data"] for one in manifest["assertions"]}
    (action,) = told["c2pa.actions.v2"]["actions"]
    assert action["digitalSourceType"].endswith("trainedAlgorithmicMedia")
    with av.open(str(film)) as container:
        assert len(list(container.decode(video=0))) == 10


def test_a_changed_film_no_longer_verifies(film: Path, tmp_path: Path) -> None:
    data = bytearray(film.read_bytes())
    place = data.index(b"mdat") + 100
    data[place] ^= 1
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(data)
    results = c2pa.Reader(str(changed)).get_validation_results()["activeManifest"]
    assert "assertion.bmffHash.mismatch" in [one["code"] for one in results["failure"]]


def test_the_film_of_a_job_is_signed(settings: Settings, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    write_npz(tmp_path / "motion.npz", Motion.rest(5))
    write_wav(tmp_path / "speech.wav", [np.zeros(9_600, np.float32)], 48_000)
    for name in ("motion.npz", "speech.wav"):
        store.put_file(f"jobs/j1/{name}", tmp_path / name)
    job = Job.new(JobKind.VIDEO, {"avatar": "a", "size": 64, "fps": 25}, job_id="j1")
    context = JobContext(job, stage_named("render"), 1, store, scratch_dir=tmp_path)
    shelf: Any = SimpleNamespace(model=lambda name: synthetic_avatar())
    RenderJob(shelf, Telemetry("render"), threads=1, signer=ContentSigner.of(settings))(context)
    assert context.results["content_credentials"] is True
    store.get_file("jobs/j1/video", tmp_path / "video.mp4")
    results = c2pa.Reader(str(tmp_path / "video.mp4")).get_validation_results()["activeManifest"]
    assert [one["code"] for one in results["failure"]] == ["signingCredential.untrusted"]


def test_other_formats_are_left_as_they_are(settings: Settings, tmp_path: Path) -> None:
    signer = ContentSigner.of(settings)
    assert signer is not None
    assert not signer.sign(tmp_path / "not there.webm", FilmFormat.WEBM)


def test_what_cannot_sign_is_refused_at_once(settings: Settings, tmp_path: Path) -> None:
    assert ContentSigner.of(Settings()) is None
    nothing = tmp_path / "nothing.pem"
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no key")
    for changes in ({"c2pa_key": None}, {"c2pa_key": garbage}, {"c2pa_cert": nothing}):
        with pytest.raises(BadInput) as refused:
            ContentSigner.of(settings.model_copy(update=changes))
        assert refused.value.code == "bad_c2pa"
