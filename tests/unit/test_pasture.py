"""Pictures of the pasture agree with their truth, and each cause changes only what it should."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from dtwin.data import pasture
from dtwin.data.pasture import KEYPOINTS, PARTS, SPECIES, Scene, gallery, images, pictures, render, sample
from dtwin.data.pasture import picture as picture_module
from dtwin.data.pasture.geometry import hit_cone
from dtwin.data.pasture.stage import Stage

SCENES = sample(20, 7, species=list(SPECIES), size=48, occluder=["none", "fence", "bush"])
PICTURES = list(pictures(SCENES))
drawn = pytest.mark.parametrize("picture", PICTURES, ids=lambda p: f"{p.scene.species} {p.scene.chance}")


def backs_of_pixels(picture):
    # the world points (3, H, W) that the pixels' depths say they show
    h, w = picture.depth.shape
    j, i = np.meshgrid(np.arange(w), np.arange(h))
    flat = np.stack([j, i, np.ones_like(i)]).reshape(3, -1) * np.where(np.isfinite(picture.depth), picture.depth, 1).ravel()
    return np.linalg.solve(picture.camera[:, :3], flat - picture.camera[:, 3:]).reshape(3, h, w)


def test_the_same_seed_gives_the_same_bytes():
    first = images(sample(12, 3, size=32))
    assert hashlib.sha256(first.tobytes()).hexdigest() == (
        "69777f8aaedb04688868d00b1a52d131d35e692ebf2577021b1ceb0a7571173c")
    np.testing.assert_array_equal(first[5], images(sample(12, 3, size=32)[5:6])[0])


def test_processes_change_no_byte(monkeypatch):
    scenes = [*sample(5, 4, size=16), Scene(size=np.int64(16), azimuth=np.float64(0.1), distance=np.int32(5))]
    alone = images(scenes)
    monkeypatch.setattr(picture_module, "WORTH", 0.1)
    monkeypatch.setattr(picture_module.os, "cpu_count", lambda: 2)
    np.testing.assert_array_equal(images(scenes), alone)


def test_boxes_hold_balls_and_little_else():
    stage = Stage(sample(20, 9, size=32, distance=(2.5, 6.0), focal=(0.5, 3.0), elevation=(0, 90)))
    view, centre, radius = stage.view(32), stage.cones.a, stage.cones.reach[0]
    top, bottom, left, right = view.box(tuple(c[:, :, None] for c in centre), radius[:, :, None])
    ways = np.random.default_rng(0).normal(size=(3, 4000))
    ways /= np.linalg.norm(ways, axis=0)
    i, j, depth = view.project(tuple(c[:, :, None] + radius[:, :, None] * w for c, w in zip(centre, ways)))
    before = depth.min(2) > 0.1
    for low, high, at in ((top, bottom, i), (left, right, j)):
        # the samples, whole numbers, between the ends of what is seen of a ball
        first, last = np.maximum(np.ceil(at.min(2)), 0), np.minimum(np.floor(at.max(2)), 31)
        seen = before & (first <= last)
        assert seen.sum() > 300 and (low[seen] <= first[seen]).all() and (last[seen] < high[seen]).all()
        inside = before & (at.min(2) > 1) & (at.max(2) < 30)
        assert (high - low - np.ptp(at, 2))[inside].max() < 2.5


def test_memory_is_bounded_by_blocks(monkeypatch):
    monkeypatch.setattr(picture_module, "BLOCK", 2 * 32 * 32)
    sizes = []
    monkeypatch.setattr(picture_module, "Stage", lambda block: sizes.append(len(block)) or Stage(block))
    scenes = sample(5, 4, size=16)
    found = images(scenes)
    assert sizes == [2, 2, 1]
    monkeypatch.undo()
    np.testing.assert_array_equal(found, images(scenes))


@drawn
def test_masks_parts_and_normals_fit_together(picture):
    np.testing.assert_array_equal(picture.mask, picture.parts > 0)
    assert picture.mask.sum() > 60 and picture.parts.max() < len(PARTS)
    sky = np.isinf(picture.depth)
    assert not picture.normals[:, sky].any() and (picture.albedo[:, sky] == 1).all()
    np.testing.assert_allclose((picture.normals**2).sum(0)[~sky], 1)
    # every surface seen faces the camera: its normal against the ray to it
    eye = -np.linalg.solve(picture.camera[:, :3], picture.camera[:, 3])
    rays = backs_of_pixels(picture) - eye[:, None, None]
    right, up = picture.camera[0, :3] - picture.camera[2, :3] * picture.camera[0, :3].dot(picture.camera[2, :3]), None
    right /= np.linalg.norm(right)
    up = np.cross(right, picture.camera[2, :3])
    axes = np.stack([right, up, -picture.camera[2, :3]])
    facing = (np.einsum("ij,jhw->ihw", axes, rays) * picture.normals).sum(0)
    assert (facing[~sky] < 1e-9).all()


@drawn
def test_the_ground_lies_at_height_nought(picture):
    ground = ~picture.mask & np.isfinite(picture.depth)
    heights = backs_of_pixels(picture)[2]
    bare = picture.scene.occluder == "none"
    assert ground.sum() > 100
    flat = np.abs(heights[ground]) < 1e-9
    assert flat.all() if bare else flat.mean() > 0.5
    assert heights[picture.mask].min() > -1e-9


@drawn
def test_points_project_to_key_points(picture):
    p = picture.camera @ np.concatenate([picture.points, np.ones((len(KEYPOINTS), 1))], 1).T
    np.testing.assert_allclose((p[:2] / p[2]).T, picture.keypoints, atol=1e-9)
    x, y = np.rint(picture.keypoints[picture.visible]).astype(int).T
    assert picture.mask[y, x].all()


@pytest.mark.parametrize("species", SPECIES)
def test_key_points_lie_inside_an_animal_in_the_open(species):
    found = render(Scene(species=species, size=176, samples=1, azimuth=80))
    x, y = np.rint(found.keypoints).astype(int).T
    assert found.mask[y, x].all()
    names = {KEYPOINTS[k] for k in np.flatnonzero(found.visible)}
    # an elephant's ear hides its withers
    missed = {"withers", "nose", "knee left foreleg", "hoof left hindleg"} - names
    assert missed <= ({"withers"} if species == "elephant" else set())
    hidden = render(Scene(species=species, size=176, samples=1, azimuth=80, occluder="bush"))
    assert hidden.mask.sum() < 0.95 * found.mask.sum() and hidden.visible.sum() < found.visible.sum()


@pytest.mark.parametrize("species", SPECIES)
def test_feet_stand_on_the_ground_and_legs_hold_together(species):
    for step in (0.0, 0.3, 0.6):
        stage = Stage([Scene(species=species, step=step, stride=1.0, legs=1.1)])
        rows = stage.animals[0]
        low = np.minimum(rows[:, 2] - rows[:, 6], rows[:, 5] - rows[:, 7])
        feet = sorted(low[rows[:, 14] == part].min() for part in range(8, 12))
        assert abs(feet[0]) < 1e-9 and abs(feet[1]) < 1e-9 and feet[-1] < 0.2 and low.min() > -0.01
        for part in range(8, 12):
            leg = rows[rows[:, 14] == part]
            np.testing.assert_allclose(leg[1:3, 0:3], leg[0:2, 3:6], atol=1e-12)


@drawn
def test_depth_and_shadow_against_every_cone_one_by_one(picture):
    stage = Stage([picture.scene])
    cones, rng = stage.cones, np.random.default_rng(0)
    eye = np.array([c[0] for c in stage.eye])
    points = backs_of_pixels(picture)
    inside = np.flatnonzero(picture.mask | np.isfinite(picture.depth))
    chosen = np.concatenate([rng.choice(np.flatnonzero(picture.mask), 40), rng.choice(inside, 60)])
    p = points.reshape(3, -1)[:, chosen]
    d = (p - eye[:, None]) / picture.depth.ravel()[chosen]
    n = np.zeros(len(chosen), int)

    def nearest(origin, direction):
        best = np.full(len(chosen), np.inf)
        for k in range(cones.count):
            rows = np.array([[c[0, k] for c in row] for row in cones.rows])
            a = np.array([c[0, k] for c in cones.a])
            best = np.minimum(best, hit_cone(tuple(rows @ (origin - a[:, None])), tuple(rows @ direction),
                                             cones.h[n, k], cones.ra[n, k], cones.rb[n, k]))
        return best

    t = nearest(np.repeat(eye[:, None], len(chosen), 1), d)
    floor = -eye[2] / np.where(d[2] < 0, d[2], -1e-12)
    np.testing.assert_allclose(np.minimum(t, floor), picture.depth.ravel()[chosen], rtol=1e-9)
    sun = np.array([c[0] for c in stage.sun])
    away = picture.normals.reshape(3, -1)[:, chosen].T @ picture.light <= 0
    blocked = nearest(p + 1e-6 * sun[:, None], np.repeat(sun[:, None], len(chosen), 1)) < np.inf
    assert (picture.shadow.ravel()[chosen] == (away | blocked)).mean() > 0.98


@pytest.mark.parametrize("species", ["cow", "sheep"])
def test_an_image_is_albedo_times_shading(species):
    found = render(Scene(species=species, samples=1, linear=True, size=40))
    product = np.clip(found.albedo * found.shading, 0, 1) * 255
    np.testing.assert_array_equal(found.image, np.rint(product))
    curved = render(Scene(species=species, samples=1, size=40))
    np.testing.assert_array_equal(curved.image, np.rint(np.sqrt(product / 255) * 255))


def test_sunlight_alone_is_lamberts():
    found = render(Scene(ambient=0.0, sun=0.8, size=48, sun_azimuth=80))
    light = np.maximum(np.einsum("chw,c->hw", found.normals, found.light), 0) * ~found.shadow
    here = np.isfinite(found.depth)
    ratio = found.shading[:, here & (light > 0.01)] / light[here & (light > 0.01)]
    np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones_like(ratio))
    assert not found.shading[:, here & found.shadow].any() and (here & found.shadow).sum() > 20


# what a cause may change, beside the image
GEOMETRY = {"mask", "parts", "depth", "normals", "keypoints", "visible", "points", "cones"}
EVERYTHING = GEOMETRY | {"albedo", "shading", "shadow"}
CAUSES = {
    "species": ("pig", EVERYTHING | {"camera"}), "legs": (1.3, EVERYTHING), "neck": (1.4, EVERYTHING), "girth": (1.2, EVERYTHING),
    "head": (1.4, EVERYTHING), "step": (0.6, EVERYTHING), "stride": (1.0, EVERYTHING), "graze": (0.8, EVERYTHING),
    "look": (-40.0, EVERYTHING), "tail": (-40.0, EVERYTHING),
    "coat": ("stripes", {"albedo"}), "colours": ("grey-white", {"albedo"}),
    "ground": ("sand", {"albedo", "shading"}), "sky": ("dusk", {"shading"}),
    "occluder": ("fence", EVERYTHING - {"keypoints", "points", "cones"}),
    "sun_azimuth": (30.0, {"light", "shading", "shadow"}), "sun_elevation": (20.0, {"light", "shading", "shadow"}),
    "sun": (0.5, {"shading"}), "ambient": (0.5, {"shading"}),
    "azimuth": (10.0, EVERYTHING | {"camera", "light"} - {"points", "cones"}),
    "elevation": (30.0, EVERYTHING | {"camera", "light"} - {"points", "cones"}),
    "distance": (7.0, EVERYTHING | {"camera"} - {"points", "cones"}),
    "focal": (1.5, EVERYTHING | {"camera"} - {"points", "cones"}),
    "x": (0.2, EVERYTHING | {"camera"} - {"points", "cones"}), "y": (0.2, EVERYTHING | {"camera"} - {"points", "cones"}),
    "samples": (3, set()), "blur": (1.5, set()), "noise": (0.2, set()), "exposure": (0.5, set()), "linear": (True, set()),
    "chance": (5, {"albedo", "shading"}),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_changes_only_what_it_should(cause):
    value, may = CAUSES[cause]
    base = Scene(size=48, elevation=4.0)
    before, after = render(base), render(replace(base, **{cause: value}))
    assert (before.image != after.image).any()
    for name in EVERYTHING | {"light", "camera"}:
        if name not in may:
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name), err_msg=name)
    if cause == "ground":
        np.testing.assert_array_equal(before.albedo[:, before.mask], after.albedo[:, before.mask])
    if cause in ("step", "stride", "graze", "look", "tail"):
        torso = before.cones[:, 14] == PARTS.index("torso")
        np.testing.assert_array_equal(before.cones[torso], after.cones[torso])
    if cause == "coat":
        np.testing.assert_array_equal(before.albedo[:, ~before.mask], after.albedo[:, ~before.mask])
    if cause == "sky":
        here = np.isfinite(before.depth)
        np.testing.assert_array_equal(before.shading[:, here], after.shading[:, here])
    if may:
        assert any((getattr(before, name).shape != getattr(after, name).shape
                    or (getattr(before, name) != getattr(after, name)).any()) for name in may)


def test_blur_and_noise_are_what_they_say():
    base = Scene(size=128, exposure=0.4)
    clean, noisy = (render(replace(base, noise=v)).image.astype(float) / 255 for v in (0.0, 0.05))
    inside = (clean > 0.2) & (clean < 0.8)
    assert abs((noisy - clean)[inside].std() - 0.05) < 0.002 and abs((noisy - clean)[inside].mean()) < 0.002
    from dtwin.data.pasture.sensor import _blurred
    point = np.zeros((1, 1, 61))
    point[0, 0, 30] = 1.0
    for sigma in (1.0, 2.5):
        spread = _blurred(point, sigma, 2)[0, 0]
        assert abs(spread.sum() - 1) < 1e-12
        assert abs((spread * (np.arange(61) - 30.0) ** 2).sum() - sigma**2) < 0.05 * sigma**2


def test_a_gallery_has_one_cause_a_row():
    sheet = gallery(Scene(size=16), ["coat", "azimuth", "cover"])
    assert {name: len(row) for name, row in sheet.items()} == {"coat": 4, "azimuth": 8, "cover": 8}
    for row in sheet.values():
        assert len({image.tobytes() for image in row}) == len(row)
    with pytest.raises(ValueError, match="gallery: got mood, expected rows among species, coat"):
        gallery(rows=["mood"])


@pytest.mark.parametrize("call", [render, lambda s: images([s]), lambda s: list(pictures([s]))])
def test_only_scenes_are_rendered(call):
    with pytest.raises(TypeError, match="got str, expected a Scene"):
        call("cow")


def test_images_have_one_size():
    with pytest.raises(ValueError, match=r"images: got sizes \[16, 32\], expected scenes of one size"):
        images([Scene(size=16), Scene(size=32)])
    with pytest.raises(ValueError, match=r"images: got sizes \[\]"):
        images([])
    assert [p.image.shape for p in pictures([Scene(size=16), Scene(size=24)])] == [(3, 16, 16), (3, 24, 24)]
    assert list(pictures([])) == [] and pasture.SPECIES is SPECIES
