# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="How shall we tell whether a program has seen what is in a picture?"
# # The pasture
#
# A photograph of a cow does not say how far away the cow is, where its leg ends, what colour it would have in another light, or what stands behind it. How, then, shall we tell whether a program has seen these things? We need pictures whose every pixel is explained.
#
# So the course has a pasture of its own. Its animals are *generalised cones*, the solids by which Marr and Nishihara described animals in 1978 [@marr1978]. They stand on a ground, under a sun, before a camera. Nothing is downloaded: a program draws them on your machine, the same ones every time.

# %% tags=["nbval-check-output"]
from dataclasses import replace

import numpy as np

from dtwin import check, data, plots
from dtwin.data import pasture

print(f"{len(pasture.SPECIES)} species:", ", ".join(pasture.SPECIES))
print(f"{len(pasture.CHOICES) + len(pasture.RANGES)} causes of variation in a scene")

# %% alt="Ten animals in two rows, each seen from its left and a little from the front: a black and white cow with horns on a meadow, a brown horse on straw, a woolly sheep, a pig, a dog, a deer with antlers on snow, a camel with two humps on sand, a spotted giraffe, an elephant and a rabbit."
looks = {"cow": ("meadow", "white-black"), "horse": ("straw", "rust-white"), "sheep": ("meadow", "cream-rust"),
         "pig": ("straw", "tan-brown"), "dog": ("sand", "brown-cream"), "deer": ("snow", "rust-white"),
         "camel": ("sand", "tan-brown"), "giraffe": ("straw", "cream-rust"),
         "elephant": ("sand", "grey-white"), "rabbit": ("snow", "white-brown")}
coats = {"cow": "patches", "giraffe": "spots", "rabbit": "patches"}
herd = [pasture.Scene(species=name, ground=ground, colours=colours, coat=coats.get(name, "plain"), size=160)
        for name, (ground, colours) in looks.items()]
plots.images(pasture.images(herd), list(looks), columns=5)

# %% [markdown]
# **Figure.** The ten species of the pasture.
#
# ## A picture and its truth
#
# A [`Scene`][dtwin.data.pasture.Scene] holds every cause of a picture. [`render`][dtwin.data.pasture.render] makes the picture, and the truth behind it.

# %% alt="Eight pictures of one black and white cow on a meadow: the image; its albedo, flat colours without light; its shading, a grey cow lit from one side; the cast shadow; the depth, brighter where nearer; the normals, in a colour for each direction; the parts of the animal in shades of grey; and a dot on each key point."
scene = pasture.Scene(size=192)
cow = pasture.render(scene)
dots = cow.image.copy()
for x, y in np.rint(cow.keypoints[cow.visible]).astype(int):
    dots[:, y - 2:y + 3, x - 2:x + 3] = np.array([230, 30, 90])[:, None, None]
truth = {"image": cow.image, "albedo": cow.albedo, "shading": cow.shading,
         "cast shadow": cow.shadow.astype(float), "depth": cow.depth.min() / cow.depth,
         "normals": (cow.normals + 1) / 2, "parts": cow.parts / len(pasture.PARTS),
         "key points": dots}
plots.images(truth.values(), truth.keys(), columns=4)

# %% [markdown]
# **Figure.** One scene and what is known about it, pixel by pixel. Albedo is the colour of things, shading is the light that falls on them.
#
# The light that reaches the camera is albedo times shading, at every pixel and in every channel:
#
# $$I = \rho \cdot s .$$
#
# The camera turns it into bytes. To see the product as it is, we ask for no display curve and one ray through the middle of each pixel.

# %% tags=["nbval-check-output"]
plain = pasture.render(replace(scene, linear=True, samples=1))
product = np.clip(plain.albedo * plain.shading, 0, 1)
error = np.abs(plain.image / 255 - product).max()
print("the image is the product to half a grey level:", error <= 0.5 / 255 + 1e-9)

# %% [markdown]
# ## The animals
#
# The species differ in shape and proportion alone. Coat, colour, ground, sky and light are drawn for each picture by itself, so that none of these gives a cow away: a striped one is rare in the world, but not here.

# %% alt="Forty small pictures. The same four scenes, on sand, behind a bush, and on a meadow behind a fence, hold in turn a cow, a horse, a sheep, a pig, a dog, a deer, a camel, a giraffe, an elephant and a rabbit, in the same coats and seen from the same sides."
drawn = [scene for name in pasture.SPECIES
         for scene in pasture.sample(4, seed=5, species=name, size=64)]
plots.images(pasture.images(drawn), [scene.species for scene in drawn], columns=8)

# %% [markdown]
# **Figure.** Four scenes drawn at random, each with every species in turn: every cause has random numbers of its own, so that a change of species changes nothing else.
#
# The networks of the later chapters learn from smaller pictures, because thousands of them have to be looked at again and again.

# %% alt="Forty pictures of 32 by 32 pixels in four rows of ten, each named: animals of nine of the ten species on meadow, sand, snow and straw, seen from all sides, some half hidden by a fence or a bush. Legs are one or two pixels wide."
small = pasture.scenes(40)
plots.images(pasture.images(small), [scene.species for scene in small], columns=10)

# %% [markdown]
# **Figure.** The first forty pictures that a network is trained with, 32 × 32 pixels each. Most can still be told by their outline; where you hesitate, so may the network.
#
# ## One cause at a time
#
# Every cause can be turned by itself while all else stands still. This is what the sensory gap means: the cow is the same in all these pictures, and the pixels are not.

# %% alt="Twelve rows of eight small pictures of the same cow. Along each row one cause varies: the side it is seen from, the height of the camera, its distance, the height of the sun, the ambient light, the length of the legs, the step, the head going down to graze, a bush in front, blur, noise and exposure."
@plots.figure
def sweeps(sheet):
    fig, axes = plots.canvas(0.82 * len(sheet), len(sheet), 8)
    for row, (name, pictures) in zip(axes, sheet.items()):
        row[0].set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center", fontsize=8.5)
        for ax, picture in zip(row, pictures):
            ax.imshow(picture.transpose(1, 2, 0), interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    return fig


causes = ["azimuth", "elevation", "distance", "sun_elevation", "ambient", "legs",
          "step", "graze", "cover", "blur", "noise", "exposure"]
sweeps(pasture.gallery(rows=causes))

# %% [markdown]
# **Figure.** One cause a row: azimuth and step go once round, cover moves the bush from left to right, and all others rise. To us it is one cow throughout.
#
# ## A biased pasture
#
# In real collections cows stand on grass. A network that learns from them may learn the grass. `biased=True` draws such a world: cows on the meadow only, and all others elsewhere. In such a world a network can be right for the wrong reason, and we can find out.

# %% tags=["nbval-check-output"]
for biased in (False, True):
    drawn = pasture.sample(1000, seed=1, biased=biased)
    cows = [scene.ground for scene in drawn if scene.species == "cow"]
    others = [scene.ground for scene in drawn if scene.species != "cow"]
    shares = [names.count("meadow") / len(names) for names in (cows, others)]
    print(f"biased {biased!s:5}  on the meadow: cows {shares[0]:.2f}, others {shares[1]:.2f}")

# %% [markdown]
# ## Blocks and a checkerboard
#
# Two more scenes have their truth known. Roberts' blocks of 1963 come with their true edges and vertices [@roberts1963]. Adelson's checkerboard of 1995 has a light square in a shadow and a dark one in the sun, and the two send the same light [@adelson1995].

# %% alt="Four pictures: a cuboid, a wedge and a hexagonal prism, grey and smooth, each with a cast shadow; and a checkerboard on which a green cylinder casts a sharp shadow."
kinds = ["cuboid", "wedge", "prism"]
blocks = [pasture.render_block(pasture.Block(kind, size=160)) for kind in kinds]
board = pasture.checker_shadow(160)
plots.images([picture.image for picture in [*blocks, board]], [*kinds, "checkerboard"])

# %% [markdown]
# **Figure.** What Roberts' program saw, and Adelson's question: which squares are equal?
#
# ## Real pictures beside them
#
# The pasture explains its pictures, but it is not the world. So the course keeps real pictures beside it, which came with the libraries that it uses: nothing is downloaded for them either.

# %% alt="Forty handwritten digits of 8 by 8 cells, grey on black, in four rows; each row holds the digits 0 to 9 in order."
digits = data.digits("train")
chosen = [np.flatnonzero(digits.labels == k)[30 * m] for m in range(4) for k in range(10)]
plots.images(digits.images[chosen], digits.labels[chosen], columns=10)

# %% [markdown]
# **Figure.** Handwritten digits, 8 × 8 cells each. Even so few cells hold enough of a digit to tell it by.

# %% alt="Nine photographs: an astronaut in an orange suit, a brick wall, a photographer behind a camera on a tripod, a ginger cat called Chelsea, a cup of coffee, coins in rows, grass, gravel, and a rocket at dusk."
photographs = data.photographs()
plots.images([one.images[0] for one in photographs.values()], photographs, columns=5)

# %% [markdown]
# **Figure.** Nine photographs. Brick, grass and gravel are textures: they look alike wherever one cuts a piece out of them, and a face does not.

# %% alt="Twenty small grey pictures in two rows: ten faces cut out of news photographs, most seen from the front; and ten pieces of background, blurred edges and surfaces, some with a black corner."
faces = data.faces()
plots.images(faces.images[[*range(10), *range(100, 110)]], columns=10)

# %% [markdown]
# **Figure.** Above faces, below pieces of what was around them. Look at the black corners: they betray a background to whoever has never seen a face.

# %% alt="A red motorcycle in a garage twice, seen from places a little apart; and a grey map of the same view, in which the motorcycle is bright, the shelves behind it are dark, and some specks and outlines are black."
pair, disparity = data.stereo()
near = np.nan_to_num(disparity / np.nanmax(disparity))
plots.images([*pair.images, near], ["left", "right", "disparity"])

# %% [markdown]
# **Figure.** A motorcycle before two cameras, and how many pixels each point moves from one picture to the other, brighter for more: what is near moves far. Black was not measured.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. How much of it is cow? ★
#
# **Predict before you run.** A network learns from pictures like the forty above. How many of 100 pixels show the animal? For which species are they most, and for which fewest?

# %% [markdown] tags=["hint"]
# **Hint.** Look at the forty pictures: how often would an animal, cut out and laid flat, fit into its picture?

# %% [markdown] tags=["solution"]
# **Solution.** About one pixel in eight. Whoever has long thin legs has least; the elephant has most. All others are ground and sky, and a machine that compares pixels compares mostly these: chapter 1 finds out what comes of it.

# %% tags=["solution"]
seen, scenes = {name: [] for name in pasture.SPECIES}, pasture.scenes(300, "test")
for scene, picture in zip(scenes, pasture.pictures(scenes)):
    seen[scene.species].append(100 * picture.mask.mean())
for name, shares in sorted(seen.items(), key=lambda item: np.mean(item[1])):
    print(f"{name:8} {np.mean(shares):4.1f} of 100 pixels")

# %% [markdown]
# ### Exercise 2. A sun of your own ★★
#
# **Program it.** A dull surface sends back the more light, the more it faces the sun: as much as the *cosine* of the angle between its normal $n$ and the direction $l$ to the light, $\max(n \cdot l, 0)$, where nothing comes from a surface that looks away. Write `shade(normals, light)`, for normals (3, H, W) and a light of three numbers whose length is 1, which returns (H, W), and run `check(shade)`. Then take the normals of the cow, and light her from the left.

# %% [markdown] tags=["hint"]
# **Hint.** The first axis holds the three numbers of each normal. Multiply them by those of the light, and add up along that axis.

# %% [markdown] tags=["hint"]
# **Hint.** `np.tensordot(light, normals, 1)` does both, and `np.maximum(…, 0)` the rest.

# %% [markdown] tags=["solution"]
# **Solution.** A product and a sum, without a loop:

# %% tags=["solution", "nbval-check-output"]
def shade(normals, light):
    return np.maximum(np.tensordot(light, normals, 1), 0)


check(shade)

# %% alt="Three grey pictures of the cow without her colours. Lit from the left, head and chest are bright and the flank is dark; lit from the right, the flank is bright; lit from above, the back is bright, the belly black and the ground white. The sky is black in all." tags=["solution"]
suns = {"from the left": [-0.8, 0.36, 0.48], "from the right": [0.8, 0.36, 0.48],
        "from above": [0, 1, 0]}
lit = [shade(cow.normals, np.array(sun)) for sun in suns.values()]
plots.images(lit, suns.keys())

# %% [markdown] tags=["solution"]
# **Figure.** One cow, three suns. The sky has no surface, so it sends back nothing.
#
# There are no cast shadows, for a normal knows nothing of what stands in the way.

# %% [markdown]
# ### Exercise 3. What is not in the pasture? ★
#
# **Think.** A network reads the pasture without a mistake. Name three things that a child knows of a cow and that this network need not know.

# %% [markdown] tags=["solution"]
# **Solution.** Some of many: that a cow stays a cow when she lies down, for here all stand. That there may be two cows in a picture, or none, for here is always one animal, near the middle. That a cow moves, moos and gives milk. A test can only ask for what its pictures show, and the answer "without a mistake" means no more than that.

# %% [markdown]
# ## What you can do now
#
# - Draw any animal in any scene, and get the truth behind every pixel.
# - Turn one cause of variation at a time, and say what it does to a picture.
# - Build a world with a bias of your own, to test what a network makes of it.
#
# ## Sources
#
# The pictures of the pasture are rendered by `dtwin.data.pasture`, and may be used as its code may. The others belong to those who made them: [the data page](../data.md) names them, and their licences.
