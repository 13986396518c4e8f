"""The light that leaves a stage towards its cameras: from cones, suns and textures to albedo and shading."""

import numpy as np

from . import textures
from .animals import MATERIALS, build
from .geometry import dot, sincos
from .occluders import occluder
from .trace import Cones, View, first_hits, ground_shadows, normals, shadows

SUN, SKY_LIGHT = (1.02, 0.96, 0.86), (0.40, 0.46, 0.56)


def direction(azimuth, elevation):
    """The unit vector towards an azimuth, 0 along x and 90 along y, and an elevation, in degrees."""
    (sin, cos), (up, out) = sincos(azimuth), sincos(elevation)
    return cos * out, sin * out, up


class Stage:
    """N scenes ready to be traced: cones, key points, eyes, suns and a generator for each one's textures."""

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

    depth, cone (−1 for none), ground, albedo, shading, shadow and normal (in the world); a sky has albedo 1.
    """
    view, scenes = stage.view(size), stage.scenes
    depth, cone = first_hits(stage.cones, view)
    n, i, j = (c.ravel() for c in np.indices(depth.shape))
    u, v = view.slopes(n, i, j)
    rays = tuple((f[n] + u * r[n] + v * up[n]).reshape(depth.shape) for f, r, up in zip(view.forward, view.right, view.up))
    eye = tuple(e[:, None, None] for e in stage.eye)
    with np.errstate(divide="ignore"):
        floor = -eye[2] / rays[2]
    animal = cone >= 0
    ground = ~animal & (rays[2] < 0)
    depth = np.where(ground, floor, depth)
    normal = np.zeros((3, *depth.shape))
    normal[2][ground] = 1.0
    n, i, j = np.nonzero(animal)
    points = tuple(e[n, 0, 0] + depth[animal] * d[animal] for e, d in zip(eye, rays))
    facing = normals(stage.cones, n, cone[animal].astype(int), points)
    for axis in range(3):
        normal[axis][animal] = facing[axis]
    sun = tuple(c[:, None, None] for c in stage.sun)
    toward = dot(tuple(normal), sun)
    x, y = (np.where(ground, e + depth * d, 0.0) for e, d in zip(eye[:2], rays))
    shadow = ground_shadows(stage.cones, stage.sun, view, ground.copy(), x, y)
    lit = np.flatnonzero(toward[animal] > 0)
    hidden = toward[animal] <= 0
    hidden[lit] = shadows(stage.cones, stage.sun, n[lit], tuple(c[lit] for c in points))
    shadow[animal] = hidden
    seen = {"depth": depth, "cone": cone, "ground": ground, "animal": animal, "normal": normal, "shadow": shadow}
    direct = np.maximum(toward, 0.0) * ~shadow
    albedo, shading = np.empty((len(scenes), 3, size, size)), np.empty((len(scenes), 3, size, size))
    starts = np.searchsorted(n, np.arange(len(scenes) + 1))
    for m, scene in enumerate(scenes):
        mine = slice(starts[m], starts[m + 1])
        own = tuple(c[mine] for c in points)
        ray = tuple(np.broadcast_to(c[m], depth[m].shape) for c in rays)
        _paint(stage, m, scene, {k: a[:, m] if a.ndim == 4 else a[m] for k, a in seen.items()}, ray, own, direct[m],
               albedo[m], shading[m])
    seen.update(albedo=albedo, shading=shading)
    return seen


def _paint(stage, m, scene, seen, rays, points, direct, albedo, shading):
    # colours and light of one picture, written into albedo and shading (3, H, W)
    streams = [np.random.default_rng([scene.seed, k]) for k in range(3)]
    animal, ground = seen["animal"], seen["ground"]
    sky = ~animal & ~ground
    albedo[:, sky] = 1.0
    depth = seen["depth"][ground]
    x, y = (stage.eye[c][m] + depth * rays[c][ground] for c in range(2))
    albedo[:, ground] = textures.ground(scene.ground, x, y, depth, streams[0])
    material = stage.cones.material[m][seen["cone"][animal]]
    albedo[:, animal] = _surface(scene, material, points, streams[1])
    open_sky = np.ones_like(direct)
    open_sky[ground] = 1 - _covered(stage, m, x, y)
    # a hemisphere of sky above, of sunlit ground below
    above = 0.5 + 0.5 * seen["normal"][2]
    base = textures.GROUNDS[scene.ground][0]
    for c in range(3):
        bounce = 0.62 * base[c] * scene.ambient
        ambient = scene.ambient * SKY_LIGHT[c] * above * open_sky + bounce * (1 - above)
        shading[c] = scene.sun * SUN[c] * direct + ambient
    shading[:, sky] = textures.sky(scene.sky, tuple(c[sky] for c in rays), streams[2])


def _surface(scene, material, points, rng):
    table, second = textures.palette(scene.colours)
    colours = np.stack([table[name] for name in MATERIALS], 1)[:, material]
    share = textures.coat(scene.coat, points, rng)
    share = np.where(material == MATERIALS.index("coat"), share, 0.0)
    colours = colours + (second[:, None] - colours) * share
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
    total = np.zeros_like(x)
    for bx, by, bz, r in balls:
        away = (x - bx) ** 2 + (y - by) ** 2 + bz * bz
        total += 1.15 * r * r * bz / (away * np.sqrt(away))
    return total / (1 + total)


