"""The light that leaves a stage towards its cameras: from cones, suns and textures to albedo and shading."""

import numpy as np

from . import textures
from .animals import MATERIALS, build
from .geometry import dot, sincos
from .occluders import occluder
from .trace import Cones, View, first_hits, ground_shadows, normals, shadows

SUN, SKY_LIGHT = (0.98, 0.90, 0.78), (0.36, 0.42, 0.52)


def direction(azimuth, elevation):
    """The unit vector towards an azimuth, 0 along x and 90 along y, and an elevation, in degrees."""
    (sin, cos), (up, out) = sincos(azimuth), sincos(elevation)
    return cos * out, sin * out, up


class Stage:
    """N scenes ready to be traced: cones, key points, eyes and suns."""

    def __init__(self, scenes):
        self.scenes = scenes
        built = [build(scene) for scene in scenes]
        self.keypoints = np.array([points for _, points, _ in built])
        self.animals = [rows for rows, _, _ in built]
        middle = np.array([height / 2 for _, _, height in built])
        cause = {name: np.array([getattr(scene, name) for scene in scenes], float) for name in (
            "azimuth", "elevation", "sun_azimuth", "sun_elevation", "distance", "focal", "x", "y")}
        self.back = direction(cause["azimuth"], cause["elevation"])
        self.sun = direction(cause["sun_azimuth"], cause["sun_elevation"])
        self.eye = tuple(cause["distance"] * c + m for c, m in zip(self.back, (0.0, 0.0, middle)))
        self.focal, self.x, self.y = cause["focal"], cause["x"], cause["y"]
        self.cones = Cones([np.concatenate([rows, occluder(scene, back)]) for rows, scene, back in
                            zip(self.animals, scenes, np.stack(self.back, 1).tolist())])

    def view(self, size):
        return View(self.eye, tuple(-c for c in self.back), self.focal, self.x, self.y, size)


def light(stage, size):
    """What reaches size × size samples of each picture: a dict of arrays (N, H, W) or (N, 3, H, W).

    depth, cone (−1 for none), animal (or occluder), ground, shadow, albedo and shading, where a sky has albedo 1;
    facing: normals in the world, vectors over the samples of animal.
    """
    view = stage.view(size)
    depth, cone = first_hits(stage.cones, view)
    rays, eye = view.rays(), tuple(e[:, None, None] for e in stage.eye)
    animal = cone >= 0
    ground = ~animal & (rays[2] < 0)
    depth = np.where(ground, -eye[2] / np.where(ground, rays[2], -1.0), depth)
    x, y = (e + np.where(ground, depth, 0.0) * d for e, d in zip(eye[:2], rays))
    at = np.flatnonzero(animal)  # one index for three axes is much faster than their mask
    n = at // size**2
    points = tuple(e[n] + depth.ravel()[at] * d.ravel()[at] for e, d in zip(stage.eye, rays))
    facing = normals(stage.cones, n, cone.ravel()[at].astype(int), points)
    toward = dot(facing, tuple(c[n] for c in stage.sun))
    hidden, lit = toward <= 0, np.flatnonzero(toward > 0)
    hidden[lit] = shadows(stage.cones, stage.sun, n[lit], tuple(c[lit] for c in points))
    shadow = ground_shadows(stage.cones, stage.sun, view, ground.copy(), x, y)
    direct = np.where(ground & ~shadow, stage.sun[2][:, None, None], 0.0)
    above = np.where(ground, 1.0, 0.5)
    for light, own in ((direct, np.where(hidden, 0.0, toward)), (shadow, hidden), (above, 0.5 + 0.5 * facing[2])):
        light.ravel()[at] = own
    albedo, shading = np.empty((len(depth), 3, size, size)), np.empty((len(depth), 3, size, size))
    starts = np.searchsorted(n, np.arange(len(depth) + 1))
    for m, scene in enumerate(stage.scenes):
        place = (x[m].ravel(), y[m].ravel(), depth[m].ravel(), tuple(c[m].ravel() for c in rays))
        kinds = tuple(np.flatnonzero(c) for c in (animal[m], ground[m], ~(animal[m] | ground[m])))
        material = stage.cones.material[m][cone[m].ravel()[kinds[0]]]
        own = tuple(c[starts[m]:starts[m + 1]] for c in points)
        albedo[m] = _albedo(scene, kinds, place, material, own).reshape(3, size, size)
        shading[m] = _shading(stage, m, kinds, place, above[m].ravel(), direct[m].ravel()).reshape(3, size, size)
    return {"depth": depth, "cone": cone, "animal": animal, "ground": ground, "facing": facing, "shadow": shadow,
            "albedo": albedo, "shading": shading}


def _albedo(scene, kinds, place, material, points):
    # colours (3, M) of one picture, whose samples are of three kinds: animal (or occluder), ground and sky
    (animal, ground, _), (x, y, depth, _) = kinds, place
    albedo = np.ones((3, len(depth)))
    soil, coat = (np.random.default_rng([scene.chance, k]) for k in range(2))
    _fill(albedo, ground, textures.ground(scene.ground, x[ground], y[ground], depth[ground], soil))
    _fill(albedo, animal, _surface(scene, material, points, coat))
    return albedo


def _fill(colours, at, values):
    # one channel after the other: to assign to colours[:, at] takes NumPy ten times as long
    for channel, value in zip(colours, values):
        channel[at] = value


def _shading(stage, m, kinds, place, above, direct):
    # light (3, M) of one picture: the sun, a hemisphere of sky above and of sunlit ground below; the sky is its own light
    scene, (_, ground, sky), (x, y, _, rays) = stage.scenes[m], kinds, place
    dome = above.copy()
    dome[ground] *= 1 - _covered(stage, m, x[ground], y[ground])
    base, below = textures.GROUNDS[scene.ground][0], 1 - above
    shading = np.stack([
        (scene.sun * SUN[c]) * direct + (scene.ambient * SKY_LIGHT[c]) * dome + (0.62 * base[c] * scene.ambient) * below
        for c in range(3)])
    _fill(shading, sky, textures.sky(scene.sky, tuple(c[sky] for c in rays), np.random.default_rng([scene.chance, 2])))
    return shading


def _surface(scene, material, points, rng):
    table, second = textures.palette(scene.colours)
    colours = table[:, material]
    share = textures.coat(scene.coat, points, rng)
    share = np.where(material == MATERIALS.index("coat"), share, 0.0)
    colours = colours + (second - colours) * share
    leaf = material == MATERIALS.index("leaf")
    if leaf.any():
        x, y, z = (c[leaf] for c in points)
        colours[:, leaf] *= 1 + 0.45 * np.clip(textures.noise(textures.GRAINS, 30 * (x + z), 30 * (y - z)), -1.4, 2)
    return colours


def _covered(stage, m, x, y):
    # the share of the sky that the trunk and the hooves hide from points on the ground, taken as balls
    rows = stage.animals[m]
    trunk = rows[:2]
    balls = [*trunk[:, (0, 1, 2, 6)].tolist(), [*trunk[1, 3:6].tolist(), float(trunk[1, 7])]]
    balls += [[*point, 0.055] for point in stage.keypoints[m, 6::2].tolist()]
    covered = np.zeros_like(x)
    near = np.flatnonzero(x * x + y * y < 9)
    x, y, total = x[near], y[near], 0.0
    for bx, by, bz, r in balls:
        away = (x - bx) ** 2 + (y - by) ** 2 + bz * bz
        total = total + 1.15 * r * r * bz / (away * np.sqrt(away))
    covered[near] = total / (1 + total)
    return covered


