"""The plate at the size of the picture, ready for every output: resized once, not every frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render.color import mix, rgb_to_yuv420p
from lipstream.render.splats import Bytes
from lipstream.render.view import View
from lipstream.wire.output import PictureSize

__all__ = ["Cutout", "Plate", "blurred", "resize"]

_LOBES = 3
_OPAQUE = 250
"""Alpha over which a pixel's colour is the person's alone."""
_SPREAD = 0.01
"""Of the side: how far the person's colours reach for those of pixels at its edge."""
_BEYOND = 0.03
"""Of the side: over this way, what lies beyond the canvas goes out of focus."""


@dataclass(frozen=True, slots=True)
class Plate:
    """Background and torso, behind the splats; or the torso alone, with alpha."""

    rgb: Bytes  # [H, W, 3]
    y: Bytes  # [H, W]
    u: Bytes  # [H / 2, W / 2]
    v: Bytes  # [H / 2, W / 2]
    alpha: Bytes  # [H, W]

    @classmethod
    def of(cls, rgb: Bytes, alpha: Bytes | None = None) -> Plate:
        """
        Args:
            alpha: of the colours, which are straight; opaque by default.
        """
        if alpha is None:
            alpha = np.full(rgb.shape[:2], 255, np.uint8)
        return cls(rgb, *rgb_to_yuv420p(rgb), alpha)

    def copy(self) -> Plate:
        return Plate(*(part.copy() for part in (self.rgb, self.y, self.u, self.v, self.alpha)))


class Cutout:
    """The avatar's plate in a view, and the person in it apart from the background.

    Beyond the canvas its outermost rows and columns go on, soon out of focus.
    """

    def __init__(self, model: AvatarModel, view: View) -> None:
        self._model = model
        self._view = view

    @property
    def size(self) -> PictureSize:
        return self._view.size

    @cached_property
    def photo(self) -> Bytes:
        """[H, W, 3] the plate as it is."""
        return _placed(resize(self._model.plate, self._view.canvas_px), self._view)

    @cached_property
    def alpha(self) -> Bytes:
        """[H, W] how much of each pixel is the person.

        Raises:
            BadInput: the avatar does not know.
        """
        torso = self._model.torso
        if torso is None:
            raise BadInput(
                "This avatar was made without knowing its person from its background.",
                remedy="Create it again from its photo, or keep the background.",
                code="no_matte",
            )
        alpha = resize(torso[..., None], self._view.canvas_px)
        return np.ascontiguousarray(_placed(alpha, self._view)[..., 0])

    @cached_property
    def person(self) -> Bytes:
        """[H, W, 3] the person's colours, spread past its edge: nothing of the background."""
        inside = self.alpha > _OPAQUE
        weight = np.where(inside, 255, 0).astype(np.uint8)
        near = _averaged(self.photo, weight, _SPREAD * self._view.canvas_px)
        return np.where(inside[..., None], self.photo, near)

    @cached_property
    def background(self) -> Bytes:
        """[H, W, 3] what is behind the person, as far as it can be seen beside it."""
        near = self.defocused(_SPREAD * self._view.canvas_px)
        return np.where(self.alpha[..., None] > 0, near, self.photo)

    def defocused(self, radius_px: float) -> Bytes:
        """[H, W, 3] the background out of focus, without what the person would bleed into it."""
        return _averaged(self.photo, np.bitwise_not(self.alpha), radius_px)

    def over(self, background: Bytes) -> Plate:  # [H, W, 3]
        """The person in front of another background."""
        mixed = np.empty_like(self.person)
        mix(self.person, self.alpha, np.ascontiguousarray(background), mixed)
        return Plate.of(mixed)

    def alone(self) -> Plate:
        """The person, with alpha."""
        return Plate.of(self.person, self.alpha)


def resize(picture: Bytes, size_px: int) -> Bytes:  # [P, P, C] -> [S, S, C]
    """Lanczos resampling of a square picture, widened when shrinking so that nothing aliases."""
    if picture.shape[0] == size_px:
        return np.array(picture, np.uint8, order="C")
    weights = _lanczos(picture.shape[0], size_px)
    columns = np.einsum("sp,pqc->sqc", weights, picture.astype(np.float32), optimize=True)
    rows = np.einsum("sq,pqc->psc", weights, columns, optimize=True)
    return np.ascontiguousarray(np.clip(np.rint(rows), 0, 255).astype(np.uint8))


def blurred(picture: Bytes, radius_px: float) -> Bytes:  # [H, W, C] or [H, W]
    """Gaussian blur of 8-bit channels, each by itself."""
    from PIL import Image, ImageFilter

    channels = picture[..., None] if picture.ndim == 2 else picture
    soft = [
        np.asarray(Image.fromarray(channel).filter(ImageFilter.GaussianBlur(radius_px)))
        for channel in np.moveaxis(np.ascontiguousarray(channels), -1, 0)
    ]
    together: Bytes = np.stack(soft, axis=-1).reshape(picture.shape)
    return together


def _averaged(picture: Bytes, weight: Bytes, radius_px: float) -> Bytes:
    """Around every pixel the mean of those with weight 0..255; of all where none is near."""
    share = weight[..., None].astype(np.float32) / np.float32(255)
    kept = picture * share
    far = kept.sum(axis=(0, 1)) / max(float(share.sum()), 1.0)
    total = blurred(weight, radius_px)[..., None].astype(np.float32) / 255
    sums = blurred(np.rint(kept).astype(np.uint8), radius_px).astype(np.float32)
    known = np.clip((total - 0.02) / 0.1, 0, 1)
    mean = np.clip(sums / np.maximum(total, 1e-3), 0, 255)
    mixed = mean * known + far * (1 - known)
    return np.ascontiguousarray(np.rint(mixed).astype(np.uint8))


def _placed(canvas: Bytes, view: View) -> Bytes:  # [S, S, C] -> [H, W, C]
    """The part of the canvas that the view shows, continued where it ends."""
    if view.size.width_px == view.canvas_px and view.size.height_px == view.canvas_px:
        return canvas
    x = np.arange(view.size.width_px) - view.left_px
    y = np.arange(view.size.height_px) - view.top_px
    inside_x, inside_y = (np.clip(at, 0, view.canvas_px - 1) for at in (x, y))
    picture = np.ascontiguousarray(canvas[inside_y[:, None], inside_x])
    beyond = np.maximum(np.abs(x - inside_x)[None, :], np.abs(y - inside_y)[:, None])
    if beyond.any():
        reach = _BEYOND * view.canvas_px
        soft = blurred(picture, reach).astype(np.float32)
        share = np.clip(beyond / reach, 0, 1).astype(np.float32)[..., None]
        picture = np.rint(picture + share * (soft - picture)).astype(np.uint8)
    return picture


def _lanczos(source_px: int, target_px: int) -> Floats:  # [target, source], rows sum to 1
    step = source_px / target_px
    reach = max(step, 1.0)
    centres = (np.arange(target_px) + 0.5) * step - 0.5
    distance = (np.arange(source_px)[None] - centres[:, None]) / reach
    weights = np.sinc(distance) * np.sinc(distance / _LOBES) * (np.abs(distance) < _LOBES)
    normalised: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
