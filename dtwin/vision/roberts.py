"""From a photograph of blocks to a line drawing, after Roberts (1963): edge points, lines, vertices, polygons."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ANGLE = 20  # degrees by which the gradient at an edge point may miss the normal of its line
NEAR = 1.5  # pixels within which an edge point belongs to a line
BAND = 10  # pixels beside the first guess of a line, in which its points are looked for
GAP = 10  # pixels that a line may lack and still be one
SAME = 6  # pixels within which two meetings are one vertex
SHORT = 8  # pixels below which a line is none
STRAIGHT = 0.1  # sine of the angle below which two lines are one with a flaw
REACH = 9  # pixels by which a line may miss the vertex where it meets another squarely


@dataclass(frozen=True)
class LineDrawing:
    """A drawing of straight lines that meet in vertices and enclose polygons.

    vertices: (V, 2), x and y in pixels. edges: int (E, 2), pairs of vertices.
    polygons: lists of vertices, anticlockwise as seen; where one has the side (a, b), its neighbour has (b, a).
    """

    vertices: np.ndarray
    edges: np.ndarray
    polygons: list


def roberts_cross(image):
    """Roberts' operator: differences along both diagonals of every window of 2 × 2 pixels, and their length G.

    A window [[a, b], [c, d]] gives a − d, b − c and G = √((a − d)² + (b − c)²).

    image: (H, W). Returns the differences (2, H − 1, W − 1) and G (H − 1, W − 1); entry (i, j) belongs to the middle
    of its window, x = j + ½ and y = i + ½. Source: L. G. Roberts, Machine perception of three-dimensional solids, 1963.

    Raises:
        ValueError: the image is not (H, W) of at least 2 × 2 pixels.
    """
    image = np.asarray(image, float)
    if image.ndim != 2 or min(image.shape) < 2:
        raise ValueError(f"roberts_cross: got shape {image.shape}, expected (H, W) of at least 2 × 2")
    a, b, c, d = image[:-1, :-1], image[:-1, 1:], image[1:, :-1], image[1:, 1:]
    differences = np.stack([a - d, b - c])
    return differences, np.sqrt((differences**2).sum(0))


def find_lines(image, threshold=0.006):
    """The straight lines of an image, strongest first, each fitted to its edge points by least squares.

    Every edge point, G above the threshold, votes for the lines through it that lie across its gradient. The line with
    the most votes takes the points along it, and the vote is repeated without them.

    image: (H, W), grey from 0 to 1. Returns (L, 2, 2): of each line two ends, x and y in pixels.
    """
    (down, up), strength = roberts_cross(image)
    rows, columns = np.nonzero(strength > threshold)
    points, weights = np.stack([columns, rows], 1) + 0.5, strength[rows, columns]
    # from the diagonals to the axes: brighter to the right, brighter downwards
    normals = np.stack([up - down, -(down + up)], 1)[rows, :, columns] / (np.sqrt(2) * weights[:, None])
    ballots, reach = _ballots(points, normals, np.shape(image))
    votes, left, lines = np.bincount(ballots.ravel(), minlength=1), np.ones(len(points), bool), []
    while votes.max() >= SHORT:
        angle, offset = _candidate(votes.argmax(), reach)
        band = np.flatnonzero(left & (np.abs(points @ _unit(angle) - offset) < BAND))
        ends, spent = _trace(points[band], normals[band], weights[band], angle, offset)
        if np.hypot(*(ends[1] - ends[0])) >= SHORT:
            lines.append(ends)
        votes -= np.bincount(ballots[band[spent]].ravel(), minlength=len(votes))
        left[band[spent]] = False
    return np.array(lines).reshape(-1, 2, 2)


def _trace(points, normals, weights, angle, offset):
    # the ends of the longest run of points along a line, which is fitted to them, and the points that it uses up
    for _ in range(3):
        normal = _unit(angle)
        along, across = points @ [-normal[1], normal[0]], points @ normal - offset
        on = (np.abs(across) < NEAR) & (np.abs(normals @ normal) > np.cos(np.radians(ANGLE)))
        if not on.any():
            break
        run = _longest_run(along, on)
        angle, offset = _fit(points[run], weights[run])
    normal = _unit(angle)
    direction = np.array([-normal[1], normal[0]])
    along, across = points @ direction, points @ normal - offset
    low, high = along[run].min(), along[run].max()
    spent = run | (np.abs(across) < 2 * NEAR) & (along > low - 1) & (along < high + 1)
    return offset * normal + np.outer([low, high], direction), spent


def _unit(angle):
    return np.array([np.cos(angle), np.sin(angle)])


def _ballots(points, normals, shape):
    # the lines x cos(angle) + y sin(angle) = offset that each point votes for, in bins of 2 degrees and 1.5 pixels
    reach = int(np.hypot(*shape) / 1.5) + 1
    facing = np.rint(np.degrees(np.arctan2(normals[:, 1], normals[:, 0])) / 2).astype(int)
    bins = (facing[:, None] + np.arange(-4, 5)) % 90
    angles = np.radians(2 * bins)
    offsets = points[:, :1] * np.cos(angles) + points[:, 1:] * np.sin(angles)
    return bins * (2 * reach + 1) + np.rint(offsets / 1.5).astype(int) + reach, reach


def _candidate(ballot, reach):
    angle, offset = divmod(ballot, 2 * reach + 1)
    return np.radians(2 * angle), 1.5 * (offset - reach)


def _longest_run(along, on):
    # those of the points `on` a line that lie in its longest stretch without a gap
    order = np.flatnonzero(on)[np.argsort(along[on], kind="stable")]
    stretches = np.split(order, np.flatnonzero(np.diff(along[order]) > GAP) + 1)
    run = np.zeros(len(along), bool)
    run[max(stretches, key=lambda s: np.ptp(along[s]) if len(s) else -1)] = True
    return run


def _fit(points, weights):
    # total least squares: the normal is the direction in which the points vary least
    middle = weights @ points / weights.sum()
    spread = (points - middle).T * weights @ (points - middle)
    normal = np.linalg.eigh(spread)[1][:, 0]
    return np.arctan2(normal[1], normal[0]), normal @ middle


def join_lines(lines):
    """The LineDrawing of lines that meet, at their ends or where one ends upon another, and close polygons.

    lines: (L, 2, 2), as `find_lines` gives them.
    """
    pairs, places, sines = _meetings(lines)
    straight = _grouped(len(lines), pairs[sines < STRAIGHT])
    # meetings within reach of each other, directly or through others, are one vertex
    near = np.hypot(*np.moveaxis(places[:, None] - places, 2, 0)) < SAME
    vertex = _grouped(len(places), np.argwhere(near))
    members = [np.unique(pairs[vertex == k]) for k in range(max(vertex, default=-1) + 1)]
    vertices = np.array([_crossing(lines[m], places[vertex == k][0]) for k, m in enumerate(members)]).reshape(-1, 2)
    on = [[] for _ in lines]
    for k, through in enumerate(members):
        for i in through:
            on[i].append(k)
    edges = {}
    for (start, end), met, name in zip(lines, on, straight):
        met.sort(key=lambda k: vertices[k] @ (end - start))
        edges |= {pair: name for pair in zip(met, met[1:])}
    return draw(vertices, list(edges), list(edges.values()))


def _meetings(lines):
    # pairs of lines (P, 2) that cross where one at least ends and neither ends long before; the places; the sines
    start, length = lines[:, 0], np.hypot(*(lines[:, 1] - lines[:, 0]).T)
    way = (lines[:, 1] - start) / length[:, None]
    i, j = np.tril_indices(len(lines), -1)
    sine = _det(way[i], way[j])
    straight, steep = np.abs(sine) < STRAIGHT, np.where(np.abs(sine) < STRAIGHT, 1, sine)
    along = np.stack([_det(start[j] - start[i], way[j]), _det(start[j] - start[i], way[i])]) / steep
    ends = np.stack([length[i], length[j]])
    # near a vertex a line is lost for as long as it runs beside the other
    reach = REACH + 2 * NEAR / np.abs(steep)
    meets = (np.maximum(-along, along - ends).max(0) < reach) & (
        np.minimum(np.abs(along), np.abs(along - ends)).min(0) < reach)
    places = start[i] + along[0, :, None] * way[i]
    # two pieces of one straight line meet between their nearest ends
    a, b = lines[i][:, [0, 0, 1, 1]], lines[j][:, [0, 1, 0, 1]]
    gaps = np.hypot(*np.moveaxis(a - b, 2, 0))
    middle = np.take_along_axis((a + b) / 2, gaps.argmin(1)[:, None, None], 1)[:, 0]
    meets = np.where(straight, gaps.min(1) < GAP, meets)
    places = np.where(straight[:, None], middle, places)
    return np.stack([i, j], 1)[meets], places[meets], np.abs(sine)[meets]


def _det(a, b):
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _grouped(n, pairs):
    # the group, 0, 1, ..., of each of n things of which some pairs belong together
    links = coo_array((np.ones(len(pairs)), np.reshape(pairs, (-1, 2)).T), (n, n))
    return connected_components(links, directed=False)[1]


def _crossing(lines, place):
    # the point nearest to lines in the least-squares sense, or the place itself where they are pieces of one
    along = lines[:, 1] - lines[:, 0]
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.hypot(*along.T)[:, None]
    if np.linalg.svd(normal, compute_uv=False)[1] < STRAIGHT:
        return place
    return np.linalg.lstsq(normal, (normal * lines[:, 0]).sum(1), rcond=None)[0]


def draw(vertices, edges, lines=None):
    """The LineDrawing of given vertices and edges, without edges that hang loose, and with the polygons they enclose.

    vertices: (V, 2). edges: pairs of vertices, which cross nowhere else. lines: the line that each edge is a piece of,
    where several are; a polygon has no corner between pieces of one line.

    Raises:
        ValueError: vertices are not (V, 2), or an edge names a vertex that is not there.
    """
    vertices = np.asarray(vertices, float)
    if vertices.ndim != 2 or vertices.shape[1] != 2:
        raise ValueError(f"draw: got vertices of shape {vertices.shape}, expected (V, 2)")
    around = {v: set() for v in range(len(vertices))}
    for a, b in edges:
        if not (0 <= a < len(vertices) and 0 <= b < len(vertices)):
            raise ValueError(f"draw: got the edge {(int(a), int(b))}, expected vertices below {len(vertices)}")
        around[int(a)].add(int(b))
        around[int(b)].add(int(a))
    loose = [v for v in around if len(around[v]) == 1]
    while loose:
        v = loose.pop()
        for other in around[v]:
            around[other].remove(v)
            loose += [other] * (len(around[other]) == 1)
        around[v] = set()
    lines = range(len(edges)) if lines is None else lines
    line = {side: i for (a, b), i in zip(edges, lines) for side in ((int(a), int(b)), (int(b), int(a)))}
    kept = [(a, b) for a in around for b in sorted(around[a]) if a < b]
    return LineDrawing(vertices, np.array(kept, int).reshape(-1, 2), _polygons(vertices, around, line))


def _polygons(vertices, around, line):
    # walk along every side, turning as sharply to the left as can be; a walk that comes out clockwise is an outline
    turn = {}
    for v, others in around.items():
        by_angle = sorted(others, key=lambda u: np.arctan2(*(vertices[u] - vertices[v])[::-1]))
        turn |= {(u, v): w for u, w in zip(by_angle, by_angle[1:] + by_angle[:1])}
    polygons, walked = [], set()
    for start in turn:
        sides, side = [], start
        while side not in walked:
            walked.add(side)
            sides.append(side)
            side = side[1], turn[side]
        polygon = [side[0] for before, side in zip(sides[-1:] + sides, sides) if line[before] != line[side]]
        if 2 < len(polygon) == len(set(polygon)) and area(vertices[polygon]) > 0:
            polygons.append(polygon)
    return polygons


def area(corners):
    """The area of polygons (…, V, 2) in pixels: positive where they run anticlockwise as seen, y pointing down."""
    x, y = corners[..., 0], corners[..., 1]
    return 0.5 * (y * np.roll(x, -1, -1) - x * np.roll(y, -1, -1)).sum(-1)
