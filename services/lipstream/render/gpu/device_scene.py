"""An avatar's arrays on a device, uploaded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lipstream.render.scene import Scene

__all__ = ["DeviceScene"]


@dataclass(frozen=True, slots=True)
class DeviceScene:
    """What `Scene` holds, as far as the device needs it."""

    scene: Scene
    head_weights: Tensor  # [V, 1]
    triangles: Tensor  # [F, 3]
    triangle_ids: Tensor  # [N]
    barycentric: Tensor  # [N, 3]
    axes: Tensor  # [N, 2, 2]
    opacities: Tensor  # [N]
    depth_bias: Tensor  # [N] mm
    colors: Tensor  # [N, 3] sRGB
    tints: Tensor  # [J, 3 N] sparse, sRGB at weight 1
    torso: Tensor  # [4, H, W] of the plate, the person's part and its alpha, 0..1
    behind: Tensor  # [3, H, W] sRGB 0..1; plate = torso + (1 - alpha) * behind
    shares: Tensor  # [W] how far each column of the torso goes along with the head

    @classmethod
    def of(cls, scene: Scene, device: torch.device) -> DeviceScene:
        """Upload a scene; about 20 MB with 50,000 Gaussians."""

        def there(array: np.ndarray) -> Tensor:  # type: ignore[type-arg]
            return torch.as_tensor(array, device=device)

        gaussians = scene.model.gaussians
        count = len(gaussians.colors)
        shapes = np.repeat(np.arange(len(scene.tint_offsets) - 1), np.diff(scene.tint_offsets))
        places = 3 * scene.model.color_shapes.ids[:, None].astype(np.int64) + np.arange(3)
        entries = np.stack([np.repeat(shapes, 3), places.ravel()])
        tints = torch.sparse_coo_tensor(
            there(entries),
            there(scene.tint_vectors.ravel()),
            (len(scene.tint_offsets) - 1, 3 * count),
            check_invariants=True,
        )
        if scene.torso is None:  # all of the plate is as good as the background
            front, behind = np.zeros(scene.plate.rgb.shape, np.float32), scene.plate.rgb
            alpha, shares = (np.zeros(shape, np.float32) for shape in (front.shape, front.shape[1]))
        else:
            layer = scene.torso.colors
            front, behind, alpha, shares = (
                layer.front,
                layer.behind,
                layer.alpha,
                scene.torso.shares,
            )
        return cls(
            scene=scene,
            head_weights=there(scene.head_weights[:, None]),
            triangles=there(scene.triangles.astype(np.int64)),
            triangle_ids=there(gaussians.triangle_ids.astype(np.int64)),
            barycentric=there(np.array(gaussians.barycentric, np.float32)),
            axes=there(np.array(gaussians.axes, np.float32)),
            opacities=there(np.array(gaussians.opacities, np.float32)),
            depth_bias=there(np.array(gaussians.depth_bias, np.float32)),
            colors=there(np.array(gaussians.colors, np.float32)),
            tints=tints.coalesce(),
            torso=torch.cat([there(front / 255), there(alpha)[..., :1]], 2).permute(2, 0, 1),
            behind=there(behind).permute(2, 0, 1).float() / 255,
            shares=there(shares),
        )

    def __len__(self) -> int:
        """Number of Gaussians."""
        return len(self.opacities)
