# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Can a computer be told what a cow is?"
# # Explicit models
#
# In 1963 Lawrence Roberts gave a computer the photograph of a wooden block, and the computer drew the block as it looks from behind [@roberts1963]. It had never seen it from there. It had been told what a cuboid is, and that was enough: *knowing what a thing is* means knowing how it looks from everywhere.
#
# Could one tell a computer in the same way what a cow is? Ten years later Martin Fischler and Robert Elschlager proposed to: a thing is a set of parts, held together by springs [@fischler1973]. This chapter builds both programs, in full, and then takes them out into the pasture.

# %% tags=["nbval-check-output", "slide"]
import inspect
import time
from dataclasses import replace

import numpy as np
from IPython.display import Markdown
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation
from skimage.feature import daisy
from sklearn.linear_model import LogisticRegression

from dtwin import check, claims, plots
from dtwin.data import pasture
from dtwin.vision import parts, polyhedra, roberts

for solid in polyhedra.SOLIDS:
    print(f"{solid.name:6}  {len(solid.vertices):2} vertices, {len(solid.faces)} faces")

# %% [markdown]
# ## Roberts' blocks
#
# These three solids are all that the program knows. It also knows its camera, and it assumes what Roberts saw to in his laboratory: smooth blocks of one colour, on a bare table, lit from beside the camera.
#
# ### An edge is a difference
#
# A photograph is a table of numbers, and none of them says "edge". But where a bright face meets a dark one, neighbouring numbers differ. Roberts looked at windows of 2 × 2 pixels and took the differences along the two diagonals:
#
# $$\begin{bmatrix} a & b \\ c & d \end{bmatrix} \quad\longrightarrow\quad G = \sqrt{(a - d)^2 + (b - c)^2} .$$
#
# Try it on a bright square, by hand. In a window that the square's upright side runs through, $a$ and $c$ are 0, $b$ and $d$ are 1: $G = \sqrt{1 + 1}$. Where only the corner of the square reaches into the window, one of the four is 1, and $G = 1$.

# %% alt="Two matrices. Left, a picture of five by five pixels, 0 outside and 1 in a square of three by three. Right, the four by four answers of Roberts' cross: 1 in the four corners, 1.4 along the sides, 0 in the middle."
square = np.pad(np.ones((3, 3)), 1)
_, strength = roberts.roberts_cross(square)
plots.matrices([square, strength], labels=["picture", "G"], between=["→"])

# %% [markdown]
# **Figure.** Roberts' cross draws the outline of the square and is silent where nothing changes. There is one answer for each window, so the table is smaller by one row and one column.

# %%
windows = {(0, 1, 0, 1): 2**0.5, (0, 0, 1, 1): 2**0.5, (1, 0, 0, 0): 1, (0, 1, 0, 0): 1,
           (0, 0, 1, 0): 1, (0, 0, 0, 1): 1}
errors = [abs(roberts.roberts_cross(np.reshape(window, (2, 2)))[1].item() - expected)
          for window, expected in windows.items()]
claims.measure("roberts-cross-step-response", max(errors))

# %% [markdown]
# ### From points to lines, from lines to polygons
#
# Now a photograph of a block. [`find_lines`][dtwin.vision.roberts.find_lines] lets every edge point vote for the lines it could lie on, across its gradient; the line with most votes takes its points, is fitted to them by least squares, and the vote is repeated with the rest. [`join_lines`][dtwin.vision.roberts.join_lines] finds the *vertices*, where lines meet, and the *polygons* between them. Lines that hang loose fall away.
#
# > [!note]
# > The vote is a later idea, the Hough transform; Roberts joined short strokes to longer ones. The rest goes his way: cross, lines fitted by least squares, polygons, solids.

# %%
def photograph(kind, size=256, **causes):
    return pasture.render_block(pasture.Block(kind, size=size, **causes))


def drawn(image):
    return roberts.join_lines(roberts.find_lines(image.mean(0) / 255))


def trace(ax, drawing):
    for n, polygon in enumerate(drawing.polygons):
        ax.fill(*drawing.vertices[polygon].T, color=f"C{n % 7}", alpha=0.35, linewidth=0)
    for edge in drawing.edges:
        ax.plot(*drawing.vertices[edge].T, color=plots.theme().ink, linewidth=1.2)


photo = photograph("prism", azimuth=30, sun_azimuth=60)
lines, drawing = roberts.find_lines(photo.image.mean(0) / 255), drawn(photo.image)
print(f"{len(lines)} lines, {len(drawing.polygons)} polygons of",
      sorted(map(len, drawing.polygons)), "sides")

# %% alt="Four stages side by side. A photograph of a grey hexagonal prism with its shadow. The answers of Roberts' cross, bright along the edges of prism and shadow. Straight lines in several colours along all of them, slightly short of the corners. Last, the line drawing of prism and shadow with its five polygons tinted: a hexagon, three quadrilaterals, and a pentagon of shadow."
@plots.figure
def stages(photo, lines, drawing):
    fig, axes = plots.canvas(2.0, 1, 4)
    names = ["photograph", "Roberts' cross", f"{len(lines)} lines",
             f"{len(drawing.polygons)} polygons"]
    for ax, name in zip(axes, names):
        ax.set_title(name)
        ax.set(xlim=(20, 236), ylim=(226, 30), aspect="equal")
        plots.blank(ax, plots.theme().faint)
    axes[0].imshow(photo.image.transpose(1, 2, 0))
    strength = roberts.roberts_cross(photo.image.mean(0) / 255)[1]
    axes[1].imshow(strength ** 0.5, extent=(0, 255, 255, 0),
                   cmap=plots.ramp(plots.theme().paper, plots.theme().ink))
    for line in lines:
        axes[2].plot(*line.T)
    trace(axes[3], drawing)
    return fig


stages(photo, lines, drawing)

# %% [markdown]
# **Figure.** The photograph, and what the program makes of it. The shadow has edges too, and the program has drawn them with the others.
#
# How good is the drawing? The pasture knows the truth.

# %% tags=["nbval-check-output"]
apart = drawing.vertices[:, None] - photo.corners[photo.visible]
gaps = np.hypot(apart[..., 0], apart[..., 1])
print("each true corner has a vertex within a pixel:", (gaps.min(0) < 1).all())

# %% [markdown]
# ### From polygons to a solid
#
# A drawing is flat. To be a *picture of* a solid, it must be what a camera would see. Let $\mathbf{x}$ be a vertex of the cuboid that fills the box from −1 to 1. Stretch it by $S$ (three numbers), turn it by $R$ (three angles), shift it by $\mathbf{t}$ (three numbers), look at it through the camera $K$; it lands on the pixel $(u, v)$:
#
# $$w \begin{pmatrix} u \\ v \\ 1 \end{pmatrix} = K \left( R\, S\, \mathbf{x} + \mathbf{t} \right) . \tag{2.1}$$
#
# A large block far away looks like a small one nearby, so eight of the nine numbers can be known. Every vertex gives two equations. The seven visible corners of a cuboid give fourteen: six more than needed, and they can *contradict* the guess. That is the whole trick. A wrong solid leaves a large *residual*, in pixels. It is what no choice of the eight numbers removes: the squared distances, added up, divided by the number of equations to spare (here six), under a root.
#
# Which vertex is which? [`readings`][dtwin.vision.polyhedra.readings] takes one polygon for one face with as many sides, and grows from there: across a side of a face lies only one other face. The wrong ways to read a drawing soon run into a triangle where a square should be.

# %% tags=["nbval-check-output"]
def camera(block):
    focal, middle = block.focal * block.size, (block.size - 1) / 2
    return np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]])


match = polyhedra.recognise(drawing, camera(photo.block))
for solid in polyhedra.SOLIDS:
    found = [(solid, *reading) for reading in polyhedra.readings(drawing.polygons, solid)]
    tried = polyhedra.fit(drawing, camera(photo.block), found)
    closest = min(tried, key=lambda m: (-len(m.polygons), m.residual))
    print(f"{solid.name:6}  reads {len(closest.polygons)} of the polygons as faces,",
          f"residual {closest.residual:.1f} px")
print("so it is a", match.solid.name)

# %% [markdown]
# The wedge could be stretched to two of the faces, and not badly. The prism explains four, and is believed.
#
# To come from [(2.1)](#equation-1) to a pixel one divides by $w$, so the equations are not linear. [`solve`][dtwin.vision.polyhedra.solve] begins with a camera so far away that $w$ is the same for all, which makes them so, and improves the guess step by step. Roberts kept the unknown $w$ of each vertex in his equations and solved a linear system in homogeneous coordinates.
#
# With the numbers, the computer has the block itself, and can turn it. Faces that look away from the camera hide their edges: *hidden-line removal*, which Roberts' thesis gave to computer graphics as well.

# %%
def seen_from(match, turn, tilt):
    upright = match.rotation[:, np.abs(match.rotation[1]).argmax()]
    down = upright * np.sign(upright[1])
    spin = Rotation.from_rotvec(np.radians(turn) * down).as_matrix()
    nod = Rotation.from_euler("x", tilt, degrees=True).as_matrix()
    return (match.points - match.shift) @ (nod @ spin).T + match.shift


def outline(ax, points, match, photo):
    flat = points @ camera(photo.block).T
    for k in polyhedra.front(points, match.solid.faces):
        corners = flat[list(match.solid.faces[k])]
        ax.fill(*(corners[:, :2] / corners[:, 2:]).T, fill=False, edgecolor="C0", lw=1.6,
                joinstyle="round")

# %% alt="Two rows of five pictures, for a prism and a wedge. First the photograph with the fitted solid drawn over it, matching its edges. Then line drawings of the same solid without photograph: turned by 60 and by 120 degrees, from behind, and from above, each without the edges that are hidden. The wedge shows a slope in front and an upright square behind."
@plots.figure
def around(pairs):
    fig, axes = plots.canvas(3.1, len(pairs), 5)
    views = {"fitted": (0, 0), "60° round": (60, 0), "120° round": (120, 0),
             "from behind": (180, 0), "from above": (0, 35)}
    for first, row, (photo, match) in zip((True, False), axes, pairs):
        row[0].imshow(photo.image.transpose(1, 2, 0), alpha=0.6)
        for ax, (name, view) in zip(row, views.items()):
            outline(ax, seen_from(match, *view), match, photo)
            ax.set(xlim=(0, 255), ylim=(255, 0), title=name if first else "")
            plots.blank(ax, plots.theme().faint)
    return fig


slope = photograph("wedge", azimuth=40, sun_azimuth=60)
wedge = polyhedra.recognise(drawn(slope.image), camera(slope.block))
around([(photo, match), (slope, wedge)])

# %% [markdown]
# **Figure.** Recognised, and therefore known from all sides. Nobody showed the computer the back of these blocks. The prism is the same from behind; the wedge shows its upright face.
#
# ### How often is it right?
#
# First the second half alone: true line drawings of blocks drawn at random, with the vertices where they should be, or moved at random. One kind of view has to be left out, because nobody could name the block. Two quadrilaterals with a common side are two faces of a cuboid, or just as well two faces of a wedge that lies on its third; a single one says even less. (Exercise 3.)

# %%
def true_drawing(block, seen, noise=0.0, rng=None):
    corners = (seen.corners + 0.5) * block.size / seen.block.size - 0.5
    moved = noise * rng.normal(size=corners.shape) if noise else 0
    return roberts.draw(corners + moved, seen.edges[seen.seen])


def telling(block, seen):
    polygons = true_drawing(block, seen).polygons
    return len(polygons) > 2 or any(len(polygon) != 4 for polygon in polygons)


drawn_blocks = [(block, pasture.render_block(replace(block, size=8)))
                for block in pasture.sample_blocks(340, seed=1, size=256)]
told = [pair for pair in drawn_blocks if telling(*pair)]
trials = told[:300]
print(f"{len(told)} of {len(drawn_blocks)} views tell what they show")
exact = [polyhedra.recognise(true_drawing(*pair), camera(pair[0])) for pair in trials]
claims.measure("roberts-fit-is-exact", max(match.residual for match in exact))

# %%
def right(match, block):
    return match is not None and match.solid.name == block.kind


rights = [right(match, block) for match, (block, _) in zip(exact, trials)]
claims.measure("roberts-names-blocks", 100 * np.mean(rights))

# %%
def named_in_noise(pairs, noise, seed):
    rng = np.random.default_rng(seed)
    drawings = [true_drawing(*pair, noise, rng) for pair in pairs]
    return 100 * np.mean([right(polyhedra.recognise(drawing, camera(block)), block)
                          for drawing, (block, _) in zip(drawings, pairs)])


claims.measure("roberts-names-blocks-in-noise", named_in_noise(trials, noise=1.0, seed=2))

# %% [markdown]
# That was with noise of one pixel, on pictures of 256. With more of it? Twelve drawings of each solid:

# %% alt="Three curves over the noise on the vertices, from one pixel to eight on a logarithmic axis: the share of drawings named rightly, for cuboid, wedge and prism. All begin near 100 percent and fall steeply after two pixels, to next to nothing at eight."
noises, kinds = [1, 2, 4, 8], [solid.name for solid in polyhedra.SOLIDS]
some = {kind: [pair for pair in trials if pair[0].kind == kind][:12] for kind in kinds}
rates = {kind: [named_in_noise(pairs, noise, seed=3) for noise in noises]
         for kind, pairs in some.items()}
plots.curves(rates, "noise on vertices, pixels", "named rightly, %", x=noises, log="x")

# %% [markdown]
# **Figure.** The program accepts a residual of up to three pixels. Beyond that it says nothing, rather than guess.
#
# Now the whole way, from the pixels. One block of each kind turns once round, under a lamp that stays a little to one side of the camera, in pictures of 192 × 192.

# %% alt="Three rows of dots over the azimuth from 0 to 360 degrees, for cuboid, wedge and prism. Most dots are filled: named rightly. A few are open, no name, near 10, 60, 135 and 185 degrees, and one is a cross, a wrong name, for the cuboid at 285 degrees."
def whole_way(photo):
    return polyhedra.recognise(drawn(photo.image), camera(photo.block))


@plots.figure
def turning(rows, azimuths):
    fig, ax = plots.canvas(1.7)
    for y, (kind, matches) in enumerate(rows.items()):
        for x, match in zip(azimuths, matches):
            wrong = match and match.solid.name != kind
            ax.plot(x, y, "x" if wrong else "o", color="C1" if wrong else "C0",
                    markerfacecolor="C0" if match else "none")
    ax.set(yticks=range(3), yticklabels=list(rows), ylim=(2.6, -0.6),
           xlabel="azimuth, degrees", xticks=range(0, 361, 45))
    ax.spines[:].set_visible(False)
    return fig


azimuths = np.arange(10, 360, 25)
rows = {kind: [whole_way(photograph(kind, size=192, azimuth=a, sun_azimuth=a + 30))
               for a in azimuths] for kind in kinds}
turning(rows, azimuths)

# %% [markdown]
# **Figure.** Filled: the right name. Cross: a wrong one. Open: none. The failures have reasons that can be looked up: two faces equally bright, so that no edge is left between them; a face so thin that its two long edges become one; two edges that happen to lie on one line.
#
# ## Out of the laboratory
#
# The program assumes that every edge is an edge of a block. Roberts could see to that. Break the assumption in two steps: paint the blocks with spots, then put the painted blocks out on the pasture, with grass and animals behind them.

# %%
def worlds(block, n):
    photo = pasture.render_block(replace(block, sun_azimuth=block.azimuth + 30))
    noise = gaussian_filter(np.random.default_rng(n).normal(size=photo.mask.shape), 5)
    painted = photo.image * np.where(photo.mask & (noise > 0), 0.75, 1)
    behind = pasture.images(pasture.sample(1, seed=(6, n), size=block.size, samples=1))[0]
    return {"bare table": photo.image, "painted": painted,
            "painted, on the pasture": np.where(photo.mask, painted, behind)}


tested = [replace(block, size=192) for block, _ in trials[-30:]]
pictures = [worlds(block, n) for n, block in enumerate(tested)]
drawings = [{name: drawn(image) for name, image in world.items()} for world in pictures]
answers = [{name: polyhedra.recognise(drawing, camera(block))
            for name, drawing in seen.items()} for block, seen in zip(tested, drawings)]

# %% alt="Two rows of three pictures. Above, a block on a bare table, the same block painted with dark spots, and the painted block in front of a pasture with an animal. Below, the drawings that the program made of them: three clean polygons for the first, one stray polygon for the second, and lines across the whole picture for the third."
@plots.figure
def breaking(pictures, drawings):
    fig, axes = plots.canvas(4.8, 2, 3)
    for column, (name, image) in zip(axes.T, pictures.items()):
        column[0].imshow(image.transpose(1, 2, 0).astype(np.uint8))
        column[0].set_title(name)
        trace(column[1], drawings[name])
        for ax in column:
            ax.set(xlim=(0, 191), ylim=(191, 0), aspect="equal")
            plots.blank(ax, plots.theme().faint)
    return fig


breaking(pictures[2], drawings[2])

# %% [markdown]
# **Figure.** One block, three worlds, and below each what the program sees. It has no way to doubt an edge.

# %% alt="Two panels of three bars, percent of thirty blocks. Left, named rightly: a long bar for the bare table, short ones for painted blocks and for painted blocks on the pasture. Right, given any name: long bars for the bare table and for the pasture, a middling one for painted blocks."
conditions = list(answers[0])
bare, painted, wild = (
    100 * np.mean([right(answer[name], block) for block, answer in zip(tested, answers)])
    for name in conditions)
any_name = [100 * np.mean([answer[name] is not None for answer in answers])
            for name in conditions]
plots.bars({"named rightly, %": [bare, painted, wild], "given any name, %": any_name},
           conditions)

# %% [markdown]
# **Figure.** On the pasture the program has an answer again: among so many lines some pair of polygons usually fits some solid, in seven pictures of ten. With three names to choose from, luck alone is right one time in three.

# %%
claims.measure("roberts-fails-in-the-pasture", bare - wild)

# %% [markdown]
# And a cow? Nothing on a cow is a polygon. A model of this kind would need a hundred curved surfaces, and a way to bend. This is why the models became looser.
#
# ## Parts and springs
#
# Fischler and Elschlager asked for less. Their model of a face is a list of *parts* (eyes, nose, mouth, the edges of the hair) and *springs* between them. A part is whatever a small local test can find, badly. A spring says where one part is expected from another, and how much it may give. With a cost $m_i(\mathbf{l}_i)$ for placing part $i$ at $\mathbf{l}_i$, a spring of rest $\mathbf{r}_{ij}$ and stiffness $k_{ij}$, the best placement is that of least *energy*:
#
# $$E(\mathbf{l}_1, \dots, \mathbf{l}_n) = \sum_i m_i(\mathbf{l}_i) + \sum_{(i,j)} k_{ij} \left\| \mathbf{l}_j - \mathbf{l}_i - \mathbf{r}_{ij} \right\|^2 .$$
#
# A case by hand: two parts on five places. The head is cheapest at place 1. The tail, alone, would be at place 0, but the spring wants it three places to the right of the head, at $k = 1$.

# %% tags=["nbval-check-output"]
head = np.array([5, 1, 4, 6, 6])
tail = np.array([0, 6, 6, 5, 2])
for h in range(5):
    tries = [tail[t] + (t - h - 3) ** 2 for t in range(5)]
    print(f"head at {h} costs {head[h]}, its best tail is at {np.argmin(tries)}",
          f"for {min(tries)}, together {head[h] + min(tries)}")

# %% [markdown]
# The tail is found at 4, though 0 is cheaper for it by itself: the head and the spring have outvoted it.
#
# ### A distance transform
#
# For every place of the head we tried every place of the tail: $n^2$ tries for $n$ places. But look at the least cost as a function of the head's place $p$. Every place $q$ of the tail contributes a parabola, all of the same width, and wanted is the lowest at each $p$. Two such parabolas cross exactly once. So one walk along $q$ is enough to keep those that are lowest somewhere, and each that is overtaken is dropped for good [@felzenszwalb2012; @felzenszwalb2005].

# %% alt="Twelve dots, the costs of twelve places, each the lowest point of a parabola. Most parabolas are faint. The lower envelope of them all is drawn in strong blue: smooth bowls with kinks between them, touching only some of the dots."
@plots.figure
def envelope(cost, stiffness):
    fig, ax = plots.canvas(2.6)
    p = np.linspace(-0.5, len(cost) - 0.5, 600)
    parabolas = cost[:, None] + stiffness * (p - np.arange(len(cost))[:, None]) ** 2
    ax.plot(p, parabolas.T, color=plots.theme().faint, lw=1)
    ax.plot(p, parabolas.min(0), color="C0", lw=2.6)
    ax.plot(cost, "o", color="C1")
    ax.set(xlabel="place", ylabel="cost", ylim=(0, 7), xticks=range(len(cost)))
    ax.text(4.5, 0.9, "lower envelope", color="C0", ha="center")
    ax.text(11.2, cost[11] + 0.2, "cost of a place", color="C1", ha="right", va="bottom")
    return fig


envelope(np.array([2, 5, 4, 3, 6, 3.2, 1.5, 4, 6, 5, 2.5, 5]), 0.5)

# %% [markdown]
# **Figure.** Every place is the bottom of a parabola. The lower envelope is what the best tail costs, seen from each place of the head.

# %%
Markdown(f"```python\n{inspect.getsource(parts.distance_transform)}```")

# %% [markdown]
# All rows of an image are walked at once, so that NumPy's loop runs over columns only. Is it the same as trying everything, and what does it save?

# %%
def timed(transform, rows):
    seconds = []
    for _ in range(max(1, 1024 // rows.shape[1])):
        start = time.thread_time()
        costs, _ = transform(rows, 0.05)
        seconds.append(time.thread_time() - start)
    return min(seconds) / len(rows), costs


sizes, rng = [256, 512, 1024, 2048, 4096], np.random.default_rng(4)
few = [rng.normal(size=(48, n)) for n in sizes]
many = [rng.normal(size=(98_304 // n, n)) for n in sizes]  # as many pixels in each
fast = [[timed(parts.distance_transform, rows) for rows in few] for _ in range(12)]
slow = [[timed(parts.distance_transform_brute, rows) for rows in many] for _ in range(6)]
claims.measure("distance-transform-is-exact",
               max(np.abs(parts.distance_transform(rows, 0.05)[0] - costs).max()
                   for rows, (_, costs) in zip(many, slow[0])))

# %% alt="Two lines on logarithmic axes, seconds for a row over its length from 256 to 4,096. The lower envelope rises with slope one. Trying everything starts below it, rises twice as steeply, crosses it and ends far above."
times = {name: np.min([[seconds for seconds, _ in sweep] for sweep in sweeps], axis=0)
         for name, sweeps in {"lower envelope": fast, "every place": slow}.items()}
plots.curves(times, "pixels in a row", "seconds for a row", x=sizes, log="xy")

# %% [markdown]
# **Figure.** Four times as many pixels: four times the time, or sixteen times. It is the time of the processor, not of the clock on the wall, and the least of several runs: whatever else the machine is doing can only add to it. Of short rows more are tried at once, so that each length has to move as many numbers through the memory.

# %%
def slope_of(seconds):
    return np.polyfit(np.log(sizes), np.log(seconds), 1)[0]


claims.measure("distance-transform-is-linear", slope_of(times["lower envelope"]))

# %%
claims.measure("brute-force-is-quadratic", slope_of(times["every place"]))

# %% [markdown]
# ### A tree of parts
#
# In a picture a place has $x$ and $y$; a quadratic spring pulls on both apart, so the transform runs along the rows and then along the columns. With many parts, let every part hang on one other, so that they form a *tree*. Begin with the leaves: the distance transform of a leaf's cost says what it will add to its parent, wherever that goes. Add it to the parent's own cost, and the parent is a leaf now. What remains in the end is one map, of the root; its lowest point is the best placement, and the way back down gives all other parts. This is *dynamic programming*. It leaves nothing out, and so it is exact.

# %%
Markdown(f"```python\n{inspect.getsource(parts.match)}```")

# %% [markdown]
# Here is every placement of four parts on 6 × 5 pixels, each with its energy.

# %%
rest, stiffness = np.array([[0, 0], [2, 1], [-1, 1], [0, -2]]), np.full((4, 2), 0.3)
star = parts.Tree((0, 0, 0, 0), rest, stiffness)
y, x = np.unravel_index(np.indices((30,) * 4).reshape(4, -1), (6, 5))
springs = parts.energy(np.zeros((4, 6, 5)), star, np.stack([x.T, y.T], -1)).reshape((30,) * 4)
differences = []
for costs in np.random.default_rng(5).normal(size=(20, 4, 6, 5)):
    a, b, c, d = costs.reshape(4, 30)
    energies = springs + np.add.outer(np.add.outer(a, b), np.add.outer(c, d))
    differences.append(parts.match(costs, star)[1] - energies.min())
print(f"{springs.size:,} placements, {len(differences)} times")
claims.measure("tree-match-is-exact", np.abs(differences).max())

# %% [markdown]
# What are springs good for? Take a star of four parts, a root and three that hang on it, in 24 × 24 pixels of noise. At its true place each part costs 2.5 less than the noise around it, 2.5 times the noise's own spread $\sigma$, but among so many places the noise alone goes deeper somewhere. The true places of the three wobble by one pixel about their rest. Bayes' rule fixes the stiffness. By it a cost $c$ counts $2.5\,c$ against a place (the log-likelihood ratio of two Gaussians of unit spread that lie 2.5 apart), and a wobble of $d$ pixels counts $d^2/(2 \cdot 1^2)$. Divide both by 2.5, and a spring costs $k d^2$ with the stiffness $k = 1/(2 \cdot 1^2 \cdot 2.5)$.

# %%
def stars(trials, seed, depth=2.5):
    rng, n = np.random.default_rng(seed), np.arange(trials)
    rest = np.array([[0, 0], [5, -3], [-5, -2], [1, 6]])
    costs, root = rng.normal(size=(4, trials, 24, 24)), rng.integers(9, 15, (trials, 2))
    wobble = np.rint(rng.normal(size=(4, trials, 2))).astype(int)
    wobble[0] = 0
    for part, at in enumerate(root + rest[:, None] + wobble):
        costs[part, n, at[:, 1], at[:, 0]] -= depth
    return costs, root, parts.Tree((0, 0, 0, 0), rest, np.full((4, 2), 0.5 / depth))


def cheapest(costs):
    lowest = costs.reshape(*costs.shape[:-2], -1).argmin(-1)
    return np.stack(np.unravel_index(lowest, costs.shape[-2:])[::-1], -1)

# %%
costs, root, tree = stars(200, seed=6)
placed, _, energies = parts.match(costs, tree)
hit = (placed[:, 0] == root).all(-1)
hit_alone = (cheapest(costs[0]) == root).all(-1)
print(f"root found: {hit_alone.mean():.1%} alone, {hit.mean():.1%} with springs")
claims.measure("springs-find-the-root", hit.mean() / hit_alone.mean())

# %% alt="Five maps of 24 by 24 pixels. Four are noise, the costs of the root and of three parts, each with a ring at a place that nothing marks. The fifth, the root's cost with all that hangs on it, is smoother, and darkest inside the ring."
@plots.figure
def votes(costs, energies, places):
    fig, axes = plots.canvas(1.7, 1, 5)
    names = ["root", "part 1", "part 2", "part 3", "all together"]
    maps, rings = [*costs, energies[0]], [*places, places[0]]
    for ax, name, cost, at in zip(axes, names, maps, rings):
        ax.imshow(cost, cmap=plots.ramp("#0b2a4a", "#e9eef5"))
        ax.plot(*at, "o", mfc="none", mec="#e8590c", ms=11, mew=1.6)
        ax.set_title(name)
        plots.blank(ax, plots.theme().faint)
    return fig


n = np.flatnonzero(hit & ~hit_alone)[0]
votes(costs[:, n], energies[:, n], placed[n])

# %% [markdown]
# **Figure.** The darker, the cheaper. The rings are where the springs put the parts; the root is in its true place, where its own map alone would not have put it.
#
# ## A cow, in parts
#
# A cow has no polygons, but it has a nose, a poll (the top of the head, between the horns), withers (the ridge above the shoulders), knees and hooves. The pasture tells where they are, so the small tests and the springs can be measured instead of guessed; Fischler and Elschlager set theirs by hand. The *test* for a part: how are the gradients around a pixel directed? scikit-image's `daisy` writes that down in 104 numbers [@tola2010], and a logistic regression turns them into a probability for each part and for "none". The cost is minus its logarithm. A *spring* gets the mean and the variance that it has in the training pictures.

# %%
step, reach, names = 2, 12, list(pasture.KEYPOINTS)


def cows(n, seed, **causes):
    from_the_side = dict(species="cow", size=96, azimuth=(60, 120), distance=(4.8, 6),
                         x=(-0.12, 0.12), y=(-0.1, 0.1), occluder="none")
    scenes = pasture.sample(n, seed=(8, seed), **from_the_side | causes)
    return list(pasture.pictures(scenes))


def around_pixels(picture):
    grey = np.pad(picture.image.mean(0) / 255, reach, mode="edge")
    return 10 * daisy(grey, step, reach, rings=2, histograms=6, orientations=8)


training = cows(80, seed=0)
surroundings = np.stack([around_pixels(cow) for cow in training])
places = np.stack([cow.keypoints for cow in training]) / step
print(f"{len(names)} parts; for each picture {surroundings.shape[1:]} numbers")

# %%
def examples(rng, near=3):
    size = surroundings.shape[1]
    for n, cow in enumerate(training):
        at = np.rint(places[n]).astype(int)
        for part in np.flatnonzero(cow.visible & (at >= 0).all(1) & (at < size).all(1)):
            yield n, *at[part, ::-1], part
        for y, x in rng.integers(0, size, (40, 2)):
            if np.hypot(*(at - [x, y]).T).min() > near:
                yield n, y, x, len(names)


n, y, x, part = np.array(list(examples(np.random.default_rng(9)))).T
tests = LogisticRegression(max_iter=300).fit(surroundings[n, y, x], part)
none = part == len(names)
print(f"{(~none).sum():,} examples of parts, {none.sum():,} of none")

# %%
hangs_on = {"withers": "withers", "rump": "withers", "poll": "withers",
            "nose": "poll", "tail tip": "rump"}
for leg, joint in [("foreleg", "withers"), ("hindleg", "rump")]:
    for side in ("left", "right"):
        limb = f"{side} {leg}"
        hangs_on |= {f"knee {limb}": joint, f"hoof {limb}": f"knee {limb}"}
order = [names.index(name) for name in hangs_on]
parents = tuple(list(hangs_on).index(parent) for parent in hangs_on.values())
springs = places[:, order] - places[:, order][:, parents]
variance = np.maximum(springs.var(0), 0.5)
cow_tree = parts.Tree(parents, springs.mean(0), 1 / (2 * variance))

# %% alt="A cow seen from its left side, with the tree of parts drawn over it: from the withers to the rump and to the poll, from the poll to the nose, from the rump to the tail tip, and down the four legs by way of the knees to the hooves. Around each part an ellipse shows how far it strays; the tallest is that of the poll."
@plots.figure
def model(cow, tree, variance):
    fig, ax = plots.canvas(4.4)
    ax.imshow(cow.image.transpose(1, 2, 0), alpha=0.55)
    at = [cow.keypoints[order[0]]]
    for part in range(1, len(order)):
        at.append(at[tree.parents[part]] + step * tree.offsets[part])
        ax.plot(*np.transpose([at[tree.parents[part]], at[part]]), color="#1f2430")
    turn = np.linspace(0, 2 * np.pi, 60)
    for place, spread in zip(at[1:], 2 * step * np.sqrt(variance[1:])):
        ax.fill(place[0] + spread[0] * np.cos(turn), place[1] + spread[1] * np.sin(turn),
                color="#0072b2", alpha=0.35, linewidth=0)
    ax.plot(*np.transpose(at), "o", color="#0072b2", ms=5)
    ax.set(xlim=(8, 88), ylim=(76, 22))
    plots.blank(ax, plots.theme().faint)
    return fig


typical = cows(1, seed=2, azimuth=90, graze=0.2, look=0, x=0, y=0, distance=5.6)[0]
model(typical, cow_tree, variance)

# %% [markdown]
# **Figure.** The model of a cow: thirteen parts, twelve springs, over a cow that the model does not know. The withers hold the rest. An ellipse is two standard deviations: so far a part strays from where its parent expects it. Heads go down to graze, so the spring from the withers to the poll is the loosest.
#
# Now the test: cows never seen, anywhere in the picture, on any ground, in any coat.

# %%
herd = cows(60, seed=1)
size = surroundings.shape[1]
chances = np.stack([tests.predict_log_proba(around_pixels(cow).reshape(size * size, -1))
                    for cow in herd])
costs = -np.moveaxis(chances, 2, 0)[order].reshape(len(order), len(herd), size, size)
found, _, sums = parts.match(costs, cow_tree)
truth = np.stack([cow.keypoints[order] for cow in herd])
each_alone = np.moveaxis(np.stack([cheapest(c) for c in costs]), 0, 1)
errors = {"each part alone": np.hypot(*np.moveaxis(step * each_alone - truth, 2, 0)),
          "parts and springs": np.hypot(*np.moveaxis(step * found - truth, 2, 0))}

# %% alt="Three rows of five pictures of one cow, for the withers, the nose, the tail tip, a knee and a hoof. In the first row the cost of the part, dark at several places. In the second row what its parent sees of it, soft and moved; for the withers one single dark spot, where all votes meet. In the third the cow with a cross where the part would be by itself and a dot where it is with springs; some crosses are far off, the dots are on the parts."
@plots.figure
def evidence(n, shown, depth=8):
    fig, axes = plots.canvas(4.5, 3, len(shown))
    ramp = plots.ramp("#0b2a4a", "#e9eef5")
    for column, part in zip(axes.T, shown):
        spring = cow_tree.offsets[part], cow_tree.stiffness[part]
        felt = parts.spread(sums[part, n], *spring)[0] if part else sums[0, n]
        for ax, cost in zip(column, (costs[part, n], felt)):
            ax.imshow(np.minimum(cost - cost.min(), depth), cmap=ramp)
        column[2].imshow(herd[n].image.transpose(1, 2, 0))
        column[2].plot(*(step * each_alone[n, part]), "x", color="#ff9d5c", ms=8, mew=2.4)
        column[2].plot(*(step * found[n, part]), "o", color="#3fa9f5", ms=6, mec="white")
        column[0].set_title(list(hangs_on)[part], fontsize=8.5)
    for ax in axes.flat:
        plots.blank(ax, plots.theme().faint)
    for ax, label in zip(axes[:, 0], ["cost", "felt by its parent", "found"]):
        ax.set_ylabel(label)
    return fig


rescued = (errors["each part alone"] > 10) & (errors["parts and springs"] < 4)
evidence(int(rescued.sum(1).argmax()), [0, 3, 4, 5, 10])

# %% [markdown]
# **Figure.** From cost to place. Above, what each small test believes: dark is cheap. In the middle, how the parent feels it through the spring, after the distance transform; the withers, the root, feel everything at once. Below, the part by itself (cross) and in the tree (dot).

# %% alt="Two panels of thirteen bars, one for each part: the percentage found within five pixels. Left, each part alone: uneven, from under one half to all. Right, with springs: all bars long, most of them longer than at the left; only that of the poll is a little shorter."
shares = {name: 100 * (error <= 5).mean(0) for name, error in errors.items()}
plots.bars({f"{name}, %": share for name, share in shares.items()}, list(hangs_on))

# %% [markdown]
# **Figure.** Parts found within five pixels of the truth, in pictures of 96 × 96. The weakest tests win most: withers are a smooth place on a smooth back, and the far knees are often hidden behind the near ones, but the springs know where they must be. The poll, between the horns, is the exception. Its test is good by itself, and a spring that rests half-way between a head held up and a head in the grass only pulls it away.

# %% tags=["nbval-check-output"]
middle = step * places[:, order].mean(0)
guessed = np.hypot(*np.moveaxis(middle - truth, 2, 0)) <= 5
alone, tied = ((error <= 5).mean() for error in errors.values())
print("parts alone find more than the average cow does:", alone > guessed.mean() + 0.3)
print("springs save more than half of what parts alone miss:", 1 - tied < (1 - alone) / 2)

# %% [markdown]
# And where springs fail?

# %% alt="Four pictures of cows with the found tree drawn over them in blue and the true key points as orange rings. In each a few parts are wrong, mostly hooves: a hind leg of the tree is laid on the tail, or both hind legs on one leg of the cow."
@plots.figure
def worst(chosen):
    fig, axes = plots.canvas(1.9, 1, len(chosen))
    for ax, n in zip(axes, chosen):
        ax.imshow(herd[n].image.transpose(1, 2, 0))
        for part in range(1, len(order)):
            bone = step * found[n, [cow_tree.parents[part], part]]
            ax.plot(*bone.T, "o-", color="#3fa9f5", ms=3, lw=1.4)
        ax.plot(*truth[n].T, "o", mfc="none", mec="#ff9d5c", ms=6, mew=1.4)
        plots.blank(ax, plots.theme().faint)
    return fig


worst(np.argsort(-errors["parts and springs"].max(1))[:4])

# %% [markdown]
# **Figure.** The four worst (found: blue; true: rings). Legs are laid on the tail, or two of the tree on one of the cow. A tree cannot say that two legs are two: each hangs on the rump by itself, and nothing keeps them from choosing the same one.
#
# ## The trend: towards the image
#
# Roberts wrote everything by hand: what an edge is, which solids there are, where they may stand, when to believe. Fischler and Elschlager wrote less about the thing and asked more of the picture. Our cow learned its tests and springs from examples, which is newer than 1973. That way the field went.

# %% alt="A table of six works in the order of their years, from 1963 to 2012, with four columns: features, parts, arrangement, decision. Roberts 1963, Fischler and Elschlager 1973 and Marr 1982: all four by hand. Bags of features 2004: features by hand, parts learned, arrangement dropped, decision learned. Deformable parts 2010: features by hand, the rest learned. AlexNet 2012: all four learned."
works = {"1963  Roberts": "hhhh", "1973  Fischler & Elschlager": "hhhh",
         "1982  Marr": "hhhh", "2004  bags of features": "hl-l",
         "2010  deformable parts": "hlll", "2012  AlexNet": "llll"}


@plots.figure
def trend(works):
    fig, ax = plots.sheet(20, 7.6)
    kinds = {"h": ("by hand", "C1"), "l": ("learned", "C0"), "-": ("dropped", None)}
    for k, stage in enumerate(["features", "parts", "arrangement", "decision"]):
        ax.text(9 + 3 * k, 0.7, stage, ha="center", color=plots.theme().muted)
    for row, (work, given) in enumerate(works.items()):
        ax.text(0.2, 1.75 + row, work, va="center")
        for k, (word, colour) in enumerate(kinds[kind] for kind in given):
            ax.fill_between([7.6 + 3 * k, 10.4 + 3 * k], 1.3 + row, 2.2 + row,
                            color=colour or plots.theme().paper, alpha=0.3, linewidth=0)
            ax.text(9 + 3 * k, 1.75 + row, word, ha="center", va="center", fontsize=8.5)
    return fig


trend(works)

# %% [markdown]
# **Figure.** Who says it, a person or the pictures? Column by column the answer changes. The later rows are the subject of chapters to come [@csurka2004; @felzenszwalb2010; @krizhevsky2012].

# %%
claims.quote("from-models-to-the-image")

# %% [markdown]
# ## The claims, measured
#
# A line drawing does determine the block, exactly and in spite of noise, where the world is made of blocks; elsewhere the same program fails, and does not notice. Parts and springs are matched exactly, in a time that grows with the number of pixels and not with its square, and they find together what no part finds alone. The trend is the lecture's own view, and the rest of the course tests it.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. What the cross does not see ★
#
# **Predict before you run.** What does Roberts' cross answer to a checkerboard whose squares are single pixels, 0 and 1? And to a gentle ramp that rises by 0.1 from each column to the next?

# %% [markdown] tags=["hint"]
# **Hint.** Write down one window of two by two pixels of each, and its two diagonals.

# %% [markdown] tags=["solution"]
# **Solution.** Nothing at all, in the first case: on both diagonals of a window the two pixels are equal. No grey picture has stronger contrast, and the cross is blind to it. On the ramp every window answers $0.1\sqrt{2}$: a slope is no edge, but the cross cannot know.

# %% tags=["solution", "nbval-check-output"]
board, ramp = np.indices((6, 6)).sum(0) % 2, np.ones((6, 1)) * np.arange(6) / 10
print("checkerboard:", np.unique(roberts.roberts_cross(board)[1].round(3)))
print("ramp:        ", np.unique(roberts.roberts_cross(ramp)[1].round(3)))

# %% [markdown]
# ### Exercise 2. A house ★★★
#
# **Program it.** Teach Roberts' program a house: a cuboid with a gable roof. See whether it is recognised among four solids. Instead of a photograph, draw the edges of the faces that a camera would see. Write the camera: `project(points, lens)` takes points (n, 3) and a lens, a matrix of 3 × 3, and returns the pixels (n, 2) at which they are seen. Run `check(project)`.

# %% [markdown] tags=["hint"]
# **Hint.** Multiplied by the lens, a point $(x, y, z)$ becomes $(uw, vw, w)$, and it is seen at $(u, v)$.

# %% [markdown] tags=["hint"]
# **Hint.** [`polyhedra.extrude`][dtwin.vision.polyhedra.extrude] makes a solid of its outline, drawn out along $y$. [`polyhedra.front`][dtwin.vision.polyhedra.front] tells which faces look at the camera.

# %% [markdown] tags=["hint"]
# **Hint.** The sides of a face are the pairs `zip(face, face[1:] + face[:1])`, and `roberts.draw` makes a drawing of points and sides.

# %% [markdown] tags=["solution"]
# **Solution.** First the camera:

# %% tags=["solution", "nbval-check-output"]
def project(points, lens):
    flat = points @ lens.T
    return flat[:, :2] / flat[:, 2:]


check(project)

# %% [markdown] tags=["solution"]
# Then the house, stretched, turned, and moved away from the camera. The stretch comes out as 2 : 3 : 2.5 but for its scale (or with the axes in another order, if the solid has a symmetry that exchanges them).

# %% tags=["solution", "nbval-check-output"]
house = polyhedra.extrude("house", [(-1, -1), (1, -1), (1, 0.2), (0, 1), (-1, 0.2)])
turn = Rotation.from_rotvec([0.5, 0.6, 0.1]).as_matrix()
points = house.vertices * [0.2, 0.3, 0.25] @ turn.T + [0, 0, 2]
lens = np.array([[300, 0, 128], [0, 300, 128], [0, 0, 1]])
faces = [house.faces[k] for k in polyhedra.front(points, house.faces)]
sides = {side for face in faces for side in zip(face, face[1:] + face[:1])}
drawing = roberts.draw(project(points, lens), sides)
match = polyhedra.recognise(drawing, lens, [*polyhedra.SOLIDS, house])
print(match.solid.name, (2 * match.stretch / match.stretch[0]).round(2))

# %% [markdown]
# ### Exercise 3. Two solids in one drawing ★★
#
# **Think.** A drawing shows two quadrilaterals with a common side. Why can it be a cuboid and a wedge at the same time, to the last digit? What more would one have to know?

# %% [markdown] tags=["solution"]
# **Solution.** Both solids have two rectangles at right angles: the cuboid everywhere, the wedge where its upright face meets its bottom. Tilt the wedge until these two look at the camera, and the picture is the same; what differs is behind. Roberts' program also knew that things are supported. A wedge that stands on its slope would not be tried if the table is known.

# %% [markdown]
# ### Exercise 4. Behind a bush ★★
#
# **Predict, then program it.** Put a bush before the cows: `cows(40, seed=3, occluder="bush", cover=0.15)` (`cover` says how far to the right of the middle it stands). Which parts suffer, alone and with springs, and what happens to parts that are hidden altogether? To measure it, write `off_by(places, true, visible)`. The first two are places in pixels, of shape (n, parts, 2), and `visible` says which parts can be seen, (n, parts). It returns two numbers: the median distance of the hidden parts from their true places, and that of the visible ones. Run `check(off_by)`.

# %% [markdown] tags=["hint"]
# **Hint.** `distance[~visible]` is a list of the hidden parts of all cows.

# %% [markdown] tags=["hint"]
# **Hint.** The cells under "Now the test" find the parts of a herd, alone and in the tree; `cow.visible[order]` tells which parts are hidden.

# %% [markdown] tags=["solution"]
# **Solution.** Alone, a hidden part is found anywhere but in its place. In the tree it goes where its spring leaves it, close to the truth: the spring predicts what the picture does not show. (With fewer cows than you were asked for, to save time.)

# %% tags=["solution", "nbval-check-output"]
def off_by(places, true, visible):
    distance = np.hypot(*np.moveaxis(places - true, 2, 0))
    return np.median(distance[~visible]), np.median(distance[visible])


check(off_by)

# %% tags=["solution"]
bushy = cows(12, seed=3, occluder="bush", cover=0.15)
chances = np.stack([tests.predict_log_proba(around_pixels(c).reshape(size * size, -1))
                    for c in bushy])
costs = -np.moveaxis(chances, 2, 0)[order].reshape(len(order), len(bushy), size, size)
true = np.stack([c.keypoints[order] for c in bushy])
visible = np.stack([c.visible[order] for c in bushy])
ways = {"alone": np.moveaxis(cheapest(costs), 0, 1), "tree": parts.match(costs, cow_tree)[0]}
for way, places in ways.items():
    hidden, seen = off_by(step * places, true, visible)
    print(f"{way:5} hidden parts are off by {hidden:.0f} pixels, others by {seen:.0f}")

# %% [markdown]
# ## What you can do now
#
# - Find edges with four numbers and a root, and say to what they are blind.
# - Explain why a flat drawing can contradict a solid, and count the equations that do it.
# - Write an object as parts and springs, and find its best placement exactly.
# - Compute a distance transform in linear time, and say why one walk is enough.
# - Say what an explicit model knows, what it assumes, and where it must fail.
#
# ## Sources
#
# The lecture's slides "Visual recognition: explicit models". What is said here of how Roberts solved his equations and of what his program knew about support is recalled, not checked in the thesis. All pictures are rendered by `dtwin.data.pasture`.
