"""From scenes to pictures, and the truth behind them."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .animals import KEYPOINTS, OCCLUDER, PARTS
from .scene import Scene
from .sensor import sensor
from .stage import Stage, light

BLOCK = 2**19  # samples traced at once; they bound the memory, to about 90 MB
WORTH = 400  # images of 32 × 32 for which another process is worth its start
# where the C library is glibc, a worker keeps the memory that it frees: each block asks for the same arrays again, and
# to have every page cleared anew takes a quarter of the time
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}  # bytes
# the parts that a key point lies in: it is seen where one of them is
OWN = {"nose": ("head", "trunk"), "poll": ("head", "neck", "ear", "horn"), "withers": ("torso", "neck"),
       "rump": ("torso", "tail"), "tail tip": ("tail",)}


@dataclass(frozen=True)
class Picture:
    """An image and the truth behind it, at the middle of each pixel; pixel (x, y) is column x, row y, from 0.

    image: uint8 (3, H, W). mask: bool (H, W), the animal where nothing hides it. parts: int (H, W), indices of PARTS.
    depth: (H, W) along the optical axis, inf in the sky. normals: (3, H, W), x right, y up, z to the viewer; 0 in the sky.
    albedo, shading: (3, H, W); their product is the light that reaches the camera. shadow: bool (H, W), sun kept off.
    keypoints: (13, 2), x and y of KEYPOINTS; visible: bool (13,). points: (13, 3), the same in the world.
    cones: (K, 16), the animal's generalised cones, columns as in ROW.
    light: (3,), unit vector to the sun in the axes of the normals. camera: (3, 4), takes (X, Y, Z, 1) to (x w, y w, w).
    """

    scene: Scene
    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray
    shading: np.ndarray
    shadow: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    points: np.ndarray
    cones: np.ndarray
    light: np.ndarray
    camera: np.ndarray


def render(scene):
    """The Picture of one scene.

    Raises:
        TypeError: something else than a Scene.
    """
    return next(pictures([scene]))


def pictures(scenes):
    """The Pictures of many scenes, one after the other.

    Raises:
        TypeError: one is not a Scene.
    """
    for block in _blocks("pictures", scenes):
        stage = Stage(block)
        for m, (image, truth) in enumerate(zip(_images(stage), _truths(stage))):
            yield Picture(scene=block[m], image=image, **truth)


def images(scenes):
    """The images alone of many scenes of one size, uint8 (N, 3, H, W), made on all cores.

    Raises:
        TypeError: one is not a Scene.
        ValueError: none is given, or they differ in size.
    """
    scenes = list(scenes)
    blocks = list(_blocks("images", scenes))
    sizes = sorted({scene.size for scene in scenes})
    if len(sizes) != 1:
        raise ValueError(f"images: got sizes {sizes}, expected scenes of one size")
    share = max(1, int(len(scenes) * (sizes[0] / 32) ** 2 / WORTH))
    workers = min(os.cpu_count() or 1, share)
    if workers == 1:
        return np.concatenate([_images(Stage(block)) for block in blocks])
    parts = [scenes[len(scenes) * k // workers:len(scenes) * (k + 1) // workers] for k in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(_elsewhere, parts)))


def _elsewhere(scenes):
    # a process of its own, which unlike one of multiprocessing never runs the caller's script again
    code = ("import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
            "from dtwin.data.pasture.picture import serve; serve(sys.stdin, sys.stdout.buffer)")
    causes = json.dumps([vars(scene) for scene in scenes], default=lambda number: number.item())
    asked = f"{json.dumps(sys.path)}\n{causes}"
    done = subprocess.run([sys.executable, "-c", code], input=asked.encode(), stdout=subprocess.PIPE, check=True,
                          env={**os.environ, **KEEP})
    return np.frombuffer(done.stdout, np.uint8).reshape(len(scenes), 3, scenes[0].size, scenes[0].size)


def serve(source, target):
    """Read scenes from one stream, write the bytes of their images to another: what a worker does."""
    for block in _blocks("images", [Scene(**causes) for causes in json.load(source)]):
        target.write(_images(Stage(block)).tobytes())


def _blocks(function, scenes):
    block = []
    for scene in scenes:
        if not isinstance(scene, Scene):
            raise TypeError(f"{function}: got {type(scene).__name__}, expected a Scene")
        grid = scene.size * scene.samples
        if block and (grid != block[0].size * block[0].samples or (len(block) + 1) * grid * grid > BLOCK):
            yield block
            block = []
        block.append(scene)
    if block:
        yield block


def _images(stage):
    scenes = stage.scenes
    seen = light(stage, scenes[0].size * scenes[0].samples)
    radiance = seen["albedo"] * seen["shading"]
    return np.stack([sensor(scene, r, np.random.default_rng([scene.chance, 4])) for scene, r in zip(scenes, radiance)])


def _truths(stage):
    size = stage.scenes[0].size
    seen, view = light(stage, size), stage.view(size)
    normal = np.zeros((3, *seen["depth"].shape))
    normal[2][seen["ground"]] = 1.0
    normal[:, seen["animal"]] = seen["facing"]
    i, j, _ = view.project(tuple(stage.keypoints[:, :, c] for c in range(3)))
    axes = (view.right, view.up, tuple(-c for c in view.forward))
    for m in range(len(stage.scenes)):
        part = np.where(seen["cone"][m] < 0, 0, stage.cones.part[m][seen["cone"][m]])
        part = np.where(part == OCCLUDER, 0, part)
        own = [[c[m] for c in axis] for axis in axes]
        turned = lambda v: np.stack([a * v[0] + b * v[1] + c * v[2] for a, b, c in own])
        yield {
            "mask": part > 0, "parts": part, "depth": seen["depth"][m], "normals": turned(normal[:, m]),
            "albedo": seen["albedo"][m], "shading": seen["shading"][m], "shadow": seen["shadow"][m],
            "keypoints": np.stack([j[m], i[m]], 1), "visible": _visible(part, i[m], j[m]), "points": stage.keypoints[m],
            "cones": stage.animals[m], "light": turned([c[m] for c in stage.sun]), "camera": view.matrix(m),
        }


def _visible(part, i, j):
    size, seen = len(part), []
    for name, row, column in zip(KEYPOINTS, np.rint(i).astype(int), np.rint(j).astype(int)):
        own = OWN.get(name) or (name.split(" ", 1)[1],)
        inside = 0 <= row < size and 0 <= column < size
        seen.append(bool(inside and part[row, column] and PARTS[part[row, column]] in own))
    return np.array(seen)
