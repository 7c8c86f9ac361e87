"""Gaussians as the .ply of the original 3D Gaussian Splatting, which splat viewers open.

Kerbl et al. 2023, "3D Gaussian Splatting for Real-Time Radiance Field Rendering", and the layout
that their code writes: colours as the constant spherical harmonic, opacities as logits, scales as
logarithms, quaternions w first. Ours look the same from everywhere, so there is no f_rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lipstream.avatar.exports.cloud import GaussianCloud

__all__ = ["PROPERTIES", "pack_ply"]

PROPERTIES: tuple[str, ...] = (
    *("x", "y", "z"),
    *("nx", "ny", "nz"),
    *("f_dc_0", "f_dc_1", "f_dc_2"),
    "opacity",
    *("scale_0", "scale_1", "scale_2"),
    *("rot_0", "rot_1", "rot_2", "rot_3"),
)
_HARMONIC_0 = 0.5 / math.sqrt(math.pi)
_MOST_OPACITY = 0.999
"""Where renderers of 3DGS cut opacities; 1 has no logit."""


def pack_ply(cloud: GaussianCloud, facts: Mapping[str, str]) -> bytes:
    """The file.

    Args:
        facts: written as comments.
    """
    opacities = np.clip(cloud.opacities, 0, _MOST_OPACITY)
    table = np.concatenate(
        [
            cloud.positions,
            np.zeros_like(cloud.positions),
            (cloud.colors - 0.5) / _HARMONIC_0,
            np.log(opacities / (1 - opacities))[:, None],
            np.log(cloud.scales),
            cloud.rotations,
        ],
        axis=1,
    )
    header = [
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment {name}: {_line(value)}" for name, value in facts.items()),
        "comment units: metres; x to the person's left, y down, z away from the viewer",
        f"element vertex {len(table)}",
        *(f"property float {name}" for name in PROPERTIES),
        "end_header\n",
    ]
    rows: bytes = table.astype("<f4").tobytes()
    return "\n".join(header).encode("ascii") + rows


def _line(text: str) -> str:
    """ASCII without line breaks, as a header needs it."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode()
