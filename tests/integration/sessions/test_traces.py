"""One trace for an utterance, one for a job, through every process of a real stack."""

from __future__ import annotations

import asyncio
import time

import httpx

from lipstream.audio import resample, synthesize
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.listener import Listener
from tests.integration.sessions.otlp import OtlpReceiver, ReceivedSpan
from tests.portrait import AVATAR

_RATE_HZ = 24_000
_LIVE_STAGES = {"lipstream-audio", "lipstream-motion", "lipstream-render"}
_CALLER = "0123456789abcdef0123456789abcdef"


def test_an_utterance_is_one_trace(stack: LocalStack, traces: OtlpReceiver) -> None:
    async def speak() -> None:
        speech = synthesize("My father saw a far away star.")
        samples = resample(speech.samples, speech.rate_hz, _RATE_HZ)
        async with Listener.opened(stack.url, avatar=AVATAR, size=128) as listener:
            await listener.client.speak((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
            await listener.client.end()
            await listener.until("agent.speak_finished")

    def seen(spans: list[ReceivedSpan]) -> bool:
        return any("first picture" in s.events for s in spans if s.name == "utterance")

    earlier = len(traces.spans)  # of other tests, which may have killed what would have told more
    while not seen(traces.spans[earlier:]):  # on a slow machine the first words pass unseen
        ended = sum(s.name == "utterance" for s in traces.spans)
        asyncio.run(speak())
        while sum(s.name == "utterance" for s in traces.spans) == ended:
            time.sleep(0.1)
    told = next(s for s in traces.spans[earlier:] if "first picture" in s.events)
    spans = traces.until(
        lambda spans: {s.service for s in spans if s.parent_id == told.span_id} >= _LIVE_STAGES
    )
    assert told.service == "lipstream-gateway"
    assert not told.parent_id
    steps = [s for s in spans if s.trace_id == told.trace_id and s is not told]
    assert {s.name for s in steps} == {"live step"}
    assert all(s.parent_id == told.span_id for s in steps)
    assert all(0 <= s.duration_s < told.duration_s for s in steps)


def test_a_job_is_one_trace_which_its_caller_began(stack: LocalStack, traces: OtlpReceiver) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=60) as http:
        wanted = {"avatar": AVATAR, "text": "Hello.", "size": 128}
        headers = {"traceparent": f"00-{_CALLER}-0123456789abcdef-01"}
        video = http.post("/v1/videos", json=wanted, headers=headers).raise_for_status().json()
        while (document := http.get(f"/v1/videos/{video['id']}").json())["status"] != "succeeded":
            assert document["status"] in ("queued", "running"), document
            time.sleep(0.1)

    def own(spans: list[ReceivedSpan]) -> dict[str, ReceivedSpan]:
        return {f"{s.service} {s.name}": s for s in spans if s.trace_id == _CALLER}

    spans = own(traces.until(lambda spans: "lipstream-render job" in own(spans)))
    assert set(spans) == {
        "lipstream-gateway POST /v1/videos",
        "lipstream-audio Inspect",
        "lipstream-audio job",
        "lipstream-motion job",
        "lipstream-render job",
    }
    order = spans["lipstream-gateway POST /v1/videos"]
    assert order.parent_id == "0123456789abcdef"
    assert {s.parent_id for s in spans.values() if s is not order} == {order.span_id}
    for stage in ("audio", "motion", "render"):
        attributes = spans[f"lipstream-{stage} job"].attributes
        assert attributes["job_id"] == video["id"]
        assert attributes["outcome"] == "done"
