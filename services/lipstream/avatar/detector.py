"""MediaPipe's face mesh and person segmentation, behind one small class.

mediapipe prints to stderr from C++, which is kept off it in here.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.face_solutions import face_solution
from lipstream.errors import Unavailable

__all__ = ["FaceDetector"]

_MAX_FACES = 5
_LEAST_CONFIDENCE = 0.3
_COPIES = ((1.0, False), (0.9, False), (0.8, False), (0.9, True), (0.8, True))
"""Scale of a picture's copy, and whether it is mirrored."""

_MUTED = threading.Lock()

Picture = NDArray[np.uint8]  # [H, W, 3] sRGB
Landmarks = NDArray[np.float64]  # [478, 3] pixels


class FaceDetector:
    """Finds faces, their landmarks, and the person in a picture. Close it, or use `with`.

    Raises:
        Unavailable: mediapipe is not installed.
    """

    def __init__(self) -> None:
        with _MUTED, _quiet():
            try:
                face_detection = face_solution("face_detection")
                face_mesh = face_solution("face_mesh")
                selfie_segmentation = face_solution("selfie_segmentation")
            except ImportError as error:
                raise Unavailable(
                    f"Avatars cannot be made here: {error}.",
                    remedy="Install it with: pip install --no-deps mediapipe==0.10.21",
                ) from error
            self._many = self._mesh(face_mesh, _MAX_FACES)
            self._one = self._mesh(face_mesh, 1)
            self._far = face_detection.FaceDetection(
                model_selection=1, min_detection_confidence=0.4
            )
            self._person = selfie_segmentation.SelfieSegmentation(model_selection=0)
            # Models print when they first see something; the mesh, when the picture is no square.
            drawn = _drawn_face()
            for model in (self._many, self._one, self._far, self._person):
                model.process(drawn)

    @staticmethod
    def _mesh(face_mesh: Any, faces: int) -> Any:
        return face_mesh.FaceMesh(
            static_image_mode=True,
            refine_landmarks=True,
            max_num_faces=faces,
            min_detection_confidence=_LEAST_CONFIDENCE,
        )

    def faces(self, picture: Picture) -> list[Landmarks]:
        """Landmarks of up to five faces, the largest first.

        The mesh sees faces down to about an eighth of the picture; smaller ones are looked for
        with a detector made for distant faces, in the picture and then in parts of it.
        """
        found = self._landmarks(self._many, picture)
        for window in _windows(picture):
            if not found:
                boxes = self._distant(picture, window)
                found = [face for box in boxes for face in self._within(picture, box)]
        return sorted(found, key=lambda face: -float(np.ptp(face[:, 1])))

    def landmarks(self, picture: Picture) -> Landmarks | None:
        """Landmarks of the one face that stands out most."""
        found = self._landmarks(self._one, picture)
        return found[0] if found else None

    def refined(self, picture: Picture, copies: int = 11) -> Landmarks | None:
        """Landmarks of one face as the median over the picture and slightly moved copies of it."""
        first = self.landmarks(picture)
        if first is None:
            return None
        rng = np.random.default_rng(0)
        height, width = picture.shape[:2]
        results = [first]
        for _ in range(copies):
            angle, scale = rng.uniform(-6, 6), rng.uniform(0.85, 1.1)
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
            warp = np.array(turn, np.float64)
            warp[:, 2] += rng.uniform(-0.024, 0.024, 2) * width
            moved = cv2.warpAffine(picture, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
            face = self.landmarks(np.asarray(moved, np.uint8))
            if face is not None:
                back = cv2.invertAffineTransform(warp)
                face[:, :2] = face[:, :2] @ back[:, :2].T + back[:, 2]
                face[:, 2] /= scale
                results.append(face)
        return np.asarray(np.median(results, axis=0))

    def person(self, picture: Picture) -> NDArray[np.float32]:  # [H, W] 0..1
        """How likely each pixel belongs to a person.

        The network is unsure of hats and hair near the picture's edge, and decides by a hair;
        smaller and mirrored copies, which show more around the head, settle it: their median.
        """
        height, width = picture.shape[:2]
        masks = []
        for scale, mirrored in _COPIES:
            warp = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, scale)
            if mirrored:
                warp = np.diag([-1.0, 1.0]) @ warp + [[0, 0, width - 1], [0, 0, 0]]
            copy = cv2.warpAffine(picture, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
            mask = self._person.process(copy).segmentation_mask
            back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            masks.append(cv2.warpAffine(mask, warp, (width, height), flags=back))
        return np.asarray(np.median(masks, axis=0), np.float32)

    def _landmarks(self, mesh: Any, picture: Picture) -> list[Landmarks]:
        result = mesh.process(np.ascontiguousarray(picture))
        height, width = picture.shape[:2]
        return [
            np.array([(p.x * width, p.y * height, p.z * width) for p in face.landmark])
            for face in result.multi_face_landmarks or ()
        ]

    def _distant(self, picture: Picture, window: tuple[slice, slice]) -> list[tuple[int, int, int]]:
        """(left, top, side) of squares around distant faces in a part of the picture."""
        part = picture[window]
        result = self._far.process(np.ascontiguousarray(part))
        height, width = part.shape[:2]
        boxes = []
        for detection in result.detections or ():
            box = detection.location_data.relative_bounding_box
            side = int(2.4 * max(box.width * width, box.height * height))
            left = int((box.xmin + box.width / 2) * width - side / 2)
            top = int((box.ymin + box.height / 2) * height - side / 2)
            boxes.append((window[1].start + left, window[0].start + top, side))
        return boxes

    def _within(self, picture: Picture, box: tuple[int, int, int]) -> list[Landmarks]:
        left, top, side = box
        height, width = picture.shape[:2]
        x, y = max(0, left), max(0, top)
        crop = picture[y : min(height, top + side), x : min(width, left + side)]
        if min(crop.shape[:2]) < 16:
            return []
        found = self._landmarks(self._one, crop)
        for face in found:
            face[:, :2] += (x, y)
        return found

    def close(self) -> None:
        for model in (self._many, self._one, self._far, self._person):
            model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _windows(picture: Picture) -> list[tuple[slice, slice]]:
    """The whole picture, then nine overlapping parts of half its size."""
    height, width = picture.shape[:2]
    parts = [
        (slice(y, y + height // 2), slice(x, x + width // 2))
        for y in (0, height // 4, height // 2)
        for x in (0, width // 4, width // 2)
    ]
    return [(slice(0, height), slice(0, width)), *parts]


def _drawn_face() -> Picture:
    """A face that a child would draw, on a picture that is no square: the mesh takes it for one."""
    picture = np.full((160, 128, 3), 200, np.uint8)
    cv2.ellipse(picture, (64, 80), (36, 50), 0, 0, 360, (225, 180, 150), -1)
    for x in (50, 78):
        cv2.ellipse(picture, (x, 70), (7, 4), 0, 0, 360, (250, 250, 250), -1)
        cv2.circle(picture, (x, 70), 3, (40, 30, 20), -1)
        cv2.line(picture, (x - 8, 61), (x + 8, 61), (70, 45, 30), 2)
    cv2.line(picture, (64, 74), (61, 90), (190, 140, 115), 2)
    cv2.ellipse(picture, (64, 106), (12, 4), 0, 0, 360, (180, 80, 80), -1)
    return picture


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C++ writes to stderr off the user's terminal; hold `_MUTED` around it."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    try:
        with open(os.devnull, "wb") as sink:
            os.dup2(sink.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
