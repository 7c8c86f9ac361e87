"""Every name that the services share in the object store, in one place."""

from __future__ import annotations

from lipstream.wire.streams import checked_id

__all__ = ["avatar_prefix", "job_object", "job_prefix"]


def job_prefix(job_id: str) -> str:
    """Where a job's inputs and outputs lie."""
    return f"jobs/{checked_id(job_id)}"


def job_object(job_id: str, name: str) -> str:
    """Key of one of a job's inputs or outputs, by its name in `pipeline`."""
    return f"{job_prefix(job_id)}/{name}"


def avatar_prefix(avatar_id: str) -> str:
    """Where a finished avatar's bundle and its preview lie."""
    return f"avatars/{checked_id(avatar_id)}"
