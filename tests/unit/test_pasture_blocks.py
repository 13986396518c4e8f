"""Roberts' blocks and Adelson's checker shadow agree with their truth."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull, Delaunay

from dtwin.data.pasture import Block, checker_shadow, render_block, sample_blocks
from dtwin.data.pasture.blocks import model

BLOCKS = [Block(kind=kind, size=96, samples=1, linear=True, azimuth=azimuth, sun_azimuth=azimuth + 80)
          for kind in ("cuboid", "wedge", "prism") for azimuth in (10.0, 120.0, 235.0)]
each = pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.kind} {b.azimuth:.0f}")


@each
def test_a_model_is_a_closed_polyhedron(block):
    vertices, edges, faces = model(block)
    assert len(vertices) - len(edges) + len(faces) == 2
    pairs = [frozenset(p) for face in faces for p in zip(face, face[1:] + face[:1])]
    assert sorted(map(sorted, set(pairs))) == sorted(map(sorted, edges.tolist())) and len(pairs) == 2 * len(edges)
    np.testing.assert_allclose(np.ptp(vertices, axis=0), [block.length, block.width, block.height])
    for face in faces:  # flat, and anticlockwise from outside
        a, b, c = vertices[face[:3]]
        normal = np.cross(b - a, c - a)
        np.testing.assert_allclose((vertices[face] - a) @ normal, 0, atol=1e-12)
        assert ((vertices - a) @ normal < 1e-12).all()


@each
def test_corners_are_the_projections_and_the_mask_their_hull(block):
    found = render_block(block)
    p = found.camera @ np.concatenate([found.vertices, np.ones((len(found.vertices), 1))], 1).T
    np.testing.assert_allclose((p[:2] / p[2]).T, found.corners, atol=1e-9)
    y, x = np.indices(found.mask.shape)
    hull = found.corners[ConvexHull(found.corners).vertices]
    inside = Delaunay(hull).find_simplex(np.stack([x.ravel(), y.ravel()], 1)) >= 0
    np.testing.assert_array_equal(found.mask.ravel(), inside)
    assert 0.03 < found.mask.mean() < 0.6


@each
def test_faces_depth_normals_and_light(block):
    found = render_block(block)
    y, x = np.nonzero(found.mask)
    flat = np.stack([x, y, np.ones_like(x)]) * found.depth[y, x]
    points = np.linalg.solve(found.camera[:, :3], flat - found.camera[:, 3:]).T
    _, _, faces = model(block)
    for k in np.unique(found.faces[found.mask]):
        a, b, c = found.vertices[faces[k][:3]]
        normal = np.cross(b - a, c - a)
        np.testing.assert_allclose((points[found.faces[y, x] == k] - a) @ normal, 0, atol=1e-9)
        assert np.ptp(found.normals[:, found.faces == k], axis=1).max() == 0
    np.testing.assert_allclose((found.normals**2).sum(0)[np.isfinite(found.depth)], 1)
    np.testing.assert_array_equal(found.image, np.rint(np.clip(found.albedo * found.shading, 0, 1) * 255))
    table = np.isfinite(found.depth) & ~found.mask
    assert (found.shadow & table).any() and not (found.shadow & table).all()
    turned_away = np.einsum("chw,c->hw", found.normals, found.light) <= 0
    assert found.shadow[found.mask & turned_away].all() and not found.shadow[found.mask & ~turned_away].any()


@each
def test_seen_edges_are_where_faces_meet(block):
    found = render_block(block)
    assert found.seen.any() and not found.seen.all()
    for (a, b), seen in zip(found.edges.tolist(), found.seen):
        way = found.corners[b] - found.corners[a]
        across = np.array([-way[1], way[0]]) / max(np.hypot(*way), 1e-9) * 1.5
        middle = found.corners[a] * 0.5 + found.corners[b] * 0.5
        (x1, y1), (x2, y2) = np.rint(middle + across).astype(int), np.rint(middle - across).astype(int)
        if seen and np.hypot(*way) > 8:
            assert found.faces[y1, x1] != found.faces[y2, x2]
    # a vertex is visible where a seen edge ends, and nowhere else
    np.testing.assert_array_equal(np.flatnonzero(found.visible), np.unique(found.edges[found.seen]))


def test_blocks_are_drawn_alike_and_of_all_kinds():
    blocks = sample_blocks(30, 2)
    assert blocks == sample_blocks(40, 2)[:30] and {b.kind for b in blocks} == {"cuboid", "wedge", "prism"}
    assert {b.noise for b in sample_blocks(3, noise=0.1)} == {0.1}
    np.testing.assert_array_equal(render_block(blocks[0]).image, render_block(sample_blocks(1, 2)[0]).image)


@pytest.mark.parametrize("call, error, message", [
    (lambda: Block(kind="ball"), ValueError, r"Block: got kind='ball', expected one of cuboid, wedge, prism"),
    (lambda: Block(height=0), ValueError, r"Block: got height=0, expected a number from 0.1 to 5"),
    (lambda: Block(elevation=0), ValueError, r"Block: got elevation=0, expected a number from 1 to 89"),
    (lambda: Block(size=2.5), ValueError, r"Block: got size=2.5, expected an integer from 4 to 2048"),
    (lambda: sample_blocks(-1), ValueError, r"sample_blocks: got n=-1"),
    (lambda: render_block("cuboid"), TypeError, r"render_block: got str, expected a Block"),
    (lambda: checker_shadow(8), ValueError, r"checker_shadow: got size=8, expected an integer from 16"),
])
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_checkers_two_squares_are_alike_and_not():
    found = checker_shadow(192)
    assert found.lit.sum() > 100 and found.shaded.sum() > 80
    assert len(np.unique(found.image[:, found.lit | found.shaded])) == 1
    assert found.albedo[0, found.shaded].min() > 2.5 * found.albedo[0, found.lit].max()
    assert found.shadow[found.shaded].all() and not found.shadow[found.lit].any()
    # beside them the board shows both its paints in both lights
    assert len(np.unique(found.image[0][~found.shadow])) > 3
