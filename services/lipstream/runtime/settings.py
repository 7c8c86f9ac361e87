"""Settings of one process, read once from its environment in `main()`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from lipstream.errors import BadInput

__all__ = ["Settings", "load_settings"]

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


def _default_data_dir() -> Path:
    """The user's data folder (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "lipstream"


class Settings(BaseSettings):
    """Each field is read from `LIPSTREAM_` and its name in capitals.

    What must be secret may be read from files instead: `LIPSTREAM_SECRETS_DIR` names a folder of
    files that are named like the variables.
    """

    model_config = SettingsConfigDict(
        env_prefix="LIPSTREAM_", frozen=True, extra="ignore", allow_inf_nan=False
    )

    # Where things are kept
    redis: Annotated[str, Field(repr=False, description="redis:// or rediss:// URL.")] = (
        "redis://127.0.0.1:6379/0"
    )
    store: Annotated[
        str, Field(description="Object store: a folder, file://, s3://bucket/prefix or memory://.")
    ] = ""
    data_dir: Annotated[Path, Field(description="Local state: objects, Redis's file, scratch.")] = (
        Field(default_factory=_default_data_dir)
    )
    models: Annotated[
        str,
        Field(
            description="Models: a folder in Triton's layout, run in this process, or "
            "triton://host:port. By default the repository's own; see lipstream.inference.store."
        ),
    ] = ""

    generator: Annotated[
        str,
        Field(
            description="Which model makes motion: baseline or streaming_talker, with options; see "
            "lipstream.motion.generators."
        ),
    ] = "streaming_talker"

    encoder: Annotated[
        str,
        Field(
            description="Which speech encoder the audio stage runs: own, or hubert:PATH, "
            "wav2vec2:PATH, whisper:PATH with options; see lipstream.audio.speech_models.choice."
        ),
    ] = "own"

    render_device: Annotated[
        Literal["cpu", "cuda"],
        Field(
            description="Where pictures are drawn. cuda needs the extra gpu; films and streams "
            "are drawn together there, and live ones encoded there if it can."
        ),
    ] = "cpu"

    # Where processes listen, and where they find each other
    host: Annotated[str, Field(description="Address on which this process listens.")] = "127.0.0.1"
    gateway_port: Port = 8080
    grpc_port: Annotated[
        Port | None, Field(description="This stage's port; by default that of its address below.")
    ] = None
    metrics_port: Annotated[Port, Field(description="/metrics, /healthz, /readyz; 0: any.")] = 0
    advertise_host: Annotated[
        str,
        Field(
            description="Host at which gateways reach this replica's live streams; by default "
            "`host`, or this machine's own address where that is 0.0.0.0."
        ),
    ] = ""
    audio_address: str = "127.0.0.1:50051"
    motion_address: str = "127.0.0.1:50052"
    avatar_address: str = "127.0.0.1:50053"
    render_address: str = "127.0.0.1:50054"

    auth: Annotated[
        Literal["off", "keys"],
        Field(description="Whether callers of the gateway need an API key; see docs/security.md."),
    ] = "off"
    key_requests_per_s: Annotated[
        float, Field(gt=0, description="Calls a second of one API key, unless it has its own.")
    ] = 50.0
    key_sessions: Annotated[
        int, Field(gt=0, description="Live sessions of one API key, unless it has its own.")
    ] = 8
    webhooks_private: Annotated[
        bool,
        Field(description="Whether webhooks may lie on private addresses, and be plain HTTP."),
    ] = False
    webhook_retry_base_s: Annotated[
        Seconds, Field(description="Wait before a webhook's second try; then four times as long.")
    ] = 5.0
    link_secret: Annotated[
        SecretStr,
        Field(description="Signs links to files; by default one that the gateways share in Redis."),
    ] = SecretStr("")
    link_lasts_s: Annotated[Seconds, Field(description="How long a signed link works.")] = 3600.0
    downloads: Annotated[
        Literal["gateway", "store"],
        Field(description="Who serves videos: the gateway, or S3, GCS, Azure by a signed address."),
    ] = "gateway"
    consent: Annotated[
        Literal["off", "statement", "named"],
        Field(description="What an avatar needs: a statement of consent, and who gives it."),
    ] = "statement"

    # Marks of what was generated
    badge: Annotated[
        str, Field(max_length=40, description="A text in the corner of every picture, or nothing.")
    ] = ""
    c2pa_cert: Annotated[
        Path | None, Field(description="PEM chain that signs MP4 films (C2PA); with its key.")
    ] = None
    c2pa_key: Annotated[Path | None, Field(description="PEM of its private key.")] = None
    c2pa_timestamps: Annotated[
        str, Field(description="URL of a time-stamping authority for these signatures.")
    ] = ""

    # Mutual TLS between the gateway and the stages: all three, or none
    tls_ca: Annotated[Path | None, Field(description="PEM of the authority of both sides.")] = None
    tls_cert: Annotated[Path | None, Field(description="PEM of this process' certificate.")] = None
    tls_key: Annotated[Path | None, Field(description="PEM of its private key.")] = None
    tls_name: Annotated[
        str, Field(description="Name in the stages' certificates; by default the host called.")
    ] = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # Limits on what callers send
    max_audio_s: Seconds = 1800.0
    max_text_chars: Annotated[int, Field(gt=0)] = 20_000
    max_upload_bytes: Annotated[int, Field(gt=0)] = 200_000_000
    max_message_bytes: Annotated[int, Field(gt=0, description="One gRPC message.")] = 8_000_000
    max_streams: Annotated[int, Field(gt=0, description="Calls at once in one stage.")] = 64
    live_capacity: Annotated[
        int | None,
        Field(gt=0, description="Live streams in this replica; by default measured at its start."),
    ] = None
    max_sessions: Annotated[int, Field(gt=0, description="Live sessions in one gateway.")] = 8
    session_patience_s: Annotated[
        Seconds, Field(description="A session without a client ends after so long.")
    ] = 30.0
    session_token_s: Annotated[
        Seconds, Field(description="A session's token opens its socket for so long.")
    ] = 3600.0
    max_queued_jobs: Annotated[
        int, Field(gt=0, description="Interactive jobs that wait at a stage.")
    ] = 1000
    max_open_jobs: Annotated[
        int, Field(ge=0, description="Jobs of one tenant that have not ended; 0: any number.")
    ] = 20_000
    max_running_jobs: Annotated[
        int,
        Field(ge=0, description="Jobs of one tenant that are worked on at once; 0: any number."),
    ] = 0
    max_batch_lines: Annotated[int, Field(gt=0, description="Videos in one batch.")] = 5000

    # How jobs are worked on
    worker_concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    heartbeat_s: Annotated[Seconds, Field(description="Between signs of life of running work.")] = (
        1.0
    )
    claim_idle_s: Annotated[
        Seconds, Field(description="Work without a sign of life for so long is taken over.")
    ] = 15.0
    retry_base_s: Annotated[Seconds, Field(description="Wait before the second try; doubles.")] = (
        1.0
    )
    outage_limit_s: Annotated[
        Seconds,
        Field(
            description="A job waits for so long while the store, the model server or space on the "
            "disk is gone."
        ),
    ] = 3600.0
    drain_s: Annotated[Seconds, Field(description="How long running work may go on at exit.")] = (
        20.0
    )
    fits: Annotated[
        Literal["here", "subprocess", "kubernetes"],
        Field(
            description="Where avatars' jobs are fitted: in the avatar service's process, in a "
            "bounded process of its own beside it, or in a Job on the cluster."
        ),
    ] = "subprocess"
    fit_memory_mb: Annotated[
        int, Field(gt=0, description="What one fit in a process of its own may take.")
    ] = 6000
    fit_template: Annotated[
        Path | None, Field(description="Kubernetes Job, YAML, that a fit's is made from.")
    ] = None
    job_ttl_s: Annotated[
        Seconds,
        Field(description="How long a finished job is remembered, and its objects are kept."),
    ] = 7 * 86_400.0
    sweep_s: Annotated[
        Seconds, Field(description="Between deletions of the objects of forgotten jobs.")
    ] = 3600.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then files in the folder that it names for secrets."""
        folder = os.environ.get("LIPSTREAM_SECRETS_DIR")
        files = SecretsSettingsSource(settings_cls, secrets_dir=folder)
        return init_settings, env_settings, files

    @property
    def store_url(self) -> str:
        """The object store's URL, by default a folder in the data folder."""
        return self.store or str(self.data_dir.absolute() / "objects")

    def address_of(self, stage: str) -> str:
        """host:port where clients reach a stage."""
        address: str = getattr(self, f"{stage}_address")
        return address

    def grpc_port_of(self, stage: str) -> int:
        """Port on which the stage listens; 0 means any free one."""
        if self.grpc_port is not None:
            return self.grpc_port
        port = self.address_of(stage).rpartition(":")[2]
        if not port.isdigit():
            raise BadInput(
                f"LIPSTREAM_{stage.upper()}_ADDRESS has no port: {self.address_of(stage)!r}.",
                remedy="Write it as host:port.",
            )
        return int(port)


def load_settings() -> Settings:
    """Settings from the environment.

    Raises:
        BadInput: a variable does not hold what it should; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"LIPSTREAM_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise BadInput("; ".join(faults) + ".", remedy="Correct the environment.") from None
