"""One session: from the agent's speech through the stages to pictures, at the pace of its clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, TypeAlias

from lipstream.errors import LipstreamError, Unavailable
from lipstream.face.face_controls import FaceControls
from lipstream.gateway.sessions.alarm import Alarm
from lipstream.gateway.sessions.audio_call import AudioCall
from lipstream.gateway.sessions.drawing import Drawing
from lipstream.gateway.sessions.events import (
    Event,
    behind_event,
    error_event,
    finished_event,
    started_event,
    state_event,
)
from lipstream.gateway.sessions.frame_buffer import FrameBuffer
from lipstream.gateway.sessions.motion_call import MotionCall
from lipstream.gateway.sessions.motion_frame import MotionFrame, mouth_columns
from lipstream.gateway.sessions.options import SessionOptions, SessionOutput, SessionState
from lipstream.gateway.sessions.output import Output
from lipstream.gateway.sessions.session_clock import HEADSTART_US, SessionClock
from lipstream.gateway.sessions.session_meter import SessionMeter
from lipstream.gateway.sessions.snapshot import LEAP, LiveSnapshot
from lipstream.gateway.sessions.stage_calls import Spare, Stages
from lipstream.gateway.sessions.steady_call import StageState
from lipstream.gateway.sessions.texts import Texts
from lipstream.gateway.sessions.timeline import Finished, Piece, Timeline
from lipstream.v1 import common_pb2, render_pb2
from lipstream.wire.live_media import MediaKind, MediaMessage

__all__ = ["LiveSession", "Sent"]

logger = logging.getLogger(__name__)

Sent: TypeAlias = MediaMessage | Event
"""What goes to the client."""

_OPENING_S = 15.0
_ENDING_S = 0.5
_UNBROKEN = 0
"""Epoch of sound and motion, which go on through interrupts."""


class LiveSession:
    """
    Args:
        session_id: names it in the stages' logs.
        stages: who does the work.
        meter: tells metrics and traces.
        send: takes what goes to the client; must not block.
    """

    def __init__(
        self,
        session_id: str,
        options: SessionOptions,
        stages: Stages,
        meter: SessionMeter,
        send: Callable[[Sent], None],
    ) -> None:
        self.id = session_id
        self.options = options
        self.state = SessionState.CONNECTING
        self.look_ahead_ms = 0
        self.failure: LipstreamError | None = None
        self._stages = stages
        self._meter = meter
        self._send = send
        self._epoch = 0
        self._sound_epoch = 0
        """That of the last interrupt: a handover of pictures makes no sound stale."""
        self._frames = FrameBuffer()
        self._output = Output(SessionOutput.of(options), self._drawn, self._guarded)
        self._watched = False
        self._show = asyncio.Event()
        """A frame, a place in the renderer, or somebody who looks: the shower looks again."""
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: list[asyncio.Task[None]] = []
        self._calls: list[AudioCall | MotionCall] = []
        self._spare = Spare()
        self._texts = Texts(
            lambda text, voice: stages.synthesize(text, voice, options.sample_rate),
            self.speak,
            self.end_speech,
            self._tell_refusal,
        )
        self._writes: set[asyncio.Task[None]] = set()
        self._clock = SessionClock()
        self.now_us = self._clock.now_us
        """The session's clock: microseconds since playback began."""
        self._wake = Alarm(self._clock)
        """Speech came, or was dropped, or a stage answered: the feeder looks again."""
        self._behind = False
        """What the client was told last of `Timeline.behind`."""
        self._controls = options.controls

    # What the client asks for

    async def open(self, snapshot: LiveSnapshot | None = None) -> None:
        """Connect the stages and start the clock, or go on with that of a snapshot.

        Raises:
            LipstreamError: a stage cannot do what is asked for, or is away.
        """
        try:
            async with asyncio.timeout(_OPENING_S):
                await self._open(snapshot)
        except TimeoutError:
            await self.close()
            raise Unavailable(
                "The stages did not answer in time.", remedy="Try again in a moment."
            ) from None
        except BaseException:
            await self.close()
            raise

    def watch(self, watched: bool) -> None:
        """Whether somebody looks: nothing is drawn for nobody. Begins with the state and a whole
        picture."""
        self._watched = watched
        if watched:
            self._restart_picture()
            self._tell_state()
            self._behind = False  # as a client takes it, until it is told otherwise

    def speak(self, samples: bytes) -> None:
        """More speech, 16-bit PCM, as fast as one likes.

        Raises:
            BadInput, TooLarge: it is no whole number of samples, or too much waits.
        """
        quiet = not self._timeline.speaking
        utterance = self._timeline.utterances.add(samples)
        self._meter.heard(utterance.number, self.now_us(), alone=quiet)
        self._wake.ring()

    def end_speech(self) -> None:
        """The utterance is complete."""
        self._timeline.utterances.end()
        self._timeline.settle()
        self._wake.ring()

    def say(self, text: str, voice: str | None = None) -> None:
        """Speak a text, after what was asked for before."""
        self._texts.say(text, voice or self.options.voice)

    def interrupt(self) -> None:
        """Stop speaking: nothing that was said before is heard or seen any more."""
        self._texts.drop()
        now_us = self.now_us()
        for finished in self._timeline.interrupt(now_us):
            self._tell_finished(finished)
        self._restart_picture()
        self._sound_epoch = self._epoch
        self._wake.ring()
        self._tell_state()

    def direct(self, controls: FaceControls) -> None:
        """Ask something else of the face; it changes over to it smoothly."""
        self._controls = controls
        self._kept(self._motion.direct(controls))

    def show(self, changes: Mapping[str, Any]) -> None:
        """Go over to an output with these fields changed, from one frame to the next."""
        self._kept(self._switch(changes))

    def snapshot(self) -> LiveSnapshot:
        """What it is now, for another gateway to go on from."""
        return LiveSnapshot(
            origin_unix_us=self._clock.origin_unix_us,
            epoch=self._epoch,
            output=self.output,
            controls=self._controls,
            utterance=self._timeline.utterances.number,
            outlook=tuple(self._timeline.outlook()),
            motion=self._motion.state,
            look_ahead_ms=self.look_ahead_ms,
        )

    @property
    def output(self) -> SessionOutput:
        """What it gives beside sound now."""
        return self._output.wish

    @property
    def late_frames(self) -> int:
        """How many pictures were left out because they could not be on time."""
        return self._frames.late_frames

    async def close(self) -> None:
        """End everything that this session started."""
        if self.state is SessionState.CLOSED:
            return
        self.state = SessionState.CLOSED
        self._meter.close()
        tasks = {*self._tasks, *self._texts.tasks, *self._writes, *self._output.tasks}
        if (current := asyncio.current_task()) is not None:
            tasks.discard(current)
        for call in self._calls:
            call.cancel()
        self._output.cancel()
        # A task that is cancelled while it reads leaves in gRPC what has come for it.
        if reading := tasks & {*self._reading, *self._output.tasks}:
            await asyncio.wait(reading, timeout=_ENDING_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # How it is done

    async def _open(self, snapshot: LiveSnapshot | None) -> None:
        options = self.options
        state = snapshot.motion if snapshot else StageState()
        if snapshot is not None:
            self._epoch = self._sound_epoch = snapshot.epoch + LEAP
            self._output.wish, self._controls = snapshot.output, snapshot.controls
        self._motion = MotionCall(self._stages, options, self._unbroken, state)
        self._calls.append(self._motion)
        names = await self._motion.open()
        audio = AudioCall(self._stages, options.sample_rate, self._unbroken)
        self._calls.append(audio)
        await audio.open()
        self._mouth = mouth_columns(names)
        await self._output.open()
        look_ahead_us = self._motion.look_ahead_us + audio.latency_us
        self.look_ahead_ms = round(look_ahead_us / 1000)
        if snapshot is None:
            self._clock.start()
            self._timeline = Timeline(options.sample_rate, look_ahead_us)
        else:
            await self._go_on_from(snapshot, look_ahead_us)
        self._reading = [self._begun(self._hear(audio)), self._begun(self._move())]
        self._tasks = [*self._reading, self._begun(self._feed(audio)), self._begun(self._give())]
        self.state = SessionState.IDLE
        self._tell_state()

    async def _go_on_from(self, snapshot: LiveSnapshot, look_ahead_us: int) -> None:
        self._clock.go_on(snapshot.origin_unix_us)
        self._timeline = Timeline.going_on(
            self.options.sample_rate,
            look_ahead_us,
            earliest_us=self.now_us() + HEADSTART_US,
            stage_us=snapshot.motion.input_us,
            utterance=snapshot.utterance + LEAP,
        )
        await self._motion.direct(self._controls)

    def _drawn(self, output: SessionOutput) -> Drawing:
        return Drawing(
            lambda: self._stages.render(
                self._header(0, max(self._epoch - 1, 0)), self.options, output, self._spare
            ),
            partial(self._seen, output),
            self._restart_picture,
        )

    async def _switch(self, changes: Mapping[str, Any]) -> None:
        if await self._output.switch(changes, self._tell_refusal):
            self._show.set()
            self._tell_state()

    async def _guarded(self, work: Awaitable[None]) -> None:
        """What fails ends the session, and the client is told why."""
        try:
            await work
        except LipstreamError as error:
            await self._fail(error)
        except Exception:
            logger.exception("a session failed", extra={"session_id": self.id})
            await self._fail(Unavailable("The session failed.", remedy="Open another session."))

    async def _fail(self, error: LipstreamError) -> None:
        if self.state is SessionState.CLOSED:
            return
        self.failure = error
        self._send(error_event(error))
        await self.close()
        self._tell_state()

    async def _feed(self, audio: AudioCall) -> None:
        """Hand on sound, piece by piece, as it comes due; tell what begins and what has ended."""
        while True:
            now_us = self.now_us()
            for finished in self._timeline.finished(now_us):
                self._tell_finished(finished)
                self._tell_state()
            due_us = self._timeline.due_us()
            if due_us is not None and due_us <= now_us:
                piece = self._timeline.next_piece(now_us)
                self._tell_heard(piece)
                await audio.hear(piece)
                continue
            self._tell_behind()
            await self._wake.wait(due_us, self._timeline.heard_whole_us())

    async def _hear(self, audio: AudioCall) -> None:
        async with aclosing(audio.features()) as pieces:
            async for stage_us, features in pieces:
                self._timeline.look_ahead_us = self._motion.look_ahead_us + audio.latency_us
                await self._motion.hear(stage_us, features)

    async def _move(self) -> None:
        async with aclosing(self._motion.frames()) as pieces:
            async for frames in pieces:
                self._timeline.moved(frames[0].pts_us, len(frames), self.now_us())
                self._frames.add(
                    frame.seen(self._timeline.seen_us(frame.pts_us)) for frame in frames
                )
                self._show.set()
                self._wake.ring()  # the feeder may have waited for this

    def _seen(self, output: SessionOutput, message: render_pb2.RenderResponse) -> None:
        self._show.set()
        header, frame = message.header, message.frame
        if header.epoch == self._epoch and self._watched:
            flags = {"keyframe": frame.keyframe, "side_by_side": output.side_by_side}
            self._send_media(MediaKind.VIDEO, header.pts_us, frame.data, **flags)

    async def _give(self) -> None:
        """Have frame after frame drawn, or send it."""
        while True:
            epoch, frame = await self._next_frame()
            if (drawing := self._output.drawing) is None:
                self._send_media(MediaKind.MOTION, frame.pts_us, frame.payload(), keyframe=True)
            else:
                await drawing.draw(self._header(frame.pts_us, epoch), frame)

    async def _next_frame(self) -> tuple[int, MotionFrame]:
        """The next frame, when it is there, somebody looks, and it can be drawn."""
        while True:
            # What has been seen is no longer needed, not even after an interrupt.
            self._meter.late(self._frames.forget(self.now_us(), watched=self._watched))
            if self._watched and self._output.has_room:
                frame = self._frames.next(self.now_us() + self._output.takes_us)
                if frame is not None:
                    factor = self._timeline.mouth.factor(frame.pts_us)
                    return self._epoch, frame.eased(factor, self._mouth)
            self._show.clear()
            await self._show.wait()

    def _restart_picture(self) -> None:
        """Go on right after what is seen now, with a picture that needs no other."""
        self._frames.restart(self.now_us())
        self._epoch += 1
        self._show.set()
        if (drawing := self._output.drawing) is not None:
            drawing.forget()
            self._kept(drawing.interrupt(self._header(0, self._epoch)))

    def _begun(self, work: Awaitable[None]) -> asyncio.Task[None]:
        return asyncio.create_task(self._guarded(work))

    def _kept(self, work: Awaitable[None]) -> None:
        task = self._begun(work)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    # What the client is told

    def _tell_refusal(self, error: LipstreamError) -> None:
        self._send(error_event(error))

    def _tell_heard(self, piece: Piece) -> None:
        self._meter.started(piece.started)
        for started in piece.started:
            self._send(started_event(started))
        for heard in piece.heard:
            self._send_media(MediaKind.AUDIO, heard.pts_us, heard.samples)
        if piece.started:
            self._tell_state()

    def _tell_finished(self, finished: Finished) -> None:
        self._meter.finished(finished)
        self._send(finished_event(finished))

    def _tell_behind(self) -> None:
        self._meter.delayed(self._timeline.delayed_us)
        if self._behind is not self._timeline.behind:
            self._behind = not self._behind
            self._send(behind_event(self._behind))

    def _tell_state(self) -> None:
        if self.state is not SessionState.CLOSED:
            speaking = self._timeline.speaking
            self.state = SessionState.SPEAKING if speaking else SessionState.IDLE
        epochs = (self._epoch, self._sound_epoch)
        self._send(state_event(self.state, self.output.kind, *epochs, self.now_us()))

    def _send_media(self, kind: MediaKind, pts_us: int, payload: bytes, **flags: bool) -> None:
        epoch = self._sound_epoch
        if kind is not MediaKind.AUDIO:
            epoch, now_us = self._epoch, self.now_us()
            self._meter.picture_sent(pts_us + self._timeline.look_ahead_us, pts_us, now_us)
            self._timeline.shown(pts_us, now_us)
        self._send(MediaMessage(kind, epoch, pts_us, payload, **flags))

    def _unbroken(self, pts_us: int) -> common_pb2.LiveHeader:
        return self._header(pts_us, _UNBROKEN)

    def _header(self, pts_us: int, epoch: int) -> common_pb2.LiveHeader:
        return common_pb2.LiveHeader(
            session_id=self.id, epoch=epoch, pts_us=pts_us, traceparent=self._meter.traceparent
        )
