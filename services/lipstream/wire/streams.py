"""Every name that the services share in Redis, in one place.

All begin with one hash tag, so that they share a slot of a Redis Cluster: scripts change several of
them at once. Names are built from identifiers that were checked with `checked_id`, so that no
caller's text can reach into another job's keys.
"""

from __future__ import annotations

import re

from lipstream.errors import BadInput

__all__ = [
    "DEFAULT_TENANT",
    "GROUP",
    "api_key",
    "api_keys",
    "at_work_key",
    "batch_key",
    "batches_of",
    "caps_hash",
    "checked_id",
    "dead_stream",
    "deadlines_key",
    "delayed_set",
    "events_stream",
    "fit_key",
    "index_key",
    "job_key",
    "kept_sessions",
    "link_secret",
    "open_jobs_set",
    "rate_bucket",
    "replica_key",
    "replicas_set",
    "request_key",
    "session_key",
    "session_places",
    "sessions_stream",
    "sweep_key",
    "waiting_hash",
    "webhook_deliveries",
    "webhook_failures",
    "webhook_key",
    "webhooks_due",
    "webhooks_of",
    "workers_set",
]

GROUP = "workers"
"""The one consumer group of every stage's stream."""

DEFAULT_TENANT = "default"
"""Whose everything is where no keys are asked for."""

# Before a dot stands the tenant of an avatar, in its fit's id too; see `wire.tenants`.
_ID = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,31}\.)?[a-z0-9][a-z0-9_-]{0,63}")


def checked_id(value: str) -> str:
    """`value`, if it can name a job, an avatar or a session.

    Raises:
        BadInput: it is empty, over 64 characters, or holds other than a-z, 0-9, `_` and `-`; what
            belongs to a tenant may begin with that one's name and a dot.
    """
    if not _ID.fullmatch(value):
        raise BadInput(
            f"{value[:80]!r} is no valid id.",
            remedy="Use 1 to 64 of a-z, 0-9, '_' and '-', starting with a letter or a digit.",
            code="bad_id",
        )
    return value


def job_key(job_id: str) -> str:
    """Hash that holds the job's state."""
    return f"{{lipstream}}:job:{checked_id(job_id)}"


def events_stream(job_id: str) -> str:
    """Capped stream of the job's events, for those who watch it."""
    return f"{{lipstream}}:events:{checked_id(job_id)}"


def index_key(kind: str, tenant: str = DEFAULT_TENANT) -> str:
    """Sorted set of the ids of a tenant's jobs of a kind, by the time of their creation in ms."""
    whose = "" if tenant == DEFAULT_TENANT else f":{tenant}"
    return f"{{lipstream}}:index:{kind}{whose}"


def batch_key(batch_id: str) -> str:
    """Hash of a batch: whose it is, how long, and which lines were refused."""
    return f"{{lipstream}}:batch:{checked_id(batch_id)}"


def batches_of(tenant: str) -> str:
    """Sorted set of the ids of a tenant's batches, by the time of their creation in ms."""
    return f"{{lipstream}}:batches-of:{checked_id(tenant)}"


def caps_hash() -> str:
    """Hash: how many jobs of a tenant are worked on at once at most; `*` for all others."""
    return "{lipstream}:caps"


def open_jobs_set(tenant: str) -> str:
    """Set of the ids of a tenant's jobs that have not ended."""
    return f"{{lipstream}}:open:{tenant}"


def sweep_key() -> str:
    """String that is there while no sweep of old objects is due."""
    return "{lipstream}:swept"


def deadlines_key() -> str:
    """Sorted set of the ids of jobs that have a deadline, by that in ms."""
    return "{lipstream}:deadlines"


def waiting_hash(stream: str) -> str:
    """Hash of the messages that wait outside of a stage's stream; see `runtime.fair_queue`."""
    return f"{stream}:waiting"


def replicas_set(stage: str) -> str:
    """Set of the ids of a stage's replicas that take live streams, and of some that are gone."""
    return f"{{lipstream}}:replicas:{stage}"


def replica_key(replica_id: str) -> str:
    """What a replica says of itself (`wire.replica`); expires soon after its last word."""
    return f"{{lipstream}}:replica:{checked_id(replica_id)}"


def fit_key(job_id: str) -> str:
    """Hash by which the process of an avatar's fit tells how far it is and how it ended."""
    return f"{{lipstream}}:fit:{checked_id(job_id)}"


def workers_set(stage: str) -> str:
    """Sorted set of a stage's workers, by the Unix time when each was heard of."""
    return f"{{lipstream}}:workers:{stage}"


def delayed_set(stage: str) -> str:
    """Sorted set of messages that wait for another try, by the time when they are due in ms."""
    return f"{{lipstream}}:delayed:{stage}"


def dead_stream(stage: str) -> str:
    """Capped stream of messages that were given up, each with the reason."""
    return f"{{lipstream}}:dead:{stage}"


def sessions_stream() -> str:
    """Capped stream of what became of live sessions, for operators and for billing."""
    return "{lipstream}:sessions"


def api_key(key_id: str) -> str:
    """Hash of an API key: whose it is and what it may do; its secret only as a digest."""
    return f"{{lipstream}}:api-key:{checked_id(key_id)}"


def api_keys() -> str:
    """Set of the ids of all API keys."""
    return "{lipstream}:api-keys"


def link_secret() -> str:
    """What signs links, where no secret is configured."""
    return "{lipstream}:link-secret"


def request_key(digest: str) -> str:
    """String: what the request with an idempotency key was, as a digest."""
    return f"{{lipstream}}:request:{checked_id(digest)}"


def at_work_key(digest: str) -> str:
    """String that is there while a request with an idempotency key is at work."""
    return f"{request_key(digest)}:at-work"


def rate_bucket(key_id: str) -> str:
    """Hash: how many calls an API key has left."""
    return f"{{lipstream}}:rate:{checked_id(key_id)}"


def session_key(session_id: str) -> str:
    """Hash of a live session: its last snapshot, and the gateway that goes on with it."""
    return f"{{lipstream}}:session:{checked_id(session_id)}"


def kept_sessions() -> str:
    """Hash of the live sessions that have snapshots: when each was opened and last written, ms."""
    return "{lipstream}:kept-sessions"


def session_places(key_id: str) -> str:
    """Sorted set of the live sessions of an API key, by the Unix time when their leases end."""
    return f"{{lipstream}}:session-places:{checked_id(key_id)}"


def webhook_key(webhook_id: str) -> str:
    """Hash of a webhook."""
    return f"{{lipstream}}:webhook:{checked_id(webhook_id)}"


def webhooks_of(tenant: str) -> str:
    """Set of the ids of a tenant's webhooks."""
    return f"{{lipstream}}:webhooks-of:{checked_id(tenant)}"


def webhook_deliveries() -> str:
    """Hash of the events that are on their way to webhooks, JSON by id."""
    return "{lipstream}:webhook-deliveries"


def webhooks_due() -> str:
    """Sorted set of the ids of these deliveries, by the time when they are due in ms."""
    return "{lipstream}:webhooks-due"


def webhook_failures() -> str:
    """Capped stream of deliveries that were given up, each with its reason."""
    return "{lipstream}:webhook-failures"
