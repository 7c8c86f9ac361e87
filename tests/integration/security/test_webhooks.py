"""Webhooks: told of every end of a job, signed, tried again, and never inside."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import socket
import time

import pytest
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from lipstream.client.webhooks import verified_event
from lipstream.errors import BadInput, Unavailable
from lipstream.gateway import pinned_post as pinned
from lipstream.gateway.pinned_post import check_url, pinned_post
from lipstream.pipeline import JobKind
from lipstream.runtime.logs import configure_logs
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.webhooks import WebhookStore
from tests.integration.dummy_stage import handle as dummy_handle
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import Guarded
from tests.integration.security.receiver import Receiver

_EAGER = {"webhooks_private": True, "webhook_retry_base_s": 0.01}


def test_a_call_is_signed_and_made_again_until_it_is_taken(guarded: Guarded) -> None:
    acme, other = guarded.key("acme", "admin"), guarded.key("other", "admin")
    guarded.add_avatar("acme.grace")
    with Receiver(500, 302, 429) as receiver, guarded.http(**_EAGER) as http:
        made = http.post("/v1/webhooks", json={"url": receiver.url}, headers=acme)
        assert made.status_code == 201, made.text
        hook = made.json()
        elsewhere = http.post("/v1/webhooks", json={"url": receiver.url + "2"}, headers=other)
        assert elsewhere.status_code == 201
        wanted = {"avatar": "grace", "text": "Hello"}
        video = http.post("/v1/videos", json=wanted, headers=acme).json()
        assert http.delete(video["links"]["self"], headers=acme).status_code == 204
        calls = [receiver.calls.get(timeout=20) for _ in range(4)]
        assert {call.path for call in calls} == {"/hook?of=lipstream"}
        assert len({call.headers["webhook-id"] for call in calls}) == 1
        for call in calls:
            event = Reference(hook["secret"]).verify(call.body, call.headers)
            assert event == verified_event(hook["secret"], call.headers, call.body)
        assert event["type"] == "video.cancelled"
        assert event["data"]["id"] == video["id"]
        path = f"/v1/webhooks/{hook['id']}"
        give_up_s = time.monotonic() + 20
        while (seen := http.get(path, headers=acme).json())["last_result"] != "ok":
            assert time.monotonic() < give_up_s
        assert "secret" not in {name for name, value in seen.items() if value}
        with pytest.raises(queue.Empty):
            receiver.calls.get(timeout=0.7)
        assert [one["id"] for one in http.get("/v1/webhooks", headers=acme).json()] == [hook["id"]]
        assert http.get(path, headers=other).status_code == 404
        assert http.delete(path, headers=other).status_code == 404
        assert http.delete(path, headers=acme).status_code == 204
        assert http.get("/v1/webhooks", headers=acme).json() == []


def test_old_and_new_secrets_sign_side_by_side_until_the_grace_is_over(guarded: Guarded) -> None:
    acme, other = guarded.key("acme", "admin"), guarded.key("other", "admin")
    guarded.add_avatar("acme.grace")
    with Receiver() as receiver, guarded.http(**_EAGER) as http:
        hook = http.post("/v1/webhooks", json={"url": receiver.url}, headers=acme).json()
        tried = http.post(f"/v1/webhooks/{hook['id']}/test", headers=acme).json()
        assert tried["last_result"] == "ok"
        assert tried["last_ms"] >= tried["created_ms"]
        call = receiver.calls.get(timeout=20)
        event = Reference(hook["secret"]).verify(call.body, call.headers)
        assert (event["type"], event["data"]) == ("webhook.test", {"id": hook["id"]})
        assert http.post(f"/v1/webhooks/{hook['id']}/test", headers=other).status_code == 404
        path = f"/v1/webhooks/{hook['id']}/rotate"

        def rotated(grace_s: float) -> str:
            return str(http.post(path, json={"grace_s": grace_s}, headers=acme).json()["secret"])

        def verifies(secret: str) -> bool:
            try:
                Reference(secret).verify(call.body, call.headers)
            except WebhookVerificationError:
                return False
            return True

        assert http.post(path, json={}, headers=other).status_code == 404
        assert http.post(path, json={"grace_s": -1}, headers=acme).status_code == 422
        secrets = [hook["secret"], rotated(600)]
        for expected in ([True, True], [False, False, True]):
            wanted = {"avatar": "grace", "text": "Hello"}
            video = http.post("/v1/videos", json=wanted, headers=acme).json()
            http.delete(video["links"]["self"], headers=acme)
            call = receiver.calls.get(timeout=20)
            assert [verifies(secret) for secret in secrets] == expected
            secrets.append(rotated(0))
        counted = 'lipstream_webhook_calls_total{outcome="delivered",service="gateway"}'
        give_up_s = time.monotonic() + 20
        while f"{counted} 2.0" not in http.get("/metrics").text:
            assert time.monotonic() < give_up_s


def test_every_end_of_a_job_is_told_once(redis_server: RedisProcess) -> None:
    async def scene() -> None:
        link = RedisLink(redis_server.url)
        store = WebhookStore(link)
        hook = await store.create("default", "https://example.com/")
        picky = await store.create("default", "https://example.com/", ["avatar.failed"])
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", dummy_handle)
            good = await lane.create(JobKind.AVATAR)
            bad = await lane.create(JobKind.AVATAR, avatar=["refuse:It is bad."])
            statuses = {job.id: (await lane.ended(job)).status for job in (good, bad)}
        assert set(statuses.values()) == {"succeeded", "failed"}
        claimed = await store.claim(10, lease_s=60)
        assert await store.claim(10, lease_s=60) == []  # leased
        assert len(claimed) == 4
        told = {
            (delivery.job_id, delivery.status)
            for _, delivery in claimed
            if delivery.webhook == hook.id
        }
        assert told == {(job_id, str(status)) for job_id, status in statuses.items()}
        wanted = [await store.receiver(delivery) for _, delivery in claimed]
        assert [one for one in wanted if one and one.id == picky.id] == [
            picky for status in statuses.values() if status == "failed"
        ]
        for delivery_id, delivery in claimed:
            body = json.loads(delivery.body())
            assert ("error" in body["data"]) == (delivery.status == "failed")
            await store.again(delivery_id, delivery.again, wait_s=0.0)
        assert {delivery.tries for _, delivery in await store.claim(10, lease_s=60)} == {1}
        await store.delete(hook)
        for delivery_id, delivery in claimed:
            if delivery.webhook == hook.id:
                assert await store.receiver(delivery) is None
            await store.done(delivery_id)
        assert await store.claim(10, lease_s=0) == []
        await link.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://[fec0::1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://224.0.0.1/",
        "http://example.com/",
        "https://user:password@example.com/",
        "file:///etc/passwd",
        "https://",
        "no url",
        "https://" + "a" * 3000,
    ],
)
def test_what_is_not_on_the_public_internet_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        asyncio.run(check_url(url, private=False))
    assert refused.value.code in ("bad_webhook_url", "private_webhook_url")


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once; the call goes to the address that was looked at."""
    asked = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        own = loop.getaddrinfo

        async def resolve(host: str, port: int, **named: object) -> object:
            if host != "rebinding.test":
                return await own(host, port, **named)  # type: ignore[arg-type]
            asked.append(host)
            address = "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        with pytest.raises(BadInput, match="not on the public internet"):
            await pinned_post("https://rebinding.test/", b"{}", {}, private=False)
        monkeypatch.setattr(pinned, "_is_public", lambda address: True)
        with Receiver() as receiver:
            url = receiver.url.replace("127.0.0.1", "rebinding.test")
            assert await pinned_post(url, b"{}", {}, private=True) == 204
            call = receiver.calls.get(timeout=10)
        assert call.headers["host"] == url.split("/")[2]
        with pytest.raises(Unavailable):
            await pinned_post(url, b"{}", {}, private=True)

    asyncio.run(scene())
    assert asked == ["rebinding.test"] * 3


def test_an_address_stays_out_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    try:
        with Receiver() as receiver:
            configure_logs("gateway", "DEBUG")
            assert asyncio.run(pinned_post(receiver.url, b"{}", {}, private=True)) == 204
    finally:
        root.handlers[:], root.level = kept
        logging.captureWarnings(False)
    assert "hook" not in capsys.readouterr().err


def test_old_and_foreign_calls_are_refused() -> None:
    from lipstream.wire.webhook import signed_headers

    secret, now_s = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0", int(time.time())
    fresh = signed_headers([secret], "msg_1", now_s, b"{}")
    assert verified_event(secret, {k.title(): v for k, v in fresh.items()}, b"{}") == {}
    for headers, body, code in (
        (signed_headers([secret], "msg_1", now_s - 600, b"{}"), b"{}", "stale_webhook"),
        (fresh, b"{ }", "bad_webhook"),
        (fresh | {"webhook-id": "msg_2"}, b"{}", "bad_webhook"),
        (fresh | {"webhook-timestamp": str(now_s + 1)}, b"{}", "bad_webhook"),
        (fresh | {"webhook-signature": "v1,é"}, b"{}", "bad_webhook"),
        ({}, b"{}", "bad_webhook"),
    ):
        with pytest.raises(BadInput) as refused:
            verified_event(secret, headers, body)
        assert refused.value.code == code
