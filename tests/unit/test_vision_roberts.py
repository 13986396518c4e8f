"""Roberts' program: the cross, the lines, the drawing, and the solid that explains it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from dtwin.data import pasture
from dtwin.vision import polyhedra, roberts
from dtwin.vision.polyhedra import SOLIDS, extrude, readings, recognise

BLOCKS = [pasture.Block(kind, size=256, azimuth=azimuth)
          for kind in ("cuboid", "wedge", "prism") for azimuth in (50, 155, 290)]
each = pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.kind} {b.azimuth}")
SQUARE = [[20.0, 10.0], [80.0, 20.0], [70.0, 90.0], [15.0, 70.0]]


def camera(block):
    middle, focal = (block.size - 1) / 2, block.focal * block.size
    return np.array([[focal, 0, middle + block.x * block.size], [0, focal, middle - block.y * block.size], [0, 0, 1]])


def truth(block, noise=0.0, seed=0):
    """The line drawing of a block as it should be found."""
    seen = pasture.render_block(replace(block, size=8))
    corners = (seen.corners + 0.5) * block.size / 8 - 0.5
    corners += noise * np.random.default_rng(seed).normal(size=corners.shape)
    return roberts.draw(corners, seen.edges[seen.seen]), seen


def painted(size, *outlines):
    """A picture of filled convex polygons, each of its own grey, by 8 × 8 samples a pixel."""
    at = (np.arange(8 * size) + 0.5) / 8 - 0.5
    y, x = np.meshgrid(at, at, indexing="ij")
    picture = np.full(x.shape, 0.2)
    for outline, grey in outlines:
        inside = np.ones(x.shape, bool)
        for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1]):
            inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
        picture[inside] = grey
    return picture.reshape(size, 8, size, 8).mean((1, 3))


@pytest.mark.parametrize("window, response", [
    ([[0, 1], [0, 1]], 2**0.5), ([[0, 0], [1, 1]], 2**0.5), ([[1, 0], [0, 0]], 1), ([[0, 1], [1, 1]], 1),
    ([[3, 3], [3, 3]], 0),
])
def test_the_cross_answers_a_step_and_a_corner(window, response):
    differences, strength = roberts.roberts_cross(window)
    (a, b), (c, d) = window
    assert differences.ravel().tolist() == [a - d, b - c] and strength.item() == pytest.approx(response, abs=1e-15)


def test_the_cross_has_an_entry_for_every_window_and_refuses_other_shapes():
    assert roberts.roberts_cross(np.zeros((4, 7)))[0].shape == (2, 3, 6)
    with pytest.raises(ValueError, match=r"roberts_cross: got shape \(3, 4, 4\), expected \(H, W\)"):
        roberts.roberts_cross(np.zeros((3, 4, 4)))


def test_lines_are_found_to_a_tenth_of_a_pixel():
    lines = roberts.find_lines(painted(100, (SQUARE, 0.8)))
    assert len(lines) == 4
    for a, b in zip(SQUARE, SQUARE[1:] + SQUARE[:1]):
        way = np.subtract(b, a) / np.hypot(*np.subtract(b, a))
        off = np.abs((lines - a) @ [-way[1], way[0]])
        along = (lines[off.max(1).argmin()] - a) @ way
        assert off.max(1).min() < 0.1 and np.ptp(along) > np.hypot(*np.subtract(b, a)) - 8


def test_an_empty_picture_has_no_lines_and_no_drawing():
    lines = roberts.find_lines(np.full((20, 20), 0.5))
    drawing = roberts.join_lines(lines)
    assert lines.shape == (0, 2, 2) and drawing.vertices.shape == (0, 2) and drawing.polygons == []


def test_a_picture_becomes_its_drawing():
    drawing = roberts.join_lines(roberts.find_lines(painted(100, (SQUARE, 0.8))))
    gaps = np.hypot(*np.moveaxis(drawing.vertices[:, None] - SQUARE, 2, 0))
    assert len(drawing.edges) == 4 and gaps.min(0).max() < 0.15
    assert [len(p) for p in drawing.polygons] == [4]
    corners = [SQUARE[gaps[v].argmin()] for v in drawing.polygons[0]]
    start = corners.index(SQUARE[0])  # SQUARE runs clockwise as seen, the polygon the other way round
    assert corners[start:] + corners[:start] == [SQUARE[0], *SQUARE[:0:-1]]


def test_a_line_that_ends_upon_another_makes_no_corner_of_it():
    # the lower square's upper side is a part of the upper square's lower side
    drawing = roberts.join_lines(np.array([
        [[10, 10], [90, 10]], [[90, 11], [90, 49]], [[89, 50], [11, 50]], [[10, 49], [10, 11]],
        [[30, 52], [30, 89]], [[31, 90], [59, 90]], [[60, 89], [60, 52]]], float))
    assert sorted(len(p) for p in drawing.polygons) == [4, 4]
    assert len(drawing.vertices) == 8 and len(drawing.edges) == 9


def test_a_side_in_two_pieces_is_one_side():
    drawing = roberts.join_lines(np.array([
        [[10, 10], [45, 10]], [[51, 10.2], [90, 10]], [[90, 11], [90, 49]], [[89, 50], [11, 50]],
        [[10, 49], [10, 11]]]))
    assert [len(p) for p in drawing.polygons] == [4]


def test_loose_lines_fall_away():
    corners = [*SQUARE, [95.0, 95.0], [5.0, 5.0]]
    drawing = roberts.draw(corners, [(0, 1), (1, 2), (2, 3), (3, 0), (2, 4), (4, 5)])
    assert drawing.edges.tolist() == [[0, 1], [0, 3], [1, 2], [2, 3]]
    assert roberts.area(drawing.vertices[drawing.polygons[0]]) > 0


@pytest.mark.parametrize("vertices, edges, message", [
    ([[0, 0, 0]], [], r"draw: got vertices of shape \(1, 3\), expected \(V, 2\)"),
    (SQUARE, [(0, 4)], r"draw: got the edge \(0, 4\), expected vertices below 4"),
])
def test_a_drawing_refuses_what_it_cannot_draw(vertices, edges, message):
    with pytest.raises(ValueError, match=message):
        roberts.draw(vertices, edges)


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda s: s.name)
def test_a_solid_is_closed_turned_outwards_and_fills_its_box(solid):
    assert set(solid.sides) == {(b, a) for a, b in solid.sides}
    assert solid.vertices.min(0).tolist() == [-1, -1, -1] and solid.vertices.max(0).tolist() == [1, 1, 1]
    for face in solid.faces:
        a, b, c = solid.vertices[list(face[:3])]
        heights = (solid.vertices - a) @ np.cross(b - a, c - a)
        assert heights.max() < 1e-12 and np.abs(heights[list(face)]).max() < 1e-12


@pytest.mark.parametrize("solid, count", list(zip(SOLIDS, (24, 2, 4))), ids=lambda v: getattr(v, "name", v))
def test_symmetries_carry_faces_to_faces(solid, count):
    faces = {frozenset(face) for face in solid.faces}
    assert len(solid.symmetries) == count
    for same in solid.symmetries:
        assert {frozenset(same[v] for v in face) for face in solid.faces} == faces


def test_a_full_view_of_a_cuboid_reads_in_one_way_as_a_cuboid_and_in_none_as_another():
    drawing, _ = truth(pasture.Block("cuboid", size=256))
    for solid, count in zip(SOLIDS, (1, 0, 0)):
        assert sum(len(polygons) == 3 for polygons, _ in readings(drawing.polygons, solid)) == count


@each
def test_a_true_drawing_gives_the_block_back(block):
    drawing, seen = truth(block)
    match = recognise(drawing, camera(block))
    assert match.solid.name == block.kind and match.residual < 1e-6
    # the vertices, up to the one scale that a photograph leaves open
    found = match.points[list(match.vertices.values())]
    world = np.c_[seen.vertices[list(match.vertices)], np.ones(len(found))] @ pasture.render_block(block).camera.T
    world = world @ np.linalg.inv(camera(block)).T
    scale = (found * world).sum() / (world * world).sum()
    np.testing.assert_allclose(found, scale * world, atol=1e-6)
    assert np.linalg.det(match.rotation) == pytest.approx(1) and match.shift[2] == pytest.approx(1)
    assert len(match.front) == len(drawing.polygons) == len(match.polygons)


@each
def test_the_residual_is_as_large_as_the_noise(block):
    drawings = [truth(block, noise=0.5, seed=seed)[0] for seed in range(12)]
    matches = [recognise(drawing, camera(block)) for drawing in drawings]
    assert {m.solid.name for m in matches} == {block.kind}
    assert 0.25 < np.sqrt(np.mean([m.residual**2 for m in matches])) < 0.85


def test_a_drawing_of_no_block_is_refused():
    block = pasture.Block("prism", size=256)
    assert recognise(truth(block, noise=15)[0], camera(block)) is None
    assert recognise(roberts.draw(np.zeros((0, 2)), []), camera(block)) is None


def test_two_faces_of_a_cuboid_are_those_of_a_lying_wedge_too():
    block = pasture.Block("cuboid", size=256, azimuth=0)
    drawing, _ = truth(block)
    assert len(drawing.polygons) == 2
    for solid in SOLIDS[:2]:
        assert recognise(drawing, camera(block), [solid]).residual < 1e-6
    assert recognise(drawing, camera(block), SOLIDS[2:]).residual > 1


@pytest.mark.parametrize("wrong", [np.zeros((3, 4)), np.diag([300.0, 400, 1]), 2 * camera(BLOCKS[0])])
def test_the_camera_must_have_square_pixels(wrong):
    with pytest.raises(ValueError, match=r"recognise: got a camera \[\[.*\]\], expected \[\[f, 0, x\], \[0, f, y\], \[0, 0, 1\]\]"):
        recognise(truth(pasture.Block(size=64))[0], wrong)


def test_a_new_solid_needs_its_outline_only():
    house = extrude("house", [(-1, -1), (1, -1), (1, 0.2), (0, 1), (-1, 0.2)])
    pose = Rotation.from_rotvec([0.5, 0.6, 0.1]).as_matrix()
    points = house.vertices * [0.2, 0.3, 0.25] @ pose.T + [0.05, 0.0, 2.0]
    lens = np.array([[300.0, 0, 128], [0, 300, 128], [0, 0, 1]])
    corners = points @ lens.T
    faces = [house.faces[k] for k in polyhedra.front(points, house.faces)]
    sides = {side for face in faces for side in zip(face, face[1:] + face[:1])}
    drawing = roberts.draw(corners[:, :2] / corners[:, 2:], sides)
    match = recognise(drawing, lens, (*SOLIDS, house))
    assert match.solid is house and match.residual < 1e-6


def test_the_slopes_of_the_fit_are_those_of_its_misses():
    rng, turns = np.random.default_rng(3), lambda v: Rotation.from_rotvec(v).as_matrix()
    points, rays = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 6, 2))
    known = np.array([[True] * 6, [True] * 5 + [False]])
    turn, stretch = turns(rng.normal(size=(2, 3))), rng.uniform(0.2, 0.4, (2, 3))
    shift = np.array([[0.1, 0, 3.0]] * 2)
    miss, slope = polyhedra._misses(points, rays, known, turn, stretch, shift)
    step = 1e-6 * rng.normal(size=(2, 9))

    def moved(s):
        pose = turns(s[:, :3]) @ turn, stretch * np.exp(s[:, 3:6]), shift + s[:, 6:]
        return polyhedra._misses(points, rays, known, *pose)[0]

    np.testing.assert_allclose((moved(step) - moved(-step)) / 2, np.einsum("nij,nj->ni", slope, step), atol=1e-13)
    assert (miss.reshape(2, 6, 2)[1, 5] == 0).all() and (slope.reshape(2, 6, 2, 9)[1, 5] == 0).all()


def test_many_cameras_at_once_are_as_each_alone():
    block = pasture.Block("prism", size=256)
    drawing, _ = truth(block, noise=1.0)
    found = [(SOLIDS[2], *reading) for reading in readings(drawing.polygons, SOLIDS[2])]
    together = polyhedra.fit(drawing, camera(block), found)
    for reading, match in zip(found, together):
        assert polyhedra.fit(drawing, camera(block), [reading])[0].residual == pytest.approx(match.residual, rel=1e-4)


def test_from_the_pixels_to_the_name():
    blocks = [pasture.Block(kind, size=256, sun_azimuth=70) for kind in ("cuboid", "wedge", "prism")]
    for block in blocks:
        seen = pasture.render_block(block)
        drawing = roberts.join_lines(roberts.find_lines(seen.image.mean(0) / 255))
        match = recognise(drawing, camera(block))
        assert match.solid.name == block.kind and match.residual < 0.6
        gaps = np.hypot(*np.moveaxis(drawing.vertices[:, None] - seen.corners[seen.visible], 2, 0)).min(0)
        assert np.median(gaps) < 0.3
