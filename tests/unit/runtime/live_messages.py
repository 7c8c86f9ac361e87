"""Short names for live messages, as the tests of the lane send them."""

from __future__ import annotations

from lipstream.v1 import common_pb2, render_pb2

__all__ = ["config", "content", "end", "header", "interrupt", "keyframe"]


def header(epoch: int, pts_us: int = 0) -> common_pb2.LiveHeader:
    return common_pb2.LiveHeader(session_id="s", epoch=epoch, pts_us=pts_us)


def config(epoch: int = 0) -> render_pb2.RenderRequest:
    return render_pb2.RenderRequest(header=header(epoch), config=render_pb2.RenderConfig())


def content(epoch: int, index: int, *, size: int = 1) -> render_pb2.RenderRequest:
    """Something to work on; `index` tells one message from another."""
    frames = common_pb2.MotionFrames(gaze=bytes(size))
    return render_pb2.RenderRequest(header=header(epoch, index), frames=frames)


def end(epoch: int) -> render_pb2.RenderRequest:
    return render_pb2.RenderRequest(header=header(epoch), end=common_pb2.EndOfUtterance())


def interrupt(epoch: int) -> render_pb2.RenderRequest:
    return render_pb2.RenderRequest(header=header(epoch), interrupt=common_pb2.Interrupt())


def keyframe(epoch: int) -> render_pb2.RenderRequest:
    return render_pb2.RenderRequest(header=header(epoch), keyframe=render_pb2.KeyframeRequest())
