"""Motion at another frame rate.

A video of another rate than the motion's is made by moving the face between its frames, never by
mixing pictures. Output frame k shows the motion at k / fps seconds; after the last frame it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.render.geometry import Doubles

__all__ = ["retime"]


def retime(chunks: Iterable[Motion], fps: float) -> Iterator[Motion]:
    """Resample consecutive pieces of one motion, as they come; any division gives the same.

    Blendshapes, translation and gaze go linearly, head rotations along the shortest turn.

    Raises:
        BadInput: the pieces disagree about their rate.
    """
    held: Motion | None = None  # the last frames whose successors are still to come
    held_from = 0  # index of the first of them
    produced = 0
    for chunk in chunks:
        if not len(chunk):
            continue
        if held is not None and chunk.fps != held.fps:
            raise BadInput(f"Motion of {chunk.fps:g} fps follows motion of {held.fps:g} fps.")
        known = chunk if held is None else Motion.concatenate([held, chunk])
        if known.fps == fps:
            yield chunk
            held = known[-1:]
            continue
        last = held_from + len(known) - 1
        # The frames between two known ones: position k * rate / fps < last.
        count = max(0, int(np.ceil(last * fps / known.fps - 1e-9)) - produced)
        if count:
            yield _sample(known, held_from, produced, count, fps)
            produced += count
        keep_from = min(last, int(produced * known.fps / fps + 1e-9))
        held, held_from = known[keep_from - held_from :], keep_from
    if held is None or held.fps == fps:
        return
    ends_at = (held_from + len(held)) * fps / held.fps
    count = max(0, int(np.ceil(ends_at - 1e-9)) - produced)
    if count:
        yield _sample(held, held_from, produced, count, fps)


def _sample(known: Motion, known_from: int, first: int, count: int, fps: float) -> Motion:
    position = (first + np.arange(count)) * (known.fps / fps) - known_from
    position = np.clip(position, 0, len(known) - 1)
    before = np.minimum(np.floor(position + 1e-9).astype(int), max(len(known) - 2, 0))
    after = np.minimum(before + 1, len(known) - 1)
    part = (position - before)[:, None]

    def between(values: Floats) -> Floats:
        mixed: Floats = (values[before] * (1 - part) + values[after] * part).astype(np.float32)
        return mixed

    turned = _slerp(_quaternions(known.rotation[before]), _quaternions(known.rotation[after]), part)
    return Motion(
        blendshapes=between(known.blendshapes),
        rotation=_angles(turned),
        translation=between(known.translation),
        gaze=between(known.gaze),
        fps=fps,
    )


def _quaternions(rotation: Floats) -> Doubles:
    """Pitch, yaw, roll [T, 3] to unit quaternions (w, x, y, z) [T, 4], as `rotation_matrix`."""
    pitch, yaw, roll = rotation.astype(np.float64).T / 2
    zero = np.zeros_like(pitch)
    about_x = np.stack([np.cos(pitch), -np.sin(pitch), zero, zero], axis=-1)
    about_y = np.stack([np.cos(yaw), zero, -np.sin(yaw), zero], axis=-1)
    about_z = np.stack([np.cos(roll), zero, zero, np.sin(roll)], axis=-1)
    return _product(_product(about_y, about_x), about_z)


def _product(p: Doubles, q: Doubles) -> Doubles:
    pw, px, py, pz = p.T
    qw, qx, qy, qz = q.T
    return np.stack(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ],
        axis=-1,
    )


def _slerp(p: Doubles, q: Doubles, part: Doubles) -> Doubles:  # [T, 4], [T, 4], [T, 1]
    cosine = (p * q).sum(axis=1, keepdims=True)
    q = np.where(cosine < 0, -q, q)
    angle = np.arccos(np.clip(np.abs(cosine), 0, 1))
    tiny = angle < 1e-6
    sine = np.where(tiny, 1.0, np.sin(angle))
    a = np.where(tiny, 1 - part, np.sin((1 - part) * angle) / sine)
    b = np.where(tiny, part, np.sin(part * angle) / sine)
    turned: Doubles = a * p + b * q
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    return turned


def _angles(quaternions: Doubles) -> Floats:  # [T, 4] -> [T, 3]
    w, x, y, z = quaternions.T
    pitch = np.arcsin(np.clip(2 * (y * z - w * x), -1, 1))
    yaw = np.arctan2(-2 * (x * z + w * y), 1 - 2 * (x * x + y * y))
    roll = np.arctan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z))
    angles: Floats = np.stack([pitch, yaw, roll], axis=-1).astype(np.float32)
    return angles
