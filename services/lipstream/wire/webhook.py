"""Webhooks: where a tenant wants to be told that a job ended, and what is told there.

As in the Standard Webhooks specification, version 1: a message's id stays the same however often it
is sent, and the signature covers the id, the moment of sending and the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from lipstream.errors import BadInput
from lipstream.pipeline import JobKind
from lipstream.wire.fields import VERSION, Fields, dump_json
from lipstream.wire.problem import Problem
from lipstream.wire.tenants import avatar_name

__all__ = ["EVENT_TYPES", "Delivery", "Webhook", "signature", "signed_headers", "test_event"]

EVENT_TYPES = tuple(
    f"{kind}.{end}" for kind in JobKind for end in ("succeeded", "failed", "cancelled")
)
_SECRET_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A place that is told of events."""

    id: str
    tenant: str
    url: str
    secret: str
    """`whsec_` and the key of the signatures in base64."""
    events: tuple[str, ...]
    """Of `EVENT_TYPES`."""
    created_ms: int
    last_ms: int = 0
    """When it was last called; Unix time."""
    last_result: str = ""
    """What came of that: `ok`, or what went wrong."""
    old_secret: str = ""
    """Signs beside `secret` for a while after that was made in its place."""
    old_until_ms: int = 0
    """Unix time."""

    def secrets(self, now_ms: int) -> tuple[str, ...]:
        """All that sign a call at this Unix time, the newest first."""
        old = self.old_secret and now_ms < self.old_until_ms
        return (self.secret, self.old_secret) if old else (self.secret,)

    def encode(self) -> dict[str, str]:
        return {
            "v": str(VERSION),
            "id": self.id,
            "tenant": self.tenant,
            "url": self.url,
            "secret": self.secret,
            "events": " ".join(self.events),
            "created_ms": str(self.created_ms),
            "last_ms": str(self.last_ms),
            "last_result": self.last_result,
            "old_secret": self.old_secret,
            "old_until_ms": str(self.old_until_ms),
        }

    @classmethod
    def decode(cls, raw: Mapping[str, str]) -> Self:
        """
        Raises:
            BadInput: the hash is not one that `encode` wrote.
        """
        # Those of earlier releases know of no old secret.
        fields = Fields({"old_secret": "", "old_until_ms": "0", **raw}, "webhook")
        return cls(
            id=fields.text("id"),
            tenant=fields.text("tenant"),
            url=fields.text("url"),
            secret=fields.text("secret"),
            events=tuple(fields.text("events").split()),
            created_ms=fields.integer("created_ms"),
            last_ms=fields.integer("last_ms"),
            last_result=fields.text("last_result"),
            old_secret=fields.text("old_secret"),
            old_until_ms=fields.integer("old_until_ms"),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook; the scripts of jobs write it, as JSON."""

    webhook: str
    job_id: str
    kind: str
    status: str
    created_ms: int
    """Of the job."""
    at_ms: int
    error: str = ""
    """An encoded problem, of a job that failed."""
    tries: int = 0

    @property
    def event(self) -> str:
        return f"{self.kind}.{self.status}"

    @property
    def message_id(self) -> str:
        """The same for each try; a job that is made again under its name has another."""
        event = f"{self.job_id} {self.created_ms} {self.event}"
        return f"msg_{hashlib.sha256(event.encode()).hexdigest()[:32]}"

    @property
    def again(self) -> Self:
        """With one try more."""
        return replace(self, tries=self.tries + 1)

    def body(self) -> bytes:
        """What is sent."""
        is_avatar = self.kind == JobKind.AVATAR
        name = avatar_name(self.job_id.removeprefix("avatar-")) if is_avatar else self.job_id
        data: dict[str, Any] = {
            "id": name,
            "kind": self.kind,
            "status": self.status,
            "links": {"self": f"/v1/{self.kind}s/{name}"},
        }
        if self.error:
            problem = Problem.decode(self.error)
            data["error"] = {
                "code": problem.code,
                "title": problem.title,
                "detail": problem.detail,
                "remedy": problem.remedy,
            }
        return _body(self.event, self.at_ms, data)

    def encode(self) -> str:
        return dump_json({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def decode(cls, text: str) -> Self:
        """
        Raises:
            BadInput: it is no delivery.
        """
        try:
            raw = json.loads(text)
            # Redis' scripts know numbers as text.
            counts = {name: int(raw[name]) for name in ("created_ms", "at_ms", "tries")}
            return cls(**{**raw, **counts})
        except (KeyError, TypeError, ValueError):
            raise BadInput(f"This is no delivery: {text[:60]!r}.") from None


def test_event(webhook: Webhook, at_ms: int) -> bytes:
    """What a webhook is called with to see whether calls arrive."""
    return _body("webhook.test", at_ms, {"id": webhook.id})


def _body(event: str, at_ms: int, data: Mapping[str, Any]) -> bytes:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return dump_json({"type": event, "timestamp": moment, "data": dict(data)}).encode()


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Of a message, with its version: `v1,...`.

    Raises:
        BadInput: the secret is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        raise BadInput("This is no secret of a webhook.", remedy="It begins with whsec_.") from None
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def signed_headers(
    secrets: Sequence[str], message_id: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Of a message that is sent at this Unix time, signed with each of the secrets."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(
            signature(secret, message_id, timestamp_s, body) for secret in secrets
        ),
    }
