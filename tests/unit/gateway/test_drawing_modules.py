"""The studio's own rig, run by Node, against the server's: same weights, vertices and order."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipstream.avatar.exports.splats import pack_splats
from lipstream.face import drive
from lipstream.face.face_controls import Framing
from lipstream.face.model import AvatarModel, ColorShapes, SparseShapes
from lipstream.face.motion import Floats
from lipstream.face.shape_names import COLOR_SHAPE_NAMES, SHAPE_NAMES
from lipstream.gateway import studio_page
from lipstream.render import Pose, reference
from lipstream.render.framing import framed
from tests.unit.avatar.splats_file import SplatsFile
from tests.unit.render.synthetic import synthetic_avatar

_SCRIPT = """
import { readFileSync } from "node:fs";
import { DepthOrder } from "./depth-order.js";
import { FaceDrive } from "./face-drive.js";
import { Rig } from "./rig.js";
import { readBundle } from "./splat-bundle.js";

const bytes = readFileSync("avatar.splats");
const { buffer, byteOffset, length } = bytes;
const bundle = await readBundle(buffer.slice(byteOffset, byteOffset + length));
const { frames, framing } = JSON.parse(readFileSync("frames.json"));
const [drive, rig, order] = [new FaceDrive(bundle), new Rig(bundle), new DepthOrder(bundle)];
rig.frame(framing);
const told = frames.map((numbers) => {
  const frame = new Float32Array(numbers);
  const shapes = [...drive.shapes(frame)];
  rig.deform(shapes);
  rig.pose(frame);
  order.update(rig.camera);
  const camera = [...rig.camera].filter((_, i) => i % 4 < 3);
  const seen = [...order.splats.subarray(0, order.count)];
  return { shapes, colors: [...drive.colors(rig.head)], camera, order: seen };
});
let refused = "";
await readBundle(new ArrayBuffer(100)).catch((error) => { refused = error.message; });
console.log(JSON.stringify({ told, refused }));
"""


def _face(seed: int = 3) -> AvatarModel:
    """A synthetic head with the names of a real one, and with shapes that move at random."""
    rng, model = np.random.default_rng(seed), synthetic_avatar(splats=1500, plate_px=64)
    vertices, per_vertex = len(model.surface.vertices), 6
    ids = rng.integers(0, len(SHAPE_NAMES), (vertices, per_vertex), np.int32)
    shapes = SparseShapes(
        SHAPE_NAMES,
        np.arange(0, vertices * per_vertex + 1, per_vertex, dtype=np.int32),
        np.sort(ids, axis=1).ravel(),
        rng.normal(0, 3, (vertices * per_vertex, 3)).astype(np.float32),
    )
    count = len(COLOR_SHAPE_NAMES)
    tints = ColorShapes(
        COLOR_SHAPE_NAMES,
        np.arange(count + 1, dtype=np.int32),
        np.arange(count, dtype=np.int32),
        rng.normal(0, 0.2, (count, 3)).astype(np.float32),
    )
    surface = replace(model.surface, shapes=shapes)
    return replace(model, surface=surface, color_shapes=tints, cull_cosine=-0.2)


def _frames(count: int = 6, seed: int = 4) -> Floats:  # [count, 62]
    rng = np.random.default_rng(seed)
    blendshapes = rng.uniform(-0.2, 1.5, (count, 52)) * (rng.random((count, 52)) < 0.4)
    pose = rng.normal(0, (0.15, 0.2, 0.1, 5, 5, 5), (count, 6))
    frames = np.concatenate([blendshapes, pose, rng.normal(0, 0.3, (count, 4))], axis=1)
    return np.asarray(frames, np.float32)


def test_the_rig_in_the_browser_is_the_servers(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js")
    studio = Path(studio_page.__file__).with_name("studio")
    for module in ("depth-order", "face-drive", "rig", "splat-bundle"):
        shutil.copy(studio / f"{module}.js", tmp_path)
    data = pack_splats(_face(), {})
    frames, framing = _frames(), Framing(1.5, 0.1)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "script.js").write_text(_SCRIPT)
    (tmp_path / "avatar.splats").write_bytes(data)
    wish = {"frames": frames.tolist(), "framing": {"zoom": framing.zoom, "offset": framing.offset}}
    (tmp_path / "frames.json").write_text(json.dumps(wish))
    done = subprocess.run(
        [node, "script.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "no avatar" in answer["refused"]

    model = framed(SplatsFile(data).model(), framing)
    for frame, told in zip(frames, answer["told"], strict=True):
        weights = drive.shape_weights(model, frame[:52], frame[58:])
        assert told["shapes"] == pytest.approx(weights.tolist(), abs=1e-6)
        pose = Pose(weights, frame[52:55], frame[55:58])
        still = reference.camera_vertices(model, Pose(weights))
        camera = model.surface.head_to_camera.astype(np.float64)
        head = (still - camera[:, 3]) @ np.linalg.inv(camera[:, :3]).T
        tints = drive.color_weights(model, weights, head.astype(np.float32))
        assert told["colors"] == pytest.approx(tints.tolist(), abs=1e-4)
        vertices = reference.camera_vertices(model, pose)
        assert np.abs(np.reshape(told["camera"], (-1, 3)) - vertices).max() < 2e-3
        seen = reference.project(model, replace(pose, color_weights=tints), 256)
        order = np.array(told["order"])
        assert len(set(told["order"])) == len(order)
        assert set(np.flatnonzero(seen.opacities > 1e-3)) <= set(told["order"])
        assert (seen.opacities[order] > 0).mean() > 0.99
        assert np.diff(seen.depths[order]).min() > -0.02  # as 16 bits tell depths apart
