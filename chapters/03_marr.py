# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Which steps lead from a grid of numbers to a solid?"
# # Marr's vision
#
# A camera delivers a grid of numbers. A cow is a solid with a neck, four legs and a back on which a bird could sit. No rule leads from the one to the other in a single step. Which steps are there in between, and what should be known after each?
#
# David Marr's answer was three **representations**, built one after the other [@marr1982]. The *primal sketch* says where the image changes. The *2.5-D sketch* says which way each visible surface faces, and how far away it is. The *3-D model* says what solid that is, whoever looks at it. Each can be computed today in a page of code, and in the pasture each can be scored, because there the truth is known.

# %% tags=["nbval-check-output"]
import inspect
from dataclasses import replace

import numpy as np
from IPython.display import Markdown
from matplotlib.patches import Circle
from scipy.ndimage import binary_erosion, distance_transform_edt

from dtwin import check, claims, data, plots
from dtwin.data import pasture
from dtwin.data.pasture.stage import SUN
from dtwin.vision import cones, primal, stereo, surfaces

print("a picture of the pasture:", pasture.render(pasture.Scene()).image.shape)

# %% [markdown]
# ## The primal sketch
#
# Take one row of an image that crosses a border: dark, dark, then bright. The *first* difference between neighbours has a peak at the border. The *second* difference, the difference of the differences, goes up and then down, and passes through zero in between. A peak must be told from other peaks by its height. A zero that is passed through is simply there.

# %% tags=["nbval-check-output"]
row = np.array([2, 2, 2, 2, 8, 8, 8, 8])
print("row              ", row)
print("first difference ", np.diff(row))
print("second difference", np.diff(row, 2))

# %% [markdown]
# In two dimensions the second difference is the Laplacian, $\nabla^2 = \partial^2/\partial x^2 + \partial^2/\partial y^2$. It exaggerates every grain of noise, so the image is first blurred by a Gaussian $G_\sigma$ of width $\sigma$ pixels. Marr and Hildreth proposed to mark the **zero crossings** of the result, the places where it changes sign [@marr1980]:
#
# $$\nabla^2 (G_\sigma * I) = 0.$$
#
# How steep the crossing is tells how high the step was that made it. So each crossing comes with a contrast, and faint ones can be dropped.

# %%
Markdown(f"```python\n{inspect.getsource(primal.zero_crossings)}```")

# %% [markdown]
# ### How much blur?
#
# Here is a square on a darker ground, in noise. It is filtered at five widths, and only crossings with at least half of the square's contrast are kept.

# %% alt="Two rows of five pictures for sigma 0.5, 1, 2, 4 and 8. Above, the filtered noisy square: grains at first, then a clean double line around the square, at last a soft cloud. Below, the zero crossings: noise everywhere, then much less, then a crisp square, a square with round corners, and finally a square with bulging corners."
SIGMAS = (0.5, 1, 2, 4, 8)
square = np.zeros((96, 96), bool)
square[24:72, 24:72] = True
noisy = [0.25 + 0.5 * square + np.random.default_rng(seed).normal(0, 0.1, square.shape)
         for seed in range(8)]
responses = [primal.laplacian_of_gaussian(noisy[0], sigma) for sigma in SIGMAS]
crossings = [1.0 - primal.zero_crossings(noisy[0], sigma, 0.25) for sigma in SIGMAS]
names = [f"σ = {sigma}" for sigma in SIGMAS] + [""] * 5
plots.images([*responses, *crossings], names, columns=5, signed=[True] * 5 + [False] * 5)

# %% [markdown]
# **Figure.** Above, the filtered square, blue where it curves up and orange where it curves down. Below, its zero crossings. A narrow filter sees noise; a wide one sees a border, but no longer where it is.
#
# To put a number on it: *precision* is the share of the crossings that lie within 1.5 pixels of the border, *recall* the share of the border that has a crossing so near, and F1 their harmonic mean, which is high only when both are.

# %% alt="Three curves over sigma from 0.5 to 8. Recall starts at 1 and falls at the end; precision starts near 0, rises steeply up to sigma 2, and falls again; F1 follows precision, then recall, and is highest at sigma 2."
def near(places, target, pixels):
    return (distance_transform_edt(~target)[places] <= pixels).mean()


def scores(found, border, pixels):
    precision, recall = near(found, border, pixels), near(border, found, pixels)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


rim = square & ~binary_erosion(square)
table = np.array([[scores(primal.zero_crossings(picture, sigma, 0.25), rim, 1.5)
                   for sigma in SIGMAS] for picture in noisy])
curves = dict(zip(("precision", "recall", "F1"), table.transpose(2, 0, 1)))
plots.curves(curves, "σ, pixels", "share", x=SIGMAS)

# %% [markdown]
# **Figure.** Eight noisy squares, mean and range. Too little blur costs precision, too much costs both.

# %%
f1 = table[:, :, 2].mean(0)
claims.measure("zero-crossings-best-scale", SIGMAS[f1.argmax()])

# %%
claims.measure("zero-crossings-best-f1", f1.max())

# %%
claims.measure("zero-crossings-finest-f1", f1[0])

# %% [markdown]
# ### Several scales at once
#
# A photograph has no single right scale: hair is fine, a coat is coarse. Marr's remedy was to keep several *channels* and to trust what they agree on.

# %% alt="Five pictures: a man with a camera on a tripod, and the zero crossings at sigma 1, 2, 4 and 8. At 1 grass and buildings are full of short lines; at 2 the man and the tripod stand out; at 4 only the large outlines are left; at 8 a single smooth contour of the man."
def grey(image):
    return image.mean(axis=0) / 255


camera = grey(data.photographs()["camera"].images[0]).reshape(256, 2, 256, 2).mean((1, 3))
channels = {f"σ = {sigma}": 1.0 - primal.zero_crossings(camera, sigma, 0.1)
            for sigma in (1, 2, 4, 8)}
plots.images([camera, *channels.values()], ["photograph", *channels], columns=5)

# %% [markdown]
# **Figure.** One photograph in four channels, crossings of at least a tenth of the range from black to white.
#
# ### Edges, bars, blobs and ends
#
# A map of dots is still an image. The primal sketch describes it, in **tokens** that have a place, a direction, a size and a contrast. [`raw_primal_sketch`][dtwin.vision.primal.raw_primal_sketch] links crossings into chains. A straight piece of a chain is an *edge*. Two edges that face each other across a short way are a *bar*. A small closed round chain is a *blob*. Where a chain stops inside the picture there is an *end*, also called a termination.

# %% tags=["nbval-check-output"]
card = np.full((112, 112), 0.5)
rows, columns = np.indices(card.shape)
card[12:52, 12:52] = 0.8
card[12:72, 64:68], card[12:72, 82:86] = 0.2, 0.8
for column, value in ((20, 0.2), (44, 0.8)):
    card[(rows - 80) ** 2 + (columns - column) ** 2 <= 9] = value
card[86:, 60:] += 0.3 * np.clip((96 - columns[86:, 60:]) / 32, 0, 1)
tokens = primal.raw_primal_sketch(card, sigma=1.2, contrast=0.1)
sides = tokens.edges[(tokens.edges[:, 3] > 30) & (tokens.edges[:, 0] < 60)]
print("sides of the square:", len(sides), " bars:", len(tokens.bars),
      " blobs:", len(tokens.blobs), " ends:", len(tokens.ends))

# %%
def draw_tokens(ax, tokens, size):
    ink, bar, blob, end = (plots.theme().ink, "C1", "C2", "C0")
    for lines, colour, width in ((tokens.edges, ink, 0.9), (tokens.bars, bar, 2.2)):
        x, y, angle, length = lines.T[:4]
        dx, dy = (f(np.radians(angle)) * length / 2 for f in (np.cos, np.sin))
        ax.plot([x - dx, x + dx], [y - dy, y + dy], color=colour, lw=width)
    for x, y, diameter, _ in tokens.blobs:
        ax.add_patch(Circle((x, y), diameter / 2, fill=False, lw=1.8, ec=blob))
    ax.plot(*tokens.ends.T, ".", ms=2.2, color=end)
    ax.set(xlim=(0, size), ylim=(size, 0), aspect="equal")
    return [("edge", ink), ("bar", bar), ("blob", blob), ("end", end)]


scene = pasture.Scene(azimuth=300, elevation=10, step=0.3, focal=2.6, size=160)
cow = pasture.render(scene)
views = [card, camera, grey(cow.image)]
primal_sketches = [tokens, *(primal.raw_primal_sketch(view, 1.5, 0.12)
                             for view in views[1:])]
_, _, of_cow = primal_sketches
print("the cow:", len(of_cow.edges), "edges,", len(of_cow.bars), "bars")

# %% alt="Three pictures above, their sketches below. A card with a square, two bars, two spots and a fading edge: all are found, each as the token it is. The man with the camera: the legs of the tripod are bars, his coat is a long edge, the grass a scatter of short edges with many ends. The cow: its outline and the border of its patches are edges, parts of its back, neck, muzzle, tail and one hind leg are bars."
@plots.figure
def sketches(pictures, tokens):
    fig, axes = plots.canvas(4.3, 2, len(pictures))
    for above, below, picture, found in zip(*axes, pictures, tokens):
        above.imshow(picture, vmin=0, vmax=1)
        key = draw_tokens(below, found, len(picture))
        plots.blank(above)
        plots.blank(below, plots.theme().faint)
    for place, (word, colour) in zip((0.05, 0.3, 0.55, 0.8), key):
        axes[1, 0].text(place, -0.12, word, color=colour, transform=axes[1, 0].transAxes)
    return fig


sketches(views, primal_sketches)

# %% [markdown]
# **Figure.** From numbers to tokens. On the card, where the truth is known, every token is right. In the photograph nobody can say how many edges there are; but the tripod is bars, and the grass is a crowd of ends.
#
# ### Are they borders of objects?
#
# The step from image to world rests on an assumption: where the intensity changes, something in the world does, most likely an object ends. It is not a law. A patch on a cow's coat, a blade of grass and the edge of a shadow change the intensity as well. The pasture knows which is which, so each crossing can be asked for its cause. Three are tried in turn: the outline of the animal, the border between two of its parts, the edge of a shadow; the first that lies within two pixels counts. What is left over is coat and shading if it lies on the animal, and ground or sky if not.

# %%
def change(labels):
    found = np.zeros(labels.shape, bool)
    found[1:] |= labels[1:] != labels[:-1]
    found[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return found


def causes(picture, image):
    crossings = primal.zero_crossings(image, 2, 0.1)
    mask, left = picture.mask, crossings.copy()
    borders = [change(mask), change(picture.parts), change(picture.shadow)]
    close = [distance_transform_edt(~border) <= 2 for border in borders]
    found = []
    for where in (*close, mask, np.isfinite(picture.depth), ~mask):
        found.append(left & where)
        left = left & ~where
    return found


CAUSES = ("outline", "border of a part", "shadow",
          "coat and shading", "ground", "sky and horizon")

# %% alt="A cow on a meadow, and the same picture with every zero crossing as a dot in the colour of its cause. The outline of the cow is blue, borders between its parts orange, the rim of its shadow green, the borders of its patches purple; the ground is covered with brown dots, the horizon is a line of blue."
@plots.figure
def caused(image, found):
    fig, (left, right) = plots.canvas(3.8, 1, 2)
    left.imshow(image.transpose(1, 2, 0))
    for n, (name, where) in enumerate(zip(CAUSES, found)):
        y, x = np.nonzero(where)
        right.plot(x, y, "s", ms=1.2, color=f"C{n}")
        place = (0, 0.24, 0.67, 0, 0.41, 0.67)[n]
        ax = left if n < 3 else right
        ax.text(place, 1.03, name, color=f"C{n}", transform=ax.transAxes)
    right.set(xlim=(0, image.shape[2]), ylim=(image.shape[1], 0), aspect="equal")
    plots.blank(left)
    plots.blank(right, plots.theme().faint)
    return fig


caused(cow.image, causes(cow, grey(cow.image)))

# %% [markdown]
# **Figure.** One picture, and what each of its zero crossings comes from.
#
# Now sixty scenes drawn at random: all species, coats, grounds and lights.

# %% alt="Horizontal bars, per cent of all zero crossings by cause: outline of the animal, border of a part, shadow, coat and shading, ground, sky and horizon."
drawn = pasture.sample(60, seed=3, size=128, samples=1, occluder="none")
herd = list(pasture.pictures(drawn))


def shares(pairs):
    counts = np.array([[where.sum() for where in causes(*pair)] for pair in pairs])
    return 100 * (counts / counts.sum(1, keepdims=True)).mean(0)


share = shares((picture, grey(picture.image)) for picture in herd)
plots.bars({"zero crossings by cause, %": share}, CAUSES, form="{:.0f}")

# %% [markdown]
# **Figure.** Where zero crossings come from, mean of sixty scenes.

# %%
claims.measure("intensity-changes-are-object-borders", share[0])

# %% [markdown]
# And what does a shadow do? Light is albedo times shading, so the sun can be let through wherever something kept it off, with everything else as it was.

# %%
def displayed(light):
    return np.sqrt(np.clip(light, 0, 1)).mean(0)


def unshadowed(picture):
    facing = np.maximum(np.tensordot(picture.light, picture.normals, 1), 0)
    sun = picture.scene.sun * np.multiply.outer(np.array(SUN), facing * picture.shadow)
    return picture.albedo * (picture.shading + sun)


with_shadow = shares((p, displayed(p.albedo * p.shading)) for p in herd)
without = shares((p, displayed(unshadowed(p))) for p in herd)
print(f"outline: {with_shadow[0]:.1f} % with, {without[0]:.1f} % without shadows")
claims.measure("cast-shadows-add-borders", with_shadow[0] / without[0])

# %% [markdown]
# The outline is the largest single cause, but it is not the majority, and shadows make its share smaller still. So the assumption is a bet, and what follows the primal sketch must be able to lose it.
#
# > [!note]
# > **Erratum.** The lecture says of the *next* stage that "no grouping is done yet". In Marr's book grouping belongs to the primal sketch already: above the raw one, which is what we have built, stands the *full* primal sketch, in which tokens are joined into lines, rows and regions of one texture. The 2.5-D sketch then draws on more than the primal sketch: on stereo, motion, shading and texture. (Recalled from Marr 1982.) What is true of both sketches is that nothing in them says *this is one animal*.
#
# ## The 2.5-D sketch
#
# The second representation belongs to the viewer. For each pixel it holds which way the surface faces, its **normal**, and how far away it is, its **depth**. It knows nothing of the back of things: more than a picture, less than a solid, hence 2.5-D. Marr let many processes write into it. Here are three: shading under several lights, shading under one, and two eyes.
#
# ### Normals from shading: photometric stereo
#
# A matt surface is bright where it faces the light. With albedo $\rho$, normal $\mathbf n$ and a light from direction $\mathbf s$, its brightness is
#
# $$I = \rho \; \mathbf n \cdot \mathbf s . \tag{3.1}$$
#
# The unknowns are three numbers, $\mathbf b = \rho\,\mathbf n$. One picture gives one equation; three pictures from one place, under three known lights, give three [@woodham1980]. If the directions of the lights do not lie in one plane, these have one solution. The length of the solution is the albedo, its direction the normal.

# %% tags=["nbval-check-output"]
lights = np.array([[0, 0, 1], [0.6, 0, 0.8], [0, 0.6, 0.8]])
brightness = 0.5 * lights @ np.array([2, 1, 2]) / 3
b = np.linalg.solve(lights, brightness)
print("brightness under three lights:", brightness.round(3))
print("albedo:", np.linalg.norm(b).round(3), " normal:", (b / np.linalg.norm(b)).round(3))

# %% [markdown]
# With more than three lights it becomes least squares, and a pixel may leave out those lights that did not reach it. First a sphere with a checkerboard painted on it, under four lights.

# %%
y, x = np.mgrid[1:-1:128j, -1:1:128j]
ball = x**2 + y**2 < 0.8
z = np.sqrt(np.maximum(0.8 - x**2 - y**2, 0))
round_normals = np.stack([x, y, z]) / np.sqrt(0.8) * ball
paint = np.where((np.floor(5 * x) + np.floor(5 * y)) % 2, 0.8, 0.4) * ball
lamps = np.array([[4, 4, 10], [-4, 4, 10], [4, -4, 10], [-4, -4, 10]]) / np.sqrt(132)
clean = paint * np.maximum(np.tensordot(lamps, round_normals, 1), 0)
recovered, errors = {}, {}
for noise in (0, 0.01, 0.05):
    grains = np.random.default_rng(0).normal(0, noise, clean.shape)
    recovered[noise] = surfaces.photometric_stereo(clean + grains, lamps)
    errors[noise] = surfaces.angular_error(recovered[noise][0], round_normals)
median = {noise: np.nanmedian(error[ball]) for noise, error in errors.items()}
for noise, degrees in median.items():
    print(f"noise {noise}: median error {degrees:.2f}°")

# %% alt="Six pictures of a sphere: two of four photographs under different lamps, in which a checkerboard is painted on it; the recovered albedo, a flat checkerboard without shading; the recovered normals in colour, smooth over the squares; and the error at noise 0.01 and 0.05, grainy and larger where the paint is dark."
def colours(normals):
    return (np.nan_to_num(normals) + 1) / 2


def masked(picture, mask):
    return np.where(mask, picture, np.nan)


shown = [clean[0], clean[3], recovered[0][1], colours(recovered[0][0]),
         masked(errors[0.01] / 30, ball), masked(errors[0.05] / 30, ball)]
names = ["lamp right, above", "lamp left, below", "albedo", "normals",
         "error, noise 0.01", "error, noise 0.05"]
plots.images(shown, names, columns=3)

# %% [markdown]
# **Figure.** Four pictures, two of them shown, and what follows: paint and form fall apart, wherever three lamps reach. Errors run from black, 0°, to white, 30°. They are larger where the paint is dark, for there the noise is a larger share of the light.

# %%
claims.measure("photometric-stereo-is-exact", median[0])

# %%
claims.measure("photometric-stereo-noise", median[0.05] / median[0.01])

# %% [markdown]
# Now the cow, in the open. She stands still for seven pictures with the sun in seven places, and one without a sun; the difference is what the sun alone brings. The pictures are the camera's, in 256 levels of grey, and there are **cast shadows**: the horns darken the neck, the belly the legs. A program that takes a shadow for a surface that faces away goes wrong. One that leaves the dark lights out is right wherever three are left.

# %%
SUNS = ((-80, 10), (-50, 45), (-15, 20), (0, 5), (15, 70), (50, 25), (80, 50))


def photographed(scene):
    scene = replace(scene, linear=True, samples=1, exposure=0.8)
    night = pasture.render(replace(scene, sun=0)).image.astype(float)
    suns = [replace(scene, sun_azimuth=scene.azimuth + turn, sun_elevation=up)
            for turn, up in SUNS]
    lit = [pasture.render(sunny) for sunny in suns]
    pictures = np.stack([grey(picture.image - night) for picture in lit])
    return pictures, np.stack([picture.light for picture in lit])


pictures, suns = photographed(scene)
facing, albedo = surfaces.photometric_stereo(pictures, suns, dark=0.008)
fooled, _ = surfaces.photometric_stereo(pictures, suns, dark=-1)
wrong = [surfaces.angular_error(guess, cow.normals) for guess in (facing, fooled)]
for name, error in zip(("left out", "believed"), wrong):
    on = error[cow.mask]
    print(f"shadows {name}: mean error of the normals {np.nanmean(on):.1f}°, "
          f"unknown {100 * np.isnan(on).mean():.0f} % of the cow")

# %% alt="Eight pictures of a cow: three of the seven, with the sun low on the left, high, and on the right, each with other shadows; the recovered albedo with black and white patches and no shadow; the true normals and the recovered ones, which look the same; and two error maps, one nearly black, the other, with shadows believed, bright on legs, neck and belly."
shown = [*(pictures[k] * 1.3 for k in (0, 4, 6)), np.nan_to_num(albedo) * 1.3,
         colours(cow.normals * cow.mask), colours(facing * cow.mask),
         *(masked(error / 30, cow.mask) for error in wrong)]
names = ["sun left, low", "sun high", "sun right", "albedo", "true normals",
         "normals", "error", "error, shadows believed"]
plots.images(shown, names, columns=4)

# %% [markdown]
# **Figure.** The cow by seven suns. In the normals' colours red faces right, green up, blue the viewer. Errors run from 0° to 30°; what fewer than three suns reach stays unknown.
#
# ### From normals to depth
#
# A normal says how steep the surface is: $\partial z/\partial x = -n_x/n_z$, and the same in $y$. To walk from pixel to pixel and add up slopes gives the depth, except that different ways round a pixel disagree when there is noise. Frankot and Chellappa take the surface whose slopes come nearest to all of them, and find it at one stroke: written as a sum of waves, a surface and its slopes differ by one factor for each wave [@frankot1988].

# %%
Markdown(f"```python\n{inspect.getsource(surfaces.frankot_chellappa)}```")

# %% [markdown]
# To try it on a surface whose depth is known, a bump of Gaussians, with its slopes from calculus:

# %%
hills = [(0.5, 0.2, -0.1, 0.08), (0.2, -0.5, 0.4, 0.03)]
waves = [h * np.exp(-((x - a) ** 2 + (y - b) ** 2) / w) for h, a, b, w in hills]
depth, pixel = sum(waves), 2 / 127
p = sum(-2 * (x - a) / w * wave for wave, (_, a, _, w) in zip(waves, hills))
q = sum(-2 * (y - b) / w * wave for wave, (_, _, b, w) in zip(waves, hills))
surface = surfaces.frankot_chellappa(p, q) * pixel
error = surface - (depth - depth.mean())
claims.measure("normals-integrate-to-depth", np.sqrt((error**2).mean()) / depth.std())

# %% [markdown]
# A constant added to the depth leaves all slopes as they are, so the result cannot know it: depth from normals is *relative*. For the cow, whose outline is where slopes end, [`integrate`][dtwin.vision.surfaces.integrate] solves the same least squares over the pixels of a mask.

# %% alt="Four pictures. The bump, and its error, which is an even grey. The true depth of the cow, head bright because near; and the depth from normals, much the same, but flatter between head and body and between the legs."
known = cow.mask & ~np.isnan(facing[0])
relief = surfaces.integrate(*surfaces.slopes(np.nan_to_num(facing)), known)
true_relief = -cow.depth * scene.focal * scene.size / scene.distance
true_relief -= true_relief[known].mean()
spread = 3 * true_relief[known].std()
depth_error = (relief - true_relief)[known].std() / true_relief[known].std()
print(f"cow: relative error of the depth {100 * depth_error:.0f} %")
shown = [(surface - surface.min()) / np.ptp(surface), 0.5 + error / pixel,
         masked(0.5 + true_relief / spread, cow.mask), 0.5 + relief / spread]
names = ["bump, from slopes", "its error", "cow, true depth", "cow, from normals"]
plots.images(shown, names)

# %% [markdown]
# **Figure.** Brighter is nearer. Of a smooth bump nothing is lost; its error is drawn on the scale of one pixel. Of the cow the form of each part comes out, but where the head stands before the chest the depth jumps, and no slope says by how much. This is weak geometry, and just what the 2.5-D sketch promises.
#
# ### Normals from a single picture: shape from shading
#
# Seven suns are a luxury. In one picture each pixel has one equation, [(3.1)](#equation-1), for two unknowns, so something must be assumed: that the surface is smooth, that its paint is known, and that on its outline it turns away from the viewer. Horn and Brooks turn these into a loop [@horn1986]. Each normal moves to the mean of its neighbours, then along the light until it is as bright as the picture says.

# %%
Markdown(f"```python\n{inspect.getsource(surfaces.shape_from_shading)}```")

# %% [markdown]
# The sphere, plain now, and a pig of plaster: the pasture's normals, shaded with albedo 1 under one light beside the camera. Two lazy guesses are compared with it: that all surfaces face the viewer, and that the outline is all there is, so that the inside is filled in from it without a look at the shading.

# %%
light = np.array([0.3, 0.4, 1]) / np.sqrt(1.25)
pig = pasture.render(pasture.Scene("pig", azimuth=90, size=128, samples=1))
front = np.array([0, 0, 1.0])[:, None, None]
guesses = {}
plaster = {"sphere": (round_normals, ball), "pig": (pig.normals, pig.mask)}
for name, (field, mask) in plaster.items():
    image = np.maximum(np.tensordot(light, field, 1), 0) * mask
    shaded = surfaces.shape_from_shading(image, light, mask)
    filled = surfaces.shape_from_shading(image, light, mask, smooth=1e9)
    errors = [surfaces.angular_error(guess, field) for guess in (shaded, filled, front)]
    guesses[name] = image, field, shaded, masked(errors[0] / 60, mask), mask
    print(f"{name:6} mean error: shading {errors[0][mask].mean():.0f}°, "
          f"outline alone {errors[1][mask].mean():.0f}°, "
          f"facing us {errors[2][mask].mean():.0f}°")

# %% alt="Two rows of four pictures, a sphere and a pig of plaster: the shaded picture, the true normals in colour, the normals from shading, and the error. The sphere comes out nearly right. The pig's flank and legs do as well, while its head, ears and the borders between its parts are bright in the error map."
shown = [picture for image, field, shaded, error, mask in guesses.values()
         for picture in (image, colours(field * mask), colours(shaded * mask), error)]
names = ["one picture", "true normals", "from shading", "error, to 60°"]
plots.images(shown, names + [""] * 4, columns=4)

# %% [markdown]
# **Figure.** One picture each. The sphere obeys the assumptions. On the pig they fail where one part ends before another: smoothness flows across a border that is there. With paint on it, things get worse (exercise 3).
#
# ### Depth from two eyes
#
# The shadows of the pasture are drawn; this motorcycle is real, photographed by two cameras side by side, with the depth measured by structured light [@scharstein2014]. What the left camera sees in column $x$, the right one sees in column $x - d$. The **disparity** $d$ is large for near things. To find it, each pixel is compared with its row in the other picture: by the order of brightness around it, the *census*, which does not mind if one camera is brighter.

# %%
pair, true_disparity = data.stereo()
left_eye, right_eye = (grey(image) for image in pair.images)
cost = stereo.matching_cost(left_eye, right_eye, disparities=64)
measured = ~np.isnan(true_disparity)
print("cost of each disparity at each pixel:", cost.shape)

# %% [markdown]
# A pixel alone is easily mistaken. *Block matching* lets the pixels of a window vote together. *Semi-global matching* adds up the costs along straight paths from all sides, four of them here, and charges for each change of disparity on the way: little for one step, as on a slanted floor, more for a jump [@hirschmuller2008]. Here is the heart of it.

# %%
Markdown(f"```python\n{inspect.getsource(stereo.semi_global)}```")

# %%
costs = {"each pixel alone": cost, "block matching": stereo.block_matching(cost),
         "semi-global": stereo.semi_global(cost)}
disparities = {name: stereo.disparity(volume) for name, volume in costs.items()}
sure = stereo.consistent(costs["semi-global"])
disparities["both eyes agree"] = masked(disparities["semi-global"], sure)
off = {name: np.abs(found - true_disparity)[measured & ~np.isnan(found)]
       for name, found in disparities.items()}
print(f"both eyes agree on {100 * sure[measured].mean():.0f} % of the pixels")

# %% alt="Six pictures of a motorcycle in a workshop: the left photograph; the true disparity, bright for the near wheel and dark for the wall, with holes; disparity by each pixel alone, full of speckles; by block matching, with rounded contours; by semi-global matching, smooth with sharp contours; and the same with holes where the eyes do not agree, mostly to the left of near things."
shown = [left_eye, true_disparity / 64, *(found / 64 for found in disparities.values())]
plots.images(shown, ["left eye", "true disparity", *disparities], columns=2)

# %% [markdown]
# **Figure.** Brighter is nearer. What only one eye sees, a strip to the left of near things, has no partner. Asking the right picture in turn finds such pixels, and they are left out.

# %% alt="Two bar charts over four methods: the mean error in pixels of disparity and the share of pixels off by more than two pixels. Both fall from each pixel alone over block matching to semi-global matching, and most where both eyes agree."
mean = [error.mean() for error in off.values()]
far = [100 * (error > 2).mean() for error in off.values()]
plots.bars({"mean error, pixels": mean, "off by more than 2 pixels, %": far},
           list(off), form="{:.1f}")

# %% [markdown]
# **Figure.** The four maps against the truth, in pixels of disparity. The last is scored only where it answers.
#
# ## The 3-D model
#
# A 2.5-D sketch changes when the cow turns. To know her again, something must be found that does not: a description in the axes of the *object*. Marr and Nishihara describe an animal by **generalised cones**: each part is an axis with a thickness, and the whole says how long the parts are in proportion, and where they join [@marr1978].
#
# How does one find the axis of a part of which only one side is seen? On a round cone, whoever walks from a point of the surface straight inwards by the radius stands on the axis. The sketch has the points and the directions. The radius and the axis are found in turn.

# %%
Markdown(f"```python\n{inspect.getsource(cones.fit_cone)}```")

# %% [markdown]
# Which pixel belongs to which part is not our program's doing: the pasture says it. Marr looked for parts at the concave places of the outline. Of two forelegs or hindlegs, the one that shows more of itself is kept; two ears are taken together, and so are horns.

# %%
NAMES = ("torso", "neck", "head", "ear", "horn", "trunk", "tail", "foreleg", "hindleg")


def fit_parts(points, normals, parts):
    fitted, size = {}, {}
    for number, part in enumerate(pasture.PARTS):
        here, name = parts == number, part.split()[-1]
        if name in NAMES and here.sum() >= max(20, size.get(name, 0)):
            fitted[name] = cones.fit_cone(points[here], normals[:, here].T)
            size[name] = here.sum()
    return fitted


def lens(scene):
    middle, size = (scene.size - 1) / 2, scene.size
    return scene.focal * size, (middle + scene.x * size, middle - scene.y * size)

# %%
def from_truth(picture):
    depth = np.where(picture.mask, picture.depth, 1.0)
    points = cones.back_project(depth, *lens(picture.scene))
    return fit_parts(points, picture.normals, picture.parts)


around = [pasture.render(replace(scene, azimuth=side, ground="snow", size=128))
          for side in (90, 20, 300, 200)]
models = [from_truth(picture) for picture in around]
for name, cone in models[0].items():
    print(f"{name:8} length {cone.length:.2f}, radius {cone.radius:.2f}")

# %% alt="The same cow from four sides, in pale colours. Over each part of her lies the axis of its cone, a line with a dot at each end: through the torso, neck, head, legs and tail, wherever they are seen."
def draw_axes(ax, picture, model):
    focal, (column, row) = lens(picture.scene)
    ax.imshow(picture.image.transpose(1, 2, 0), alpha=0.55)
    for cone in model.values():
        x, y, z = np.stack([cone.start, cone.end], 1)
        ax.plot(column - focal * x / z, row + focal * y / z, "o-C1", ms=3, lw=1.6)
    plots.blank(ax)


@plots.figure
def axes_drawn(pictures, models):
    fig, axes = plots.canvas(1.95, 1, len(pictures))
    for ax, picture, model in zip(axes, pictures, models):
        draw_axes(ax, picture, model)
    return fig


axes_drawn(around, models)

# %% [markdown]
# **Figure.** Each line is the axis of one cone, found from one view's visible side. An axis runs inside the body, where no ray of light has been. (The lines across the head are no axes of cones: two ears, or two horns, are taken for one.)
#
# ### The frame of the cow
#
# The axis of the torso and the direction in which the legs stand make a frame that turns with the cow. In it each part has three numbers: its length, its radius, and how high it joins the torso. As the distance is often unknown, only *ratios* of lengths count. Here is one cow from two sides.

# %%
def described(model):
    return cones.describe(model, NAMES, "torso", ("foreleg", "hindleg"))


for side, model in (("left", models[0]), ("right", models[2])):
    length, radius, joint = described(model)[1]
    print(f"neck, seen from the {side:5}: length {np.exp(length):.2f}, "
          f"radius {np.exp(radius):.2f}, joint {joint:.2f} torso radii up")

# %% alt="A chart with a row for each part of a cow and its length in torso lengths: blue dots as seen from the left, orange ones as seen from the right and a little in front lie close together in most rows, while grey dots, of a giraffe, lie elsewhere: its neck and legs are far longer."
SHOWN = [0, 1, 2, 6, 7, 8]  # what both views show: no ears, no horns, no trunk


@plots.figure
def proportions(views):
    fig, ax = plots.canvas(3.1)
    looks = (("C0", 8, 0), ("C1", 6, 0.34), ("C6", 5, 0.7))
    for (name, model), (colour, size, left) in zip(views.items(), looks):
        length = np.exp(described(model)[SHOWN, 0])
        ax.plot(length / length[0], range(len(SHOWN)), "o", ms=size, color=colour)
        ax.text(left, 1.04, name, color=colour, transform=ax.transAxes)
    ax.set(yticks=range(len(SHOWN)), yticklabels=[NAMES[row] for row in SHOWN])
    ax.set(ylim=(len(SHOWN) - 0.5, -0.5), xlabel="length, in torsos")
    ax.grid(axis="x")
    return fig


giraffe = from_truth(pasture.render(pasture.Scene("giraffe", azimuth=90, size=128)))
proportions({"cow from the left": models[0], "cow from her right": models[2],
             "giraffe": giraffe})

# %% [markdown]
# **Figure.** The two views share hardly a pixel and nearly all proportions. The giraffe's are others.
#
# ### A catalogue, and animals from the other side
#
# The catalogue holds, for each species, the mean and the spread of these numbers over examples. A new animal is compared with each entry: squared differences measured in spreads, with the size left free, and a fine for parts that the species does not have. What is not seen does not count.
#
# All examples are seen from their **left**. All tests are seen from the **front, the right and behind**. As a rival, a **template**: the picture of the part labels itself, centred and scaled, named by the nearest of the same examples. Both are given the same labels; only the frame differs. The choices in the code above were made on other animals than these. (Squeezed into a square, instead of scaled, the template does better, for that undoes some of the foreshortening, but it stays far below the model.)

# %%
def template(picture, side=24):
    rows, columns = np.nonzero(picture.mask)
    half = max(np.ptp(rows), np.ptp(columns)) / 2 + 0.5
    steps = ((np.arange(side) + 0.5) / side * 2 - 1) * half
    i, j = (np.rint((c.min() + c.max()) / 2 + steps).astype(int) for c in (rows, columns))
    margin = len(picture.parts) // 2  # beyond the picture there is no part
    return np.pad(picture.parts, margin)[np.ix_(i + margin, j + margin)].ravel()


def seen_from(n, split, azimuth):
    drawn = pasture.scenes(n, split, size=80, samples=1, occluder="none", azimuth=azimuth)
    pairs = [(described(from_truth(p)), template(p)) for p in pasture.pictures(drawn)]
    species = np.array([scene.species for scene in drawn])
    return species, *map(np.array, zip(*pairs)), drawn


learned, known_cones, known_templates, _ = seen_from(200, "train", (60, 120))
asked, new_cones, new_templates, drawn = seen_from(400, "test", (150, 390))
print("learned from the left:", len(learned), " asked from elsewhere:", len(asked))

# %%
catalogue = cones.catalogue(known_cones, learned)
named = np.array(catalogue.kinds)[cones.mismatch(new_cones, catalogue).argmin(1)]
claims.measure("object-centred-unseen-views", 100 * (named == asked).mean())

# %%
differing = (new_templates[:, None] != known_templates).sum(2)
matched = learned[differing.argmin(1)]
claims.measure("viewer-centred-unseen-views", 100 * (matched == asked).mean())

# %% alt="Two curves of right answers in per cent over the direction of view, from behind the animal's left over its right to its front. The 3-D model stays near 100 and dips a little from behind and from the front; the template stays far below it, at about a third."
azimuth = np.array([scene.azimuth for scene in drawn])
sector = [(azimuth >= low) & (azimuth < low + 30) for low in range(150, 390, 30)]
right = {"3-D model": named == asked, "template": matched == asked}
plots.curves({name: [100 * answers[where].mean() for where in sector]
              for name, answers in right.items()},
             "seen from, degrees (180 behind, 270 right, 360 front)", "right answers, %",
             x=np.arange(165, 390, 30))

# %% [markdown]
# **Figure.** Four hundred animals around the compass, none of them seen from the left. From behind and from the front much of an animal is hidden, and there the model makes most of its mistakes.
#
# How much of this is owed to the labels? Their mere presence, that there is a horn or a trunk, can be tested alone: name an animal by the example with the same parts in sight.

# %%
present = [~np.isnan(table[:, :, 1]) for table in (new_cones, known_cones)]
by_parts = learned[(present[0][:, None] != present[1]).sum(2).argmin(1)]
print(f"parts in sight alone: {100 * (by_parts == asked).mean():.0f} %")

# %% [markdown]
# So the proportions do the work. But the labels were given, and so was the depth. The last section takes back the second gift.
#
# ## Three representations of one cow
#
# The cow of this chapter stood with her right side to us: a view that the catalogue has never had. Here are all stages from pictures to her name. The primal sketch is made from one picture. The normals come from the seven suns, the depth from the normals, the cones from that depth. Only the part labels are the truth's.

# %%
def from_shading(truth):
    pictures, suns = photographed(truth.scene)
    facing, _ = surfaces.photometric_stereo(pictures, suns, dark=0.008)
    known = truth.mask & ~np.isnan(facing[0])
    relief = surfaces.integrate(*surfaces.slopes(np.nan_to_num(facing)), known)
    focal, centre = lens(truth.scene)
    depth = truth.scene.distance * (1 - np.nan_to_num(relief) / focal)
    points = cones.back_project(depth, focal, centre)
    return fit_parts(points, facing, np.where(known, truth.parts, 0))


edges, outline = primal.zero_crossings(grey(cow.image), 2, 0.1), change(cow.mask)
chance = np.random.default_rng(0).permutation(edges.ravel()).reshape(edges.shape)
f1 = [scores(places, outline, 2)[2] for places in (edges, chance)]
degrees = [np.nanmedian(surfaces.angular_error(guess, cow.normals)[cow.mask])
           for guess in (facing, front)]
model = from_shading(cow)
fit = cones.mismatch([described(model)], catalogue)[0]
answer = catalogue.kinds[fit.argmin()]
stages = [f1[0] > f1[1], degrees[0] < degrees[1], answer == scene.species]
claims.measure("marr-three-representations", sum(stages))

# %%
def draw_mismatch(ax):
    worse = fit - fit.min()
    for place, kind in enumerate(np.argsort(fit)):
        ax.barh(place, worse[kind] + 3, color="C6")
        ax.text(worse[kind] + 6, place, catalogue.kinds[kind], fontsize=7.5, va="center")
    ax.set(ylim=(9.5, -0.5), xlim=(0, worse.max() * 1.7))


off = (described(model) - described(from_truth(cow)))[:, 0]
lengths = np.nanstd(off)  # of the logarithm: a common factor is size, and free
print(f"“{answer}”, before “{catalogue.kinds[np.argsort(fit)[1]]}”; "
      f"lengths of parts off by {100 * lengths:.0f} %")
titles = ["picture", f"zero crossings\nF1 {f1[0]:.2f}, chance {f1[1]:.2f}", "tokens",
          f"normals\nerror {degrees[0]:.1f}°, facing us {degrees[1]:.0f}°",
          f"depth from normals\nerror {100 * depth_error:.0f} %", "parts (given)",
          f"axes of cones\nlengths off {100 * lengths:.0f} %", f"“{answer}”: mismatch"]

# %% alt="Eight pictures in two rows. The picture of a cow; its zero crossings; its tokens; the normals in colour; the depth, brighter where nearer; the parts; the axes of the cones over the picture; and bars of mismatch for the ten species, the shortest of them for the cow."
@plots.figure
def pipeline():
    fig, axes = plots.canvas(4.1, 2, 4)
    picture, crossings, sketch, normals, depth, parts, solid, name = axes.ravel()
    picture.imshow(cow.image.transpose(1, 2, 0))
    crossings.plot(*np.nonzero(edges)[::-1], "s", ms=0.6, color=plots.theme().ink)
    crossings.set(xlim=(0, 160), ylim=(160, 0), aspect="equal")
    draw_tokens(sketch, of_cow, 160)
    normals.imshow(colours(facing * known).transpose(1, 2, 0))
    depth.imshow(relief)
    parts.imshow(masked(cow.parts, cow.mask), cmap="viridis")
    draw_axes(solid, cow, model)
    draw_mismatch(name)
    for ax, title in zip(axes.ravel(), titles):
        ax.set_title(title, fontsize=8.5)
        plots.blank(ax, plots.theme().faint)
    return fig


pipeline()

# %% [markdown]
# **Figure.** From pictures to a name, every stage with its score; the error of the normals is the median here, and the second number that of those which face us. Each representation makes something plain that was only implied before, and lets something go.
#
# One cow may be luck. Here all ten species stand where she stood, under the same suns.

# %%
right = []
for species in pasture.SPECIES:
    truth = pasture.render(replace(scene, species=species, focal=2.3, size=64, samples=1))
    fits = cones.mismatch([described(from_shading(truth))], catalogue)[0]
    right.append(catalogue.kinds[fits.argmin()] == species)
print(f"named right from shading alone, parts given: {sum(right)} of {len(right)}")

# %% [markdown]
# ## The claims, measured
#
# Three representations can be computed in order, and each earns its place. The scale of the primal sketch trades noise against place. Photometric stereo is exact where its assumptions hold, and errs in proportion to the noise. Normals integrate to depth, up to a constant, and up to the jumps at the borders between parts. The object-centred description carries over to views never seen, where a template does not.
#
# One claim did not come out. Intensity changes are *not* mostly the boundaries of objects here: coats, grass and shadows make more of them than outlines do. And one thing we did not build at all: nobody told our program which pixels are a leg except the pasture. Finding the parts is the hard rest, and the chapters that follow take another way.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. How large a window? ★
#
# **Predict before you run.** Block matching with a window of 3, 9, 15 and 41 pixels a side: which has the least error, and which fails where? Then look.

# %% [markdown] tags=["hint"]
# **Hint.** What does a window of three pixels hold that is found nowhere else? And what does one of 41 pixels hold besides the thing in its middle?

# %% [markdown] tags=["solution"]
# **Solution.** The middle ones. A small window holds too little to be told from its neighbours, as a narrow Gaussian does. A large one covers near and far at once, and swallows spokes and handles. It is the scale of the primal sketch again.

# %% tags=["solution"]
for side in (3, 9, 15, 41):
    found = stereo.disparity(stereo.block_matching(cost, side))
    print(f"{side:2} pixels: off by {np.abs(found - true_disparity)[measured].mean():.1f}")

# %% [markdown]
# ### Exercise 2. Two Gaussians for a Laplacian ★★
#
# **Program it.** Marr and Hildreth noted that the difference of two Gaussians whose widths have the ratio 1.6 is nearly a Laplacian of a Gaussian. Write `difference_of_gaussians(image, sigma, ratio=1.6)`, the image blurred by the wider one less the image blurred by `sigma`, with SciPy's `gaussian_filter`, and run `check(difference_of_gaussians)`. Then test them on the photograph: at how many pixels do the two filters have the same sign?

# %% [markdown] tags=["hint"]
# **Hint.** Both must cross zero at the same distance from their middle, $\sqrt 2\,\sigma$ for the Laplacian. So the narrower Gaussian must be a little narrower than $\sigma$.

# %% [markdown] tags=["hint"]
# **Hint.** Two Gaussians of widths $s$ and $rs$, in two dimensions, are equal at the distance $2 s \sqrt{\ln r / (1 - r^{-2})}$. Set it to $\sqrt 2\,\sigma$ and solve for $s$.

# %% [markdown] tags=["solution"]
# **Solution.** With $s = \sigma \sqrt{(1 - r^{-2}) / (2 \ln r)}$ they agree at more than 95 of 100 pixels.

# %% tags=["solution", "nbval-check-output"]
from scipy.ndimage import gaussian_filter


def difference_of_gaussians(image, sigma, ratio=1.6):
    return gaussian_filter(image, ratio * sigma) - gaussian_filter(image, sigma)


check(difference_of_gaussians)

# %% tags=["solution", "nbval-check-output"]
for sigma in (1, 2, 4):
    narrow = sigma * np.sqrt((1 - 1.6 ** -2) / (2 * np.log(1.6)))
    difference = difference_of_gaussians(camera, narrow)
    laplacian = primal.laplacian_of_gaussian(camera, sigma)
    same = np.sign(difference) == np.sign(laplacian)
    print(f"sigma {sigma}: the same sign at more than 95 %: {same.mean() > 0.95}")

# %% [markdown]
# ### Exercise 3. A painted sphere ★
#
# **Predict before you run.** Give shape from shading the sphere with its checkerboard still painted on it (`paint / 0.8` times the plaster picture). What becomes of the error, and what will the surface look like? Why did photometric stereo not care?

# %% [markdown] tags=["hint"]
# **Hint.** Shape from shading knows one reason only for a dark place. Which?

# %% [markdown] tags=["solution"]
# **Solution.** The error more than doubles: each dark square is taken for a facet that turns away from the light. One picture cannot tell paint from slope. Several pictures can, because paint stays where it is while shading moves.

# %% tags=["solution"]
plaster = np.maximum(np.tensordot(light, round_normals, 1), 0) * ball
for name, picture in {"plaster": plaster, "painted": plaster * paint / 0.8}.items():
    guess = surfaces.shape_from_shading(picture, light, ball)
    off = surfaces.angular_error(guess, round_normals)[ball].mean()
    print(f"{name}: off by {off:.0f} degrees")

# %% [markdown]
# ### Exercise 4. What two channels agree on ★★
#
# **Program it.** Trust only what two channels agree on: crossings at $\sigma = 2$ that have a crossing at $\sigma = 4$ within two pixels. Write `agreed(fine, coarse, pixels)` for two arrays of booleans, which keeps those places of `fine` that have one of `coarse` within some pixels, and run `check(agreed)`. Does the outline's share of the sixty scenes pass a half?

# %% [markdown] tags=["hint"]
# **Hint.** `distance_transform_edt(mask)` gives the distance of each pixel to the nearest one where `mask` is *false*.

# %% [markdown] tags=["hint"]
# **Hint.** The function `near` of this chapter gives the share of some places that are near others.

# %% [markdown] tags=["solution"]
# **Solution.** The outline's share grows, since grass is fine and a cow is coarse, but it stays below a half.

# %% tags=["solution", "nbval-check-output"]
def agreed(fine, coarse, pixels):
    return fine & (distance_transform_edt(~coarse) <= pixels)


check(agreed)

# %% tags=["solution"]
on = []
for picture in herd:
    fine, coarse = (primal.zero_crossings(grey(picture.image), s, 0.1) for s in (2, 4))
    outline = change(picture.mask)
    on.append([near(found, outline, 2) for found in (fine, agreed(fine, coarse, 2))])
print("alone {:.0f} %, agreed {:.0f} %".format(*100 * np.mean(on, axis=0)))

# %% [markdown]
# ## What you can do now
#
# - Find the intensity changes of an image at any scale, say how high each step is, and describe them as edges, bars, blobs and ends.
# - Recover the form and the paint of a matt surface from pictures under known lights, and say what shadows do to it.
# - Turn normals into depth, and say what that depth cannot know.
# - Find depth from two pictures by matching, and tell which pixels to believe.
# - Describe a solid in its own axes, and recognise it from a side that you have never seen.
#
# ## Sources
#
# The lecture's slides "Visual recognition: Marr's Vision". The photographer is by Lav Varshney (CC0), from scikit-image. What is said of Marr's book and the papers below is recalled, not read again for this page; what their methods do is measured on it.
