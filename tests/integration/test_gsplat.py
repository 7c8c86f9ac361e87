"""Real avatars on a real GPU; skipped, with its reason, where there is none."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from lipstream.avatar.fit import fit_photo, psnr_db
from lipstream.avatar.photo import load_photo
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Motion
from lipstream.render import SplatRenderer
from tests.portrait import hopper_photo

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.skipif(importlib.util.find_spec("gsplat") is None, reason="no gsplat (extra gpu)"),
]

_LEAST_DB = 45.0
_SIZE_PX = 512


def test_a_real_avatar_looks_the_same_on_both() -> None:
    from lipstream.render.gpu import BatchRenderer

    renderer = SplatRenderer(fit_photo(load_photo(hopper_photo().read_bytes())).model, _SIZE_PX)
    motion = Motion.rest(4)
    for frame, name in enumerate(("jawOpen", "mouthPucker", "eyeBlinkLeft", "mouthSmileLeft")):
        motion.blendshapes[frame, INDEX[name]] = 0.8
        motion.rotation[frame] = 0.05 * frame, 0.1 - 0.05 * frame, 0.02
    poses = [renderer.pose(motion, frame) for frame in range(len(motion))]
    batch = BatchRenderer()
    scene = batch.upload(renderer.scene)
    drawn = batch.rgb([(scene, pose) for pose in poses]).clamp(0, 1).mul(255).round()
    for picture, pose in zip(drawn.permute(0, 2, 3, 1).cpu().numpy(), poses, strict=True):
        assert psnr_db(picture.astype(np.uint8), renderer.rgb(pose)) >= _LEAST_DB
