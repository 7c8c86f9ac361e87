"""After warming up, no frame waits for a compiler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lipstream.render import ColorMap, SplatRenderer, color, geometry, splats, warm_up
from lipstream.render.kernels import Kernel
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

KERNELS: dict[str, Any] = {
    **{name: getattr(splats, name) for name in splats.__all__},
    "deform": geometry.deform,
    "pose_vertices": geometry.pose_vertices,
    "mix": color.mix,
    "split": color._split,
}


def _compiled() -> dict[str, int]:
    return {n: k.loaded for n, k in KERNELS.items() if isinstance(k, Kernel)}


def test_every_kernel_is_compiled_once_and_for_all() -> None:
    warm_up(fitting=True)
    before = _compiled()  # other tests of this process may have called them with other types
    assert all(before.values())
    model = synthetic_avatar(splats=200)
    strange = replace(
        model,
        surface=replace(model.surface, vertices=np.asfortranarray(model.surface.vertices)),
        gaussians=replace(model.gaussians, colors=model.gaussians.colors.astype(np.float64)),
    )
    renderer = SplatRenderer(strange, 130, driver=SyntheticDriver())
    pose = renderer.pose(synthetic_motion(3), 1)
    renderer.yuv420p(pose)
    renderer.rgb(replace(pose, rotation=np.array([0.1, 0, 0], np.float64)))
    renderer.scene.cutout.over(renderer.scene.plate.rgb[::-1])
    renderer.rgba(pose)
    renderer.yuva420p(pose)
    renderer.yuva420p(pose, straight=False)
    renderer.premultiplied(replace(pose, color_weights=np.array([1.0, 0.5])))
    linear = ColorMap(strange, pose, 130, driver=SyntheticDriver())
    linear.gather(linear.render(model.gaussians.colors))
    compiled = _compiled()
    assert len(compiled) == 16
    assert compiled == before
