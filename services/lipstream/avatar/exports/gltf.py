"""A head as a glTF scene: mesh, morph targets by ARKit's names, two joints, and its motion."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from lipstream.avatar.exports.glb import Buffer, Target, pack_glb
from lipstream.avatar.exports.head_mesh import HeadMesh
from lipstream.face.arkit import BLENDSHAPE_COUNT, BLENDSHAPES
from lipstream.face.motion import Floats, Motion
from lipstream.render.geometry import rotation_matrix

__all__ = ["pack_gltf"]

_UNLIT = "KHR_materials_unlit"
_FLIP = np.diag([1.0, -1.0, -1.0])
_MESH_NODE, _TORSO_NODE, _HEAD_NODE = 0, 1, 2


def pack_gltf(
    mesh: HeadMesh, motion: Motion | None, weights: Floats | None, facts: Mapping[str, str]
) -> bytes:
    """The scene as GLB.

    Args:
        motion: head rotation and translation of the animation; None for a head at rest.
        weights: `# [T, 52]` of the morph targets, with the motion.
        facts: extras of the asset.
    """
    buffer = Buffer()
    scene = {
        "asset": {"version": "2.0", "generator": facts["generator"], "extras": dict(facts)},
        "extensionsUsed": [_UNLIT],
        "scene": 0,
        "scenes": [{"nodes": [_MESH_NODE, _TORSO_NODE]}],
        "nodes": [
            {"name": "face", "mesh": 0, "skin": 0},
            {"name": "torso", "children": [_HEAD_NODE]},
            {"name": "head", "translation": mesh.pivot.tolist()},
        ],
        "skins": [
            {"joints": [_TORSO_NODE, _HEAD_NODE], "inverseBindMatrices": _bind(mesh, buffer)}
        ],
        "meshes": [_mesh(mesh, buffer)],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
                # The light is that of the photo.
                "extensions": {_UNLIT: {}},
                "alphaMode": "MASK",
                "doubleSided": True,
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": buffer.view(_png(mesh)), "mimeType": "image/png"}],
    }
    if motion is not None and weights is not None:
        scene["animations"] = [_animation(mesh, motion, weights, buffer)]
    return pack_glb(scene, buffer)


def _mesh(mesh: HeadMesh, buffer: Buffer) -> dict[str, Any]:
    count = len(mesh.positions)
    joints = np.tile(np.array([0, 1, 0, 0], np.uint8), (count, 1))
    turning = np.zeros((count, 4), np.float32)
    turning[:, 1] = np.clip(mesh.head_weights, 0, 1)
    turning[:, 0] = 1 - turning[:, 1]
    # A joint of no weight is to be written as 0.
    joints[turning[:, 1] == 0] = 0

    def attribute(values: NDArray[Any], *, bounds: bool = False) -> int:
        return buffer.accessor(values, target=Target.VERTICES, bounds=bounds)

    return {
        "name": "face",
        "primitives": [
            {
                "attributes": {
                    "POSITION": attribute(mesh.positions, bounds=True),
                    "TEXCOORD_0": attribute(mesh.texture_coordinates),
                    "JOINTS_0": attribute(joints),
                    "WEIGHTS_0": attribute(turning),
                },
                "indices": buffer.accessor(mesh.triangles.reshape(-1), target=Target.INDICES),
                "material": 0,
                "targets": [{"POSITION": attribute(field, bounds=True)} for field in mesh.targets],
            }
        ],
        "weights": [0.0] * BLENDSHAPE_COUNT,
        "extras": {"targetNames": list(BLENDSHAPES)},
    }


def _bind(mesh: HeadMesh, buffer: Buffer) -> int:
    matrices = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    matrices[1, 3, :3] = -mesh.pivot  # by columns
    return buffer.accessor(matrices)


def _animation(mesh: HeadMesh, motion: Motion, weights: Floats, buffer: Buffer) -> dict[str, Any]:
    times = buffer.accessor((np.arange(len(motion)) / motion.fps).astype(np.float32), bounds=True)
    turns = np.stack([_FLIP @ rotation_matrix(turn) @ _FLIP for turn in motion.rotation])
    tracks = (
        (_MESH_NODE, "weights", weights.reshape(-1)),
        (_HEAD_NODE, "rotation", Rotation.from_matrix(turns).as_quat().astype(np.float32)),
        (_HEAD_NODE, "translation", mesh.pivot + motion.translation * np.float32(1e-3)),
    )
    return {
        "name": "motion",
        "samplers": [
            {"input": times, "output": buffer.accessor(values), "interpolation": "LINEAR"}
            for _, _, values in tracks
        ],
        "channels": [
            {"sampler": k, "target": {"node": node, "path": path}}
            for k, (node, path, _) in enumerate(tracks)
        ],
    }


def _png(mesh: HeadMesh) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(mesh.texture, "RGBA").save(stream, "PNG")
    return stream.getvalue()
