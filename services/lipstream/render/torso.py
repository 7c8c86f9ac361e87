"""The torso of the plate, which goes along with the head a little; what is behind it stays.

The plate is taken apart into the person and the background such that the two, put together again
at rest, are the plate. Towards the picture's sides the torso stays where it is, for nothing is
known of it beyond them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.plate import Cutout, Plate
from lipstream.render.splats import Bytes
from lipstream.render.view import View

__all__ = ["ShiftPx", "Torso"]

ShiftPx: TypeAlias = tuple[float, float]
"""To the right and down, in pixels of the picture."""

_HELD = 0.15
"""Of the canvas: over this way from the picture's sides, the torso stays behind."""
_STRAY = 2
"""Alpha, of 255, up to which a pixel of the matte is noise."""
_U = np.uint64
_F = np.float32


@dataclass(frozen=True, slots=True)
class _Layer:
    """Samples of one kind: plate = front + (1 - alpha) * behind."""

    front: Floats  # [H, W, C]
    alpha: Floats  # [H, W, C] 0..1
    behind: Bytes  # [H, W, C]
    shares: Floats  # [W] how far each column goes along
    whole: tuple[int, int]  # columns from and to which all go along
    spans: Ints  # [H, 2] columns from and to which the person may come


class Torso:
    """Shared by threads; what a frame changes is the caller's.

    Args:
        plate: of the view, at rest.
        behind: its background alone; None where the plate has alpha.
        reach_px: the furthest shift. What the torso does not reach is not drawn.
    """

    def __init__(
        self, cutout: Cutout, view: View, plate: Plate, behind: Plate | None, reach_px: float
    ) -> None:
        self.rest = plate
        self._reach_px = reach_px
        self._cutout = cutout
        self._view = view
        self.shares = _shares(view)  # [W] how far each column goes along
        self.alpha: Floats = cutout.alpha / np.float32(255)  # [H, W]
        self._behind = behind

    @cached_property
    def colors(self) -> _Layer:
        return self._layer(self.rest.rgb, None if self._behind is None else self._behind.rgb)

    @cached_property
    def _planes(self) -> tuple[_Layer, _Layer, _Layer]:
        rest, behind = self.rest, self._behind
        return (
            self._layer(rest.y, None if behind is None else behind.y),
            self._layer(rest.u, None if behind is None else behind.u),
            self._layer(rest.v, None if behind is None else behind.v),
        )

    @cached_property
    def cut(self) -> Torso:
        """The same before black, to be put before any background."""
        black = np.zeros_like(self.rest.rgb)
        return Torso(
            self._cutout, self._view, self._cutout.over(black), Plate.of(black), self._reach_px
        )

    def follow_yuv(self, shift: ShiftPx, out: Plate) -> None:
        """Draw Y, U, V and alpha where the torso is, shifted; the rest of them stays.

        Args:
            out: the plate, at rest or with another shift.
        """
        y, u, v = self._planes
        for layer, plane in ((y, out.y), (u, out.u), (v, out.v)):
            self._follow(shift, layer, layer.behind, plane)
        self._follow_alpha(shift, out)

    def follow_rgb(self, shift: ShiftPx, out: Plate) -> None:
        """The same for R, G, B and alpha."""
        self._follow(shift, self.colors, self.colors.behind, out.rgb)
        self._follow_alpha(shift, out)

    def over(self, background: Bytes, shift: ShiftPx, *, yuv: bool) -> Plate:
        """The torso, shifted, before another background [H, W, 3]: Y, U, V or else R, G, B."""
        plate = Plate.of(background.copy())
        cut = self.cut
        if yuv:
            for layer, plane in zip(cut._planes, (plate.y, plate.u, plate.v), strict=True):
                self._follow(shift, layer, plane, plane)
        else:
            self._follow(shift, cut.colors, plate.rgb, plate.rgb)
        return plate

    def _follow_alpha(self, shift: ShiftPx, out: Plate) -> None:
        if self._behind is None:
            self._follow(shift, self._opacity, self._opacity.behind, out.alpha)

    @cached_property
    def _opacity(self) -> _Layer:
        alpha = self.alpha[..., None]
        return self._laid_out(255 * alpha, alpha, np.zeros(alpha.shape, np.uint8))

    def _follow(self, shift: ShiftPx, layer: _Layer, behind: Bytes, out: Bytes) -> None:
        height = len(layer.front)
        size = height / len(self.alpha)  # chroma has half as many rows and columns
        left, right = layer.whole
        dx, dy = (np.float32(size * part) for part in shift)
        _draw(
            layer.front.reshape(height, -1),
            layer.alpha.reshape(height, -1),
            behind.reshape(height, -1),
            layer.shares,
            left,
            right,
            dx,
            dy,
            layer.spans,
            np.empty((3, out[0].size), np.int32),
            np.empty((2, out[0].size), np.float32),
            out.reshape(height, -1),
        )

    def _layer(self, rest: Bytes, behind: Bytes | None) -> _Layer:
        alpha = self.alpha
        if len(rest) < len(alpha):
            height, width = rest.shape
            alpha = alpha.reshape(height, 2, width, 2).mean(axis=(1, 3))
        shape = (*rest.shape[:2], 1 if rest.ndim == 2 else 3)
        share = np.array(np.broadcast_to(alpha[..., None], shape), np.float32, order="C")
        if behind is None:  # straight colours, known beyond the person's edge
            back = np.zeros(shape, np.uint8)
        else:
            back = np.array(behind.reshape(shape), np.uint8, order="C")
        front = rest.reshape(shape) - (1 - share) * back
        return self._laid_out(np.ascontiguousarray(front, np.float32), share, back)

    def _laid_out(self, front: Floats, alpha: Floats, behind: Bytes) -> _Layer:
        shares = np.ascontiguousarray(self.shares[:: len(self.alpha) // len(front)])
        whole = np.flatnonzero(shares == 1)
        between = (int(whole[0]), int(whole[-1]) + 1) if len(whole) else (0, 0)
        reach = math.ceil(self._reach_px * len(front) / len(self.alpha)) + 1
        return _Layer(front, alpha, behind, shares, between, _spans(alpha, reach))


def _shares(view: View) -> Floats:  # [W] 0..1
    width = view.size.width_px
    x = np.arange(width) + 0.5
    inside = np.clip(np.minimum(x, width - x) / (_HELD * view.canvas_px), 0, 1)
    shares: Floats = (inside * inside * (3 - 2 * inside)).astype(np.float32)
    return shares


def _spans(alpha: Floats, reach: int) -> Ints:  # [H, W, C] -> [H, 2]
    """Per row, the columns that are at most `reach` from what is seen of the person."""
    height, width, _ = alpha.shape
    seen = (alpha > _STRAY / 255).any(axis=2)
    covered = seen.any(axis=1)
    begin = np.where(covered, seen.argmax(axis=1) - reach, width)
    end = np.where(covered, width - seen[:, ::-1].argmax(axis=1) + reach, 0)
    spans = np.empty((height, 2), np.int32)
    for row in range(height):
        near = slice(max(row - reach, 0), row + reach + 1)
        spans[row] = max(begin[near].min(), 0), min(end[near].max(), width)
    return spans


@kernel
def _draw(
    front: Floats,  # [H, W C]
    alpha: Floats,  # [H, W C]
    behind: Bytes,  # [H, W C]
    shares: Floats,  # [W] 1 from `left` to `right`
    left: int,
    right: int,
    dx: np.float32,
    dy: np.float32,
    spans: Ints,  # [H, 2] columns from and to which there may be a torso
    steps: Ints,  # [3, W C] scratch: columns before and after, row
    parts: Floats,  # [2, W C] scratch: shares of the latter, and of the row under it
    out: Bytes,  # [H, W C]
) -> None:
    """The person from where it came, by bilinear interpolation, over what is behind.

    Between the sides all goes one way: there, the compiler makes vectors of it. At the sides every
    column has a way of its own, the same in all rows.
    """
    height = front.shape[0]
    width = shares.shape[0]
    channels = _U(front.shape[1] // width)
    offset = math.floor(-dx)
    fx = -dx - _F(offset)
    fy = -dy - _F(math.floor(-dy))
    w00 = (_F(1) - fx) * (_F(1) - fy)
    w01 = fx * (_F(1) - fy)
    w10 = (_F(1) - fx) * fy
    w11 = fx * fy
    for x in range(width):
        at_x = _F(x) - shares[x] * dx
        at_y = -shares[x] * dy
        for k in range(channels):
            j = _U(x) * channels + k
            steps[0, j] = min(max(math.floor(at_x), 0), width - 1) * channels + k
            steps[1, j] = min(max(math.floor(at_x) + 1, 0), width - 1) * channels + k
            steps[2, j] = math.floor(at_y)
            parts[0, j] = at_x - _F(math.floor(at_x))
            parts[1, j] = at_y - _F(math.floor(at_y))
    for y in range(height):
        begin = max(spans[y, 0], left)
        end = min(spans[y, 1], right)
        above = y + math.floor(-dy)
        y0 = _U(min(max(above, 0), height - 1))
        y1 = _U(min(max(above + 1, 0), height - 1))
        row = _U(y)
        from_0 = _U(begin + offset) * channels
        from_1 = from_0 + channels
        to = _U(begin) * channels
        for j in range(_U(max(end - begin, 0)) * channels):
            over = w00 * alpha[y0, from_0 + j] + w01 * alpha[y0, from_1 + j]
            over += w10 * alpha[y1, from_0 + j] + w11 * alpha[y1, from_1 + j]
            value = w00 * front[y0, from_0 + j] + w01 * front[y0, from_1 + j]
            value += w10 * front[y1, from_0 + j] + w11 * front[y1, from_1 + j]
            value += (_F(1) - over) * _F(behind[row, to + j]) + _F(0.5)
            out[row, to + j] = np.uint8(min(max(value, _F(0)), _F(255)))
        for side in range(2):
            begin = max(spans[y, 0], 0 if side == 0 else right)
            end = min(spans[y, 1], left if side == 0 else width)
            for j in range(_U(begin) * channels, _U(max(end, begin)) * channels):
                above = y + steps[2, j]
                y0 = _U(min(max(above, 0), height - 1))
                y1 = _U(min(max(above + 1, 0), height - 1))
                from_0 = _U(steps[0, j])
                from_1 = _U(steps[1, j])
                over = alpha[y0, from_0] + parts[0, j] * (alpha[y0, from_1] - alpha[y0, from_0])
                under = alpha[y1, from_0] + parts[0, j] * (alpha[y1, from_1] - alpha[y1, from_0])
                over += parts[1, j] * (under - over)
                value = front[y0, from_0] + parts[0, j] * (front[y0, from_1] - front[y0, from_0])
                under = front[y1, from_0] + parts[0, j] * (front[y1, from_1] - front[y1, from_0])
                value += parts[1, j] * (under - value)
                value += (_F(1) - over) * _F(behind[row, j]) + _F(0.5)
                out[row, j] = np.uint8(min(max(value, _F(0)), _F(255)))
