"""An animal posed: the cones of its body, with their parts, materials and key points."""

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np

from .geometry import turn
from .species import CATALOGUE

PARTS = ("background", "torso", "neck", "head", "ear", "horn", "trunk", "tail",
         "left foreleg", "right foreleg", "left hindleg", "right hindleg")
KEYPOINTS = ("nose", "poll", "withers", "rump", "tail tip",
             *(f"{joint} {leg}" for leg in PARTS[8:] for joint in ("knee", "hoof")))
MATERIALS = ("coat", "hair", "hoof", "muzzle", "horn", "eye", "skin", "leaf", "wood")
OCCLUDER = len(PARTS)  # the part of a fence or a bush; the truth shows it as background
ROW = ("ax", "ay", "az", "bx", "by", "bz", "ra", "rb", "sx", "sy", "sz", "wx", "wy", "wz", "part", "material")


def mix(a, b, t):
    # the point between a and b
    return tuple(p + (q - p) * t for p, q in zip(a, b))


class Body:
    """Rows of cones, one for each entry of ROW, and key points, in the animal's metres."""

    def __init__(self):
        self.rows, self.points = [], {}

    def chain(self, part, material, balls, side=(0.0, 1.0, 0.0), width=1.0, depth=1.0):
        """A generalised cone: consecutive balls ((x, y, z), radius) joined; width along `side`, depth across it."""
        end = (PARTS.index(part) if part in PARTS else OCCLUDER, MATERIALS.index(material))
        for (a, ra), (b, rb) in zip(balls, balls[1:]):
            self.rows.append((*a, *b, ra, rb, *side, 1.0, width, depth, *end))

    def ball(self, part, material, centre, radius, widths=(1.0, 1.0, 1.0)):
        """An ellipsoid of half-axes radius × widths along x, y and z."""
        end = (PARTS.index(part) if part in PARTS else OCCLUDER, MATERIALS.index(material))
        self.rows.append((*centre, *centre, radius, radius, 0.0, 1.0, 0.0, *widths, *end))


def build(scene):
    """The cones of a scene's animal (K, 16), columns as in ROW, its key points (13, 3), and its species' height.

    It stands on z = 0. The middle of its species, standing still, is above the origin, and half the diagonal of the
    box around that is 1: pose and proportions neither move the camera nor scale the rest of the body.
    """
    rows, points = _posed(scene)
    middle, scale, height = _stance(scene.species)
    rows[:, 0:3], rows[:, 3:6] = (rows[:, 0:3] - middle) * scale, (rows[:, 3:6] - middle) * scale
    rows[:, 6:8] *= scale
    return rows, (points - middle) * scale, height


@dataclass(frozen=True)
class _Still:
    # a scene's causes of form, at rest
    species: str
    legs = neck = girth = head = 1.0
    step = stride = graze = look = tail = 0.0


@cache
def _stance(species):
    rows, _ = _posed(_Still(species))
    low = np.minimum(rows[:, 0:3] - rows[:, 6:7], rows[:, 3:6] - rows[:, 7:8]).min(0)
    high = np.maximum(rows[:, 0:3] + rows[:, 6:7], rows[:, 3:6] + rows[:, 7:8]).max(0)
    x, y, z = (high - low).tolist()
    scale = 2 / sqrt(x * x + y * y + z * z)
    return np.array([(low[0] + high[0]) / 2, 0.0, 0.0]), scale, z * scale


def _posed(scene):
    kind, body = CATALOGUE[scene.species], Body()
    lift = (scene.legs - 1) * kind.fore[2]
    _torso(body, kind, scene, lift)
    for n, (leg, phase) in enumerate(((kind.fore, 0.0), (kind.fore, 0.5), (kind.hind, 0.6), (kind.hind, 0.1))):
        _leg(body, PARTS[8 + n], leg, 1 if n % 2 == 0 else -1, scene, lift, phase, n > 1, kind.paws)
    _head(body, kind, scene, _neck(body, kind, scene, lift))
    _tail(body, kind, scene, lift)
    return np.array(body.rows), np.array([body.points[name] for name in KEYPOINTS])


def _torso(body, kind, scene, lift):
    balls = [((x, 0.0, z + lift), r * scene.girth) for x, z, r in kind.torso]
    body.chain("torso", "coat", balls, width=kind.width)
    (hip, hip_r), (chest, chest_r) = balls[0], balls[-1]
    body.points["withers"] = (chest[0], 0.0, chest[2] + 0.9 * chest_r)
    body.points["rump"] = (hip[0], 0.0, hip[2] + 0.9 * hip_r)
    for x, z, r in kind.humps:
        body.chain("torso", "coat", [((x, 0.0, z - 0.42 + lift), 1.9 * r), ((x, 0.0, z + lift), r * 0.7)], width=0.8)
    if kind.udder:
        body.ball("torso", "skin", (hip[0] + 0.30, 0.0, hip[2] - 0.88 * hip_r - 0.04), kind.udder, (1.0, 0.85, 0.75))
        for x in (-0.06, 0.07):
            for y in (-0.07, 0.07):
                top = (hip[0] + 0.30 + x, y, hip[2] - hip_r - 0.10)
                body.chain("torso", "skin", [(top, 0.032), ((top[0], y, top[2] - 0.08), 0.022)])
    if kind.wool:
        for ring in range(5):
            (x, _, z), r = mix(*[b[0] for b in (balls[0], balls[-1])], ring / 4), hip_r * 1.02
            for step in range(6 + ring % 2):
                _, c, s = turn((0.0, 1.0, 0.0), -30 + 240 * (step + 0.5) / (6 + ring % 2), (1, 2))
                grow = 1 + 0.12 * ((3 * ring + 5 * step) % 4 - 1.5)
                centre = (x + 0.02 * ((step * 7 + ring) % 3 - 1), c * r * kind.width * 0.80, z + s * r * 0.80)
                body.ball("torso", "coat", centre, kind.wool * grow * scene.girth)
        for x, z, r in ((hip[0] - 0.12, hip[2], 0.19), (chest[0] + 0.10, chest[2], 0.19)):
            body.ball("torso", "coat", (x, 0.0, z), r * scene.girth)


def _leg(body, part, leg, sign, scene, lift, phase, back, paws):
    x, y, z, r_top, share, r_knee, r_foot = leg
    y, z = sign * y, z + lift
    cos, sin = turn((1.0, 0.0), 360 * (scene.step + phase), (0, 1))
    hip = (x, y, z)
    ankle = (x + 0.24 * z * scene.stride * cos + (-0.03 * z if back else 0.0), y * 0.92,
             2.2 * r_foot + 0.16 * z * scene.stride * max(sin, 0.0))
    down = (ankle[0] - x, ankle[2] - z)
    reach = sqrt(down[0] * down[0] + down[1] * down[1])
    stand = z - 2.2 * r_foot
    # bones a little longer than the way to the ground: the joint bends, forwards in front, backwards behind
    length = max((1.035 if back else 1.006) * stand, 1.001 * reach)
    upper, lower = length * (1 - share), length * share
    along = (upper * upper - lower * lower + reach * reach) / (2 * reach)
    bend = sqrt(max(upper * upper - along * along, 0.0)) * (-1 if back else 1)
    down = (down[0] / reach, down[1] / reach)
    knee = (x + down[0] * along - down[1] * bend, y * 0.95, z + down[1] * along + down[0] * bend)
    thigh = mix(hip, knee, 0.5)
    body.chain(part, "coat", [(hip, r_top), (thigh, 0.55 * r_top + 0.5 * r_knee), (knee, r_knee)], width=0.72)
    body.chain(part, "coat", [(knee, r_knee), (ankle, r_foot)])
    sole = (ankle[0] + 0.55 * r_foot, ankle[1], ankle[2] - 1.2 * r_foot)
    body.chain(part, "coat" if paws else "hoof", [(mix(ankle, sole, 0.25), 1.02 * r_foot), (sole, r_foot)], width=0.95)
    body.points[f"knee {part}"], body.points[f"hoof {part}"] = knee, sole


def _neck(body, kind, scene, lift):
    (x, z, r), length, up, down, r_top = kind.neck
    length = length * scene.neck
    root = (x, 0.0, z + lift)
    angle = up + (down - up) * scene.graze
    # a curve of three pieces: flatter at the root and at the head, as necks are
    joints, at = [(root, r)], root
    for share, bend, radius in ((0.34, -7, 0.55), (0.33, 4, 0.2), (0.33, 3, 0.0)):
        step = turn(turn((length * share, 0.0, 0.0), angle + bend), scene.look * share, (0, 1))
        at = tuple(p + s for p, s in zip(at, step))
        joints.append((at, r_top + (r - r_top) * radius))
    inside = (kind.torso[-1][0], 0.0, kind.torso[-1][1] + lift)
    body.chain("neck", "coat", [(mix(root, inside, 0.6), r * 1.08), *joints], width=0.8)
    if kind.mane:
        crest = []
        for (p, radius), thick in zip(joints, (0.75, 1.0, 1.0, 0.8)):
            normal = turn(turn((0.0, 0.0, 1.0), angle), scene.look * 0.5, (0, 1))
            crest.append((tuple(c + n * radius * 0.78 for c, n in zip(p, normal)), kind.mane * thick))
        body.chain("neck", "hair", crest, width=0.42)
    if kind.dewlap:
        low = mix(joints[0][0], inside, 0.25)
        throat = mix(joints[1][0], joints[2][0], 0.3)
        body.chain("neck", "coat", [((low[0], 0.0, low[2] - 0.22), 0.16), (throat, 0.12)], width=0.5)
    return at


def _head(body, kind, scene, poll):
    pitch = kind.pitch[0] + (kind.pitch[1] - kind.pitch[0]) * scene.graze
    forward, up = (turn(turn(v, -pitch), scene.look, (0, 1)) for v in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    left = turn((0.0, 1.0, 0.0), scene.look, (0, 1))
    size = scene.head

    def at(f, s, n):
        return tuple(p + size * (f * a + s * b + n * c) for p, a, b, c in zip(poll, forward, left, up))

    balls = [(at(f, 0.0, n), r * size) for f, n, r in kind.head]
    body.chain("head", "coat", balls[:-1], side=left, width=kind.head_width)
    # the muzzle starts a little larger, so that the ball it shares with the face is its own
    (start, r), end = balls[-2:]
    body.chain("head", "coat" if kind.nose else "muzzle", [(start, 1.02 * r), end], side=left, width=kind.head_width)
    (f, n, tip), (f0, n0, r0), (f1, n1, r1) = kind.head[-1], kind.head[0], kind.head[1]
    if kind.nose:
        body.chain("trunk", "coat", [(at(f, 0.0, n), r * size) for f, n, r in kind.nose])
        f, n, tip = kind.nose[-1]
    if kind.snout:
        body.chain("head", "skin" if kind.snout > tip else "eye",
                   [(at(f + 0.62 * tip, 0.0, n + 0.02 * tip), kind.snout * size),
                    (at(f + 0.72 * tip, 0.0, n + 0.02 * tip), kind.snout * 0.98 * size)], side=left)
    body.points["poll"], body.points["nose"] = poll, at(f + 0.8 * tip, 0.0, n)
    for sign in (1, -1):
        _pair(body, kind, at, size, sign)
        eye = (f0 + 0.55 * (f1 - f0), sign * (r0 * 0.55 + r1 * 0.40) * kind.head_width, n0 + 0.45 * r1)
        body.ball("head", "eye", at(*eye), 0.18 * r0 * size)
        if not kind.nose:
            nostril = (f + 0.86 * tip + kind.snout * 0.9 * (kind.snout > tip), sign * 0.40 * tip, n + 0.22 * tip)
            body.ball("head", "eye", at(*nostril), 0.17 * tip * size)


def _pair(body, kind, at, size, sign):
    # what a head has on both sides: ears, horns, tusks, the tines of antlers
    def balls(chain):
        return [(at(f, sign * s, n), r * size) for f, s, n, r in chain]

    ear = balls(kind.ear)
    # ears are flat: thin along the direction that they face
    face = tuple(p - q for p, q in zip(at(kind.ear_face[0], sign * kind.ear_face[1], 0.0), at(0.0, 0.0, 0.0)))
    body.chain("ear", "coat", ear, side=face, width=kind.ear_flat)
    for chain in (kind.horn, kind.tusk):
        if chain:
            body.chain("horn", "horn", balls(chain))
    if kind.antler:
        for n, tine in ((1, (0.20, 0.02, 0.13)), (2, (0.22, 0.04, 0.15)), (2, (-0.16, 0.08, 0.20))):
            f, s, up, r = kind.horn[n]
            body.chain("horn", "horn", balls([(f, s, up, r * 0.9), (f + tine[0], s + tine[1], up + tine[2], 0.012)]))


def _tail(body, kind, scene, lift):
    root = kind.tail[0]
    balls = []
    for x, z, r in kind.tail:
        p = turn((x - root[0], 0.0, z - root[1]), scene.tail, (2, 1))
        balls.append(((root[0] + p[0], p[1], root[1] + p[2] + lift), r))
    torso = (root[0] + 1.2 * root[2], 0.0, root[1] - 0.3 * root[2] + lift)
    body.chain("tail", "hair" if kind.mane > 0.1 else "coat", [(torso, root[2]), *balls])
    if kind.tuft:
        end, way = balls[-1][0], tuple(q - p for p, q in zip(balls[-2][0], balls[-1][0]))
        tip = tuple(p + w * 0.35 for p, w in zip(end, way))
        start = mix(balls[-2][0], end, 0.85)
        body.chain("tail", "hair", [(start, 0.6 * kind.tuft), (end, kind.tuft), (tip, 0.3 * kind.tuft)])
        balls.append((tip, 0.0))
    body.points["tail tip"] = balls[-1][0]
