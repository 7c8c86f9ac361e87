"""Where this process draws."""

from __future__ import annotations

from lipstream.errors import Unavailable

__all__ = ["draw_on"]


def draw_on(device: str) -> None:
    """Have all splats of this process drawn there from now on.

    Args:
        device: `cpu`, or the name of a torch device.

    Raises:
        Unavailable: there is no such device, or the extra `gpu` is missing.
    """
    if device == "cpu":
        return
    try:
        from lipstream.render.gpu import BatchRenderer, FrameQueue, draw_splats_on
    except ImportError as error:
        raise Unavailable(
            f"Pictures are to be drawn on {device}, but torch is not installed.",
            remedy="Install the extra: pip install 'lipstream[gpu]', or set "
            "LIPSTREAM_RENDER_DEVICE=cpu.",
        ) from error
    draw_splats_on(FrameQueue(BatchRenderer(device)))
