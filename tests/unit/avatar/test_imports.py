from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lipstream.avatar.exports import ExportFormat, export_avatar
from lipstream.avatar.imports import import_gaussian_avatar
from lipstream.errors import BadInput, NotFound, TooLarge
from lipstream.face.arkit import INDEX
from lipstream.face.bundle import Manifest, load
from lipstream.face.bundle.archive import MEMBER_LIMITS
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import Layout, Pose, View, open_renderer, reference
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.geometry import Doubles
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from tests.unit.avatar.flame_like import FlameLike, write_gaussians

FLAME = FlameLike.make()
FACES = len(FLAME.arrays["f"])
CONSENT = "Nobody: it is an ellipsoid."


class Import:
    """A folder as GaussianAvatars leaves it, and where it is imported to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identity = np.random.default_rng(1).normal(size=20)
        self.offset = 1e-3 * np.random.default_rng(2).normal(size=FLAME.arrays["v_template"].shape)
        np.savez(
            folder / "flame_param.npz",
            shape=np.pad(self.identity, (0, 280)),
            static_offset=self.offset[None],
            jaw_pose=np.zeros((5, 3)),
        )
        self.table = write_gaussians(folder / "point_cloud.ply", FACES)
        self.flame = FLAME.save(folder / "flame.npz")
        self.library = AvatarLibrary(open_store(str(folder / "objects")))

    def run(self, **options: Path) -> Manifest:
        flame = options.pop("flame", self.flame)
        return import_gaussian_avatar(
            self.library, "oval", self.folder, flame, CONSENT, license="CC0", **options
        )

    @property
    def bundle(self) -> Path:
        path = self.folder / "oval.zip"
        self.library.fetch("oval", path)
        return path

    @property
    def model(self) -> AvatarModel:
        return load(self.bundle).model

    @property
    def head(self) -> Doubles:
        """Vertices of the person at rest, in FLAME's frame."""
        arrays = FLAME.arrays
        head: Doubles = arrays["v_template"] + arrays["shapedirs"][..., :20] @ self.identity
        return head + self.offset


@pytest.fixture
def taken(tmp_path: Path) -> Import:
    return Import(tmp_path)


def centres_and_spreads(vertices: Doubles, table: Doubles) -> tuple[Doubles, Doubles]:
    """The Gaussians as their paper puts them: centres [N, 3] and covariances [N, 3, 3], metres."""
    a, b, c = (vertices[FLAME.arrays["f"][table[:, 18].astype(int), k]] for k in range(3))
    first = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    turn = np.stack([first, normal, np.cross(first, normal)], axis=-1)
    height = 2 * np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 / np.linalg.norm(b - a, axis=1)
    unit = (np.linalg.norm(b - a, axis=1) + height) / 2
    centres = (a + b + c) / 3 + unit[:, None] * np.einsum("nij,nj->ni", turn, table[:, 0:3])
    own = Rotation.from_quat(table[:, 14:18], scalar_first=True).as_matrix()
    axes = unit[:, None, None] * (turn @ own) * np.exp(table[:, None, 11:14])
    return centres, axes @ axes.transpose(0, 2, 1)


def ours(model: AvatarModel, weights: dict[str, float]) -> tuple[Doubles, Doubles]:
    """The same of an imported model, in FLAME's axes, less where its origin is."""
    pose = Pose(np.zeros(52, np.float32))
    for name, weight in weights.items():
        pose.shape_weights[INDEX[name]] = weight
    placed = reference.place(model, reference.camera_vertices(model, pose))
    flip = np.array([1e-3, -1e-3, -1e-3])
    points = (placed.points - model.surface.head_to_camera[:, 3]) * flip
    axes = placed.axes * flip[:, None]
    return points, axes @ axes.transpose(0, 2, 1)


def test_gaussians_are_at_rest_where_their_faces_put_them(taken: Import) -> None:
    manifest = taken.run()
    assert (manifest.source.kind, manifest.license) == ("gaussian_avatar", "CC0")
    assert manifest.consent is not None
    assert manifest.consent.statement == CONSENT
    assert [note.reason for note in manifest.warnings] == ["approximate_rig", "no_expressions"]
    wanted, spreads = centres_and_spreads(taken.head, taken.table)
    middle = (FLAME.arrays["J_regressor"] @ taken.head)[3:].mean(0)
    points, covariances = ours(taken.model, {})
    np.testing.assert_allclose(points, wanted - middle, atol=2e-6)
    np.testing.assert_allclose(covariances, spreads, atol=1e-8)


def test_the_jaw_turns_as_flame_turns_it(taken: Import) -> None:
    taken.run()
    arrays, head = FLAME.arrays, taken.head
    joints = arrays["J_regressor"] @ head
    turn = Rotation.from_rotvec([np.deg2rad(20), 0, 0]).as_matrix()
    bent = head + arrays["posedirs"][..., 9:18] @ (turn - np.eye(3)).ravel()
    about = (bent - joints[2]) @ turn.T + joints[2]
    opened = bent + arrays["weights"][:, 2:3] * (about - bent)
    wanted, _ = centres_and_spreads(opened, taken.table)
    points, _ = ours(taken.model, {"jawOpen": 1})
    # What moves less than 0.05 mm is not stored.
    np.testing.assert_allclose(points, wanted - joints[3:].mean(0), atol=1e-4)
    moved = points - ours(taken.model, {})[0]
    assert moved[:, 1].min() < -0.01, "the chin goes down"
    looking = ours(taken.model, {"eyeLookOutLeft": 1})[0] - ours(taken.model, {})[0]
    most = np.abs(looking).max(1).argmax()
    assert points[most, 0] > 0
    assert looking[most, 0] > 0, "the left eye turns to the person's left"


def test_expressions_follow_the_users_table(taken: Import, tmp_path: Path) -> None:
    table = tmp_path / "map.csv"
    table.write_text("arkit,expression,weight\nmouthPucker,3,1.5\nmouthPucker,4,-0.5\n")
    assert [note.reason for note in taken.run(expressions=table).warnings] == ["approximate_rig"]
    fields = FLAME.arrays["shapedirs"][..., 300:]
    wanted, _ = centres_and_spreads(
        taken.head + 1.5 * fields[..., 3] - 0.5 * fields[..., 4], taken.table
    )
    points, _ = ours(taken.model, {"mouthPucker": 1})
    middle = (FLAME.arrays["J_regressor"] @ taken.head)[3:].mean(0)
    np.testing.assert_allclose(points, wanted - middle, atol=1e-4)
    for row in ("smirk,1,1", "jawOpen,x,1", "jawOpen,1,nan", "jawOpen,99,1"):
        table.write_text(row)
        with pytest.raises(BadInput):
            taken.run(expressions=table)


def test_an_imported_avatar_is_drawn_and_driven(taken: Import) -> None:
    taken.run()
    renderer = open_renderer(AvatarShelf(taken.library).model("oval"), View(256))
    motion = Motion.rest(2)
    motion.blendshapes[1, INDEX["jawOpen"]] = 1
    poses = [renderer.pose(motion, k) for k in range(2)]
    still, opened = (renderer.picture(pose, Layout.RGB).copy() for pose in poses)
    covered = np.abs(still.astype(int) - 96).max(2) > 8
    assert 0.1 < covered.mean() < 0.6
    assert not covered[:8].any()
    changed = np.abs(still.astype(int) - opened).max(2) > 8
    assert changed[128:].sum() > 4 * changed[:128].sum() > 0
    assert export_avatar(taken.bundle, ExportFormat.PLY).startswith(b"ply\n")
    with pytest.raises(BadInput, match=r"\.ply"):
        export_avatar(taken.bundle, ExportFormat.GLB)


def test_gaussians_of_faces_that_are_not_there_are_told(taken: Import) -> None:
    write_gaussians(taken.folder / "point_cloud.ply", FACES + 100)
    warning = taken.run().warnings[-1]
    assert warning.reason == "faces_outside"
    assert "teeth" in warning.message


def test_files_that_are_something_else_are_refused(taken: Import, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "ran"),))  # type: ignore[return-value]

    bomb = tmp_path / "flame2023.pkl"
    bomb.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(BadInput, match=r"numpy\.savez") as caught:
        taken.run(flame=bomb)
    assert caught.value.code == "unsafe_pickle"
    inside = FLAME.save(tmp_path / "objects.npz", weights=np.array([Bomb()], dtype=object))
    short = FLAME.save(tmp_path / "short.npz", weights=FLAME.arrays["weights"][:-1])
    for flame in (inside, short, taken.folder / "flame_param.npz"):
        with pytest.raises(BadInput):
            taken.run(flame=flame)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(NotFound):
        taken.run(flame=tmp_path / "none.npz")
    cloud = taken.folder / "point_cloud.ply"
    whole = cloud.read_bytes()
    for damaged in (
        whole[:-4],
        whole.replace(b"binding_0", b"bindung_0"),
        whole.replace(b"binary_little_endian", b"ascii"),
        whole.replace(b"float x", b"list x"),
        b"",
    ):
        cloud.write_bytes(damaged)
        with pytest.raises(BadInput):
            taken.run()
    cloud.unlink()
    with pytest.raises(NotFound):
        taken.run()


def test_an_avatar_that_no_bundle_can_hold_is_refused(
    taken: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEMBER_LIMITS, "model.npz", 100_000)
    with pytest.raises(TooLarge, match="3000 Gaussians"):
        taken.run()
    with pytest.raises(NotFound):
        taken.library.entry("oval")
