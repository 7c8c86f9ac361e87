"""What a replica of a stage says of itself in Redis, for gateways that place live sessions.

Each replica writes itself under `streams.replica_key`, as a lease: it writes again every
`REFRESH_S`, and at once when something changed; what it wrote expires after `LEASE_S`. Its id is in
`streams.replicas_set`. A new process has a new id, even at the address of an earlier one.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["LEASE_S", "REFRESH_S", "Replica"]

REFRESH_S = 0.5
LEASE_S = 3.0


class Replica(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    stage: str
    address: str
    """host:port of its gRPC server."""
    capacity: int = Field(ge=0)
    """Live streams that it takes at once."""
    live: int = Field(ge=0)
    """Live streams that it serves now."""
    draining: bool = False
    """It takes no more, and ends when those that it has are gone."""

    def encode(self) -> str:
        return self.model_dump_json()

    @classmethod
    def decode(cls, text: str | None) -> Replica | None:
        """None where there is nothing, or nothing that this release understands."""
        try:
            return cls.model_validate_json(text) if text is not None else None
        except ValidationError:
            return None
