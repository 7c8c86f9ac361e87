"""The work of one frame up to blending: shapes, pose, projection, order, tiles.

A `Frame` owns the buffers and is used by one thread at a time. What blends its splats (the
renderer's outputs, the adjoint) reads them until the next `lay_out`.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render import geometry, splats
from lipstream.render.driver import Driver, color_weights_of, shape_weights_of
from lipstream.render.plate import Plate
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes
from lipstream.render.torso import ShiftPx

__all__ = ["Frame"]


class Frame:
    """Buffers for one frame of one scene; about 6 MB with 50,000 Gaussians."""

    __slots__ = (
        "_colors",
        "_depths",
        "_driver",
        "_ends",
        "_entries",
        "_keys",
        "_plates",
        "_sorting",
        "_touched",
        "camera_vertices",
        "count",
        "head_vertices",
        "masks",
        "members",
        "near",
        "scene",
        "sources",
        "splats",
        "starts",
    )

    def __init__(self, scene: Scene, driver: Driver) -> None:
        vertex_count, splat_count = len(scene.vertices), len(scene.colors)
        tiles = scene.view.tiles_across * scene.view.tiles_down
        self.scene = scene
        self.head_vertices = np.empty((vertex_count, 3), np.float32)
        # Vertices are read by four numbers: there is one more behind the last.
        room = np.zeros(3 * vertex_count + 1, np.float32)
        self.camera_vertices = room[:-1].reshape(vertex_count, 3)
        self.splats = np.empty((splat_count, splats.SPLAT_WIDTH), np.float32)
        self.sources = np.empty(splat_count, np.int32)
        self.starts = np.empty(tiles + 1, np.int32)
        self._make_room(3 * splat_count, 0)
        self.count = 0
        self._driver = driver
        self._plates: dict[bool, tuple[Plate, ShiftPx]] = {}
        self._colors: dict[bool, Floats] = {}
        self._depths = np.empty(splat_count, np.float32)
        self._touched = np.empty((splat_count, splats.TOUCH_WIDTH), np.int32)
        self._keys = np.empty(splat_count, np.uint16)
        self._ends = np.empty(tiles + scene.view.tiles_across + scene.view.tiles_down + 1, np.int32)

    def lay_out(self, pose: Pose, *, yuv: bool = False) -> None:
        """Put the pose's splats into the tile lists.

        Args:
            yuv: whether their colours are to be Y, U, V, or else R, G, B.

        Raises:
            BadInput: the pose does not belong to this scene's model.
        """
        scene = self.scene
        weights = shape_weights_of(pose, scene.model)
        np.copyto(self.head_vertices, scene.vertices)
        geometry.deform(
            scene.shapes.offsets,
            scene.shapes.ids,
            scene.shapes.vectors,
            weights,
            self.head_vertices,
        )
        moved = geometry.head_affine(scene.model.surface, pose.rotation, pose.translation)
        still = geometry.torso_affine(scene.model.surface, scene.torso_shift(pose))
        geometry.pose_vertices(
            self.head_vertices, scene.head_weights, still, moved, self.camera_vertices
        )
        columns = scene.view.tiles_across
        self.count = splats.project(
            self.camera_vertices,
            scene.corners,
            scene.static,
            self._tinted(pose, weights, yuv),
            scene.order,
            scene.cull_cosine,
            scene.focal_px,
            scene.size.width_px,
            scene.size.height_px,
            np.float32(scene.view.centre_px[0]),
            np.float32(scene.view.centre_px[1]),
            scene.low_pass,
            columns,
            self.splats,
            self._touched,
            self._ends,
            self._depths,
            self.sources,
        )
        splats.depth_keys(self._depths, self.count, self._keys)
        length = splats.count_tiles(columns, self._ends, self.starts)
        longest = splats.longest_list(self.starts)
        if length > len(self.members) or longest > len(self._sorting):
            self._make_room(length + length // 4, longest + longest // 4)
        splats.fill_tiles(
            self._touched,
            self._keys,
            self.count,
            columns,
            self.starts,
            self._ends,
            self._entries,
        )
        splats.sort_tiles(self.starts, self._entries, self._sorting, self.members, self.masks)

    def plate(self, pose: Pose, *, yuv: bool, behind: Bytes | None = None) -> Plate:
        """What the pose's splats stand before, with the torso where it is; until the next call.

        Args:
            yuv: whether Y, U, V are wanted, or else R, G, B; alpha in any case.
            behind: `# [H, W, 3]` instead of the scene's background.

        Raises:
            BadInput: there is `behind`, and the avatar does not know its person from it.
        """
        scene, torso = self.scene, self.scene.torso
        shift = scene.on_picture(scene.torso_shift(pose))
        if torso is None:
            return scene.plate if behind is None else scene.cutout.over(behind)
        if behind is not None:
            return torso.over(behind, shift, yuv=yuv)
        if yuv not in self._plates:
            self._plates[yuv] = scene.plate.copy(), (0.0, 0.0)
        plate, drawn = self._plates[yuv]
        if drawn != shift:
            (torso.follow_yuv if yuv else torso.follow_rgb)(shift, plate)
            self._plates[yuv] = plate, shift
        return plate

    @property
    def drawn(self) -> Ints:
        """The Gaussians that reach the picture, nearest first."""
        order = np.argsort(self._keys[: self.count], kind="stable")
        drawn: Ints = self.sources[: self.count][order]
        return drawn

    def recolor(self, colors: Floats) -> None:  # [N, 3] in the model's order
        """Give the laid-out splats other colours; nothing else about them changes."""
        self.splats[: self.count, 6:9] = colors[self.sources[: self.count]]

    def _make_room(self, length: int, longest: int) -> None:
        """For tile lists of that length in all, and one of them."""
        self.members = np.empty(length, np.int32)
        self.masks = np.empty(length + splats.MASKS_READ_AHEAD, np.uint16)
        self.near = np.empty(longest * splats.SPLAT_WIDTH, np.float32)
        self._entries = np.empty(length + len(self.starts), np.uint64)
        self._sorting = np.empty(longest, np.uint64)

    def _tinted(self, pose: Pose, shape_weights: Floats, yuv: bool) -> Floats:  # [N, 3]
        scene = self.scene
        weights = color_weights_of(
            pose, scene.model, self._driver, shape_weights, self.head_vertices
        )
        plain = scene.yuv_colors if yuv else scene.colors
        if yuv not in self._colors:
            self._colors[yuv] = plain.copy()
        colors = self._colors[yuv]
        geometry.tint(
            plain,
            scene.tint_offsets,
            scene.tint_ids,
            scene.yuv_tint_vectors if yuv else scene.tint_vectors,
            weights,
            colors,
        )
        return colors
