from __future__ import annotations

from pathlib import Path

import pytest

from lipstream.errors import BadInput
from lipstream.pipeline import STAGES
from lipstream.runtime.settings import Settings, load_settings


def test_defaults_run_on_one_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.store_url == str(tmp_path / "lipstream" / "objects")
    assert {settings.grpc_port_of(stage.name) for stage in STAGES} == {50051, 50052, 50053, 50054}


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIPSTREAM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIPSTREAM_REDIS", "redis://user:pass@host:1/2")
    monkeypatch.setenv("LIPSTREAM_MOTION_ADDRESS", "motion:7000")
    monkeypatch.setenv("LIPSTREAM_MAX_AUDIO_S", "60")
    settings = load_settings()
    assert settings.store_url == str(tmp_path / "objects")
    assert settings.grpc_port_of("motion") == 7000
    assert settings.max_audio_s == 60.0
    assert "pass" not in repr(settings)
    monkeypatch.setenv("LIPSTREAM_GRPC_PORT", "0")
    monkeypatch.setenv("LIPSTREAM_STORE", "s3://bucket")
    assert load_settings().grpc_port_of("motion") == 0
    assert load_settings().store_url == "s3://bucket"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIPSTREAM_GATEWAY_PORT", "70000"),
        ("LIPSTREAM_MAX_TEXT_CHARS", "-1"),
        ("LIPSTREAM_HEARTBEAT_S", "soon"),
        ("LIPSTREAM_DRAIN_S", "inf"),
        ("LIPSTREAM_KEY_REQUESTS_PER_S", "nan"),
        ("LIPSTREAM_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=name):
        load_settings()


def test_an_address_without_a_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPSTREAM_AUDIO_ADDRESS", "audio")
    with pytest.raises(BadInput, match="LIPSTREAM_AUDIO_ADDRESS has no port"):
        load_settings().grpc_port_of("audio")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().host = "0.0.0.0"


def test_secrets_may_lie_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "LIPSTREAM_REDIS").write_text("rediss://:password@redis:6380/0\n")
    (tmp_path / "lipstream_link_secret").write_text("abc")
    monkeypatch.setenv("LIPSTREAM_SECRETS_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.redis == "rediss://:password@redis:6380/0"
    assert "redis" in settings.model_fields_set
    assert settings.link_secret.get_secret_value() == "abc"
    assert "abc" not in repr(settings)
    monkeypatch.setenv("LIPSTREAM_REDIS", "redis://here")
    assert load_settings().redis == "redis://here"
