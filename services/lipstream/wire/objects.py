"""Every name that the services share in the object store, in one place."""

from __future__ import annotations

from lipstream.errors import BadInput
from lipstream.wire.streams import checked_id

__all__ = [
    "FIT_LOG",
    "JOBS",
    "LONGEST_AVATAR_ID",
    "PARTS",
    "REFUSED_SHEET",
    "avatar_prefix",
    "checked_avatar_id",
    "job_object",
    "job_prefix",
]

LONGEST_AVATAR_ID = 56
JOBS = "jobs"
"""Where the objects of all jobs lie."""
PARTS = "parts"
"""Under its job: what the parts of a split job write, until they are joined."""
REFUSED_SHEET = "sheet.png"
"""Name, under its job, of the pictures of an avatar that was not good enough."""

FIT_LOG = "fit.log"
"""Name, under its job, of the end of the log of a fit that ended abruptly on a cluster."""


def job_prefix(job_id: str) -> str:
    """Where a job's inputs and outputs lie."""
    return f"{JOBS}/{checked_id(job_id)}"


def job_object(job_id: str, name: str) -> str:
    """Key of one of a job's inputs or outputs, by its name in `pipeline`."""
    return f"{job_prefix(job_id)}/{name}"


def checked_avatar_id(value: str) -> str:
    """`value`, if it can name an avatar. Names of other things are made from it, so it is short.

    Raises:
        BadInput: it is empty, over 56 characters, or holds other than a-z, 0-9, `_` and `-`.
    """
    try:
        fits = len(checked_id(value)) <= LONGEST_AVATAR_ID and "." not in value
    except BadInput:
        fits = False
    if not fits:
        raise BadInput(
            f"{value[:80]!r} cannot name an avatar.",
            remedy=f"Use 1 to {LONGEST_AVATAR_ID} of a-z, 0-9, '_' and '-', starting with a "
            "letter or a digit.",
            code="bad_name",
        )
    return value


def avatar_prefix(avatar_id: str) -> str:
    """Where a finished avatar's bundle and its preview lie.

    Args:
        avatar_id: its name, after its tenant's and a dot unless that is the default one.
    """
    tenant, dot, name = avatar_id.rpartition(".")
    checked_avatar_id(name)
    return f"avatars/{checked_id(tenant)}.{name}" if dot else f"avatars/{name}"
