# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="What do you know, who know a cow when you see one?"
# # What makes a cow, a cow?
#
# Here are four pictures. You know what they show before you have finished this sentence, and you could not say how you know.

# %% alt="Four cows side by side. A black and white one from the side on a meadow; a brown one from the front on sand, with her shadow before her; a striped one from behind on snow at dusk; a grey one grazing on straw behind a bush."
from dataclasses import replace

from dtwin import check, claims, data, plots
from dtwin.data import pasture

first = pasture.Scene(size=160, azimuth=70)
herd = [first,
        replace(first, azimuth=8, ground="sand", coat="plain", colours="tan-brown"),
        replace(first, azimuth=205, ground="snow", sky="dusk", coat="stripes", chance=3),
        replace(first, azimuth=300, ground="straw", sky="overcast", graze=1.0, look=-20.0,
                colours="grey-white", occluder="bush", cover=0.5)]
plots.images(pasture.images(herd))

# %% [markdown]
# **Figure.** Four cows, rendered by [the pasture](00_pasture.ipynb). What have they in common that no horse has?
#
# Try an answer before you read on. A black and white coat? The second is brown. Four legs? So has a dog, and the fourth cow shows two. Horns? Goats have them too, and many cows have none. Grass? That is no part of a cow, and yet you may have thought of it. A program is given still less than you, for all it gets are numbers.

# %% tags=["nbval-check-output"]
numbers = pasture.images(herd)
print("pictures, colours, height, width:", numbers.shape)
print("the first row of the first, its reds:", *numbers[0, 0, 0, :10], "…")

# %% [markdown]
# A child who has seen a few cows knows the next one. How could a machine? For sixty years people have tried to tell it, and this course follows them. First, though, two things have to be known: how much there is in a picture, and what of it you need in order to see the cow.
#
# ## A picture is worth a thousand words…
#
# … says the proverb. The length of the two, at least, can be compared. Write both without loss and as briefly as one program can, `lzma` from Python's library, which knows neither English nor cows. The thousand words are the beginning of a chapter of Python's reference manual, which comes with every Python [@python].

# %%
import lzma
from pydoc_data.topics import topics

words = topics["execmodel"].split()
words = [word for word in words if any(map(str.isalpha, word))]
text = " ".join(words[:1000])


def bits(content):
    return 8 * len(lzma.compress(content, format=lzma.FORMAT_ALONE))


said = bits(text.encode())
print(" ".join(words[6:24]), "…")
print(f"1,000 words: {len(text):,} characters, {8 * len(text):,} bits, coded {said:,}")

# %% [markdown]
# Nobody codes English better than people. Claude Shannon let them guess a text letter by letter, and from how often they guessed right he concluded that a letter of English carries about one bit: more than 0.6, and less than 1.3 [@shannon1951, the bounds recalled]. So much for the words; now the pictures, each at several sizes.

# %% alt="Bits against the side of the picture, 8 to 64 pixels; the axis of bits is logarithmic. Three lines rise, steeply at first: photographs in colour above, the cow just beneath them, photographs in grey below. Two level lines cross them: a thousand words as lzma codes them is met near 32 pixels by the cow and near 55 by the grey photographs; a thousand words as people code them, a band further down, is met at about 18 and 30 pixels."
import numpy as np
from skimage.transform import resize

sides = [8, 16, 24, 32, 48, 64]
photographs = [kept.images[0] for kept in data.photographs().values()]


def lengths(picture):
    least = min(picture.shape[1:])
    square = picture[:, :least, :least].transpose(1, 2, 0) / 255
    small = [resize(square, (side, side), anti_aliasing=True) for side in sides]
    return [bits(np.rint(255 * s).astype("uint8").tobytes()) for s in small]


series = {"in colour": [lengths(p) for p in photographs if len(p) == 3],
          "the cow": lengths(pasture.render(replace(first, size=128)).image),
          "in grey": [lengths(p) for p in photographs if len(p) == 1],
          "words, by lzma": [said] * 6,
          "words, by people": [[0.6 * len(text)] * 6, [1.3 * len(text)] * 6]}
plots.curves(series, "side of the picture, pixels", "bits", x=sides, log="y")

# %% [markdown]
# **Figure.** Pictures at growing sizes: nine photographs (mean and range) and the cow. Where a line meets the words coded by the same program, picture and words are of one length.

# %%
own = [bits(p.tobytes()) for p in photographs]
claims.measure("picture-against-thousand-words", min(own) / said)

# %% [markdown]
# The number is a ratio: the shortest of the nine photographs, at its own size, is so many times as long as the thousand words, both by `lzma`. So the proverb is modest: a picture no larger than an icon has the length of a thousand words. But most of those bits say where each blade of grass bends. That there is *a cow*, which is what you would tell a friend, takes one word. Length is not meaning, and the way from the one to the other is what this course is about: throw away nearly all the bits, and keep the right ones.
#
# > [!note]
# > **Erratum.** The slide cites "Cabral et al., 2013". The lecture's bibliography has no such entry, and we could not find out which work is meant.
#
# ## Content crash: why do we care?
#
# Because nobody can look at all pictures, let alone describe them.

# %%
claims.quote("content-crash")

# %% [markdown]
# The slide shows an infographic whose numbers we could not check, so none is repeated here. A sum on safer ground serves as well. The pictures that AlexNet learned from in 2012, 1.2 million of them, had been labelled by people. Suppose that a label takes ten seconds, and that a speaker says 150 words a minute.

# %% tags=["nbval-check-output"]
pictures, year = 1.2e6, 365.25 * 24 * 60
for work, minutes in [("a label each", 10 / 60), ("a thousand words each", 1000 / 150)]:
    print(f"{work:22} {pictures * minutes / year:4.1f} years, day and night")

# %% [markdown]
# ## What survives? You try
#
# A good way to find out what a thing is made of is to take it away bit by bit until it is gone. The sheets below do that to a cow in seven ways, in six steps each, from left to right. One function draws them all.

# %%
import functools

from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

# %%
@plots.figure
def sheet(rows, labels, side=2.0):  # a cell holds a picture or a number
    fig, ax = plots.sheet(13.2, (side + 0.5) * len(rows))
    write = functools.partial(ax.text, ha="center", va="center")
    for n, (way, cells) in enumerate(rows.items()):
        top = (side + 0.5) * n + 0.45
        write(0.3, top + side / 2, way, rotation=90)
        for left, cell, label in zip(0.75 + 2.07 * np.arange(6), cells, labels[way]):
            write(left + 1, top - 0.2, label, fontsize=8, color=plots.theme().muted)
            if np.ndim(cell):
                ax.imshow(cell.transpose(1, 2, 0), extent=(left, left + 2, top + 2, top))
            else:
                tint = to_rgba("C0", 0.7 * max(0, cell - 10) / 90)
                ax.add_patch(Rectangle((left, top), 2, side, fc=tint, ec="C6", lw=0.5))
                write(left + 1, top + side / 2, f"{cell:.0f}", fontsize=12)
    ax.set(xlim=(0, 13.2), ylim=((side + 0.5) * len(rows), 0))
    return fig

# %% [markdown]
# Four of the ways are causes that the pasture turns, one at a time, while all else stands still.

# %%
turns = [(80, 7), (40, 7), (0, 7), (0, 35), (0, 60), (0, 88)]
pixels, blurs = [24, 16, 11, 7, 4], [0, 0.02, 0.04, 0.07, 0.11, 0.18]
tan = {"ground": "sand", "colours": "tan-brown"}
causes = {
    "turned": [{"azimuth": a, "elevation": e} for a, e in turns],
    "smaller": [{}] + [{"size": side} for side in pixels],
    "blurred": [{"blur": share} for share in blurs],
    "elsewhere": [{}, {"ground": "sand"}, {"ground": "snow", "coat": "stripes"}, tan,
                  {**tan, "coat": "plain"},
                  {**tan, "coat": "plain", "sun": 0.0, "ambient": 1.6}]}


def changed(scenes, change):
    size, blur = scenes[0].size, scenes[0].size * change.get("blur", 0)
    pictures = pasture.images([replace(s, **{**change, "blur": blur}) for s in scenes])
    at = np.arange(size) * pictures.shape[2] // size  # small ones are shown as large
    return pictures[:, :, at[:, None], at]

# %% alt="Four rows of six pictures of a black and white cow. Turned: from the side, half from the front, from the front, then from ever higher until from straight above. Smaller: from 96 pixels a side to 4. Blurred, until only a pale spot is left. Elsewhere: on meadow, on sand, striped on snow, brown on sand, plain brown, and without sun or shadow."
labels = {"turned": ["side", "40°", "front", "35° above", "60°", "88°"],
          "smaller": ["full size"] + [f"{side} px" for side in pixels],
          "blurred": [f"{100 * share:.0f} %" for share in blurs],
          "elsewhere": ["meadow", "beach", "snow", "brown", "plain", "no sun"]}


def each(changes, scenes):
    return [changed(scenes, change) for change in changes]


ways = {name: functools.partial(each, changes) for name, changes in causes.items()}
cow = pasture.Scene(size=96, azimuth=80)
sheet({name: [p[0] for p in way([cow])] for name, way in ways.items()}, labels)

# %% [markdown]
# **Figure.** In each row, how far to the right can you go and still see a cow? Write down a number from 1 to 6. (*Blurred* says how wide a point becomes, in shares of the picture's width.)
#
# Two more ways spoil the finished picture: boards that hide more and more of it, and a knife that cuts it into ever smaller squares and lays them out anew.

# %%
def hidden(picture, boards, rng):
    cell = picture.shape[1] // 8
    covered = np.isin(np.arange(64), rng.permutation(64)[:boards]).reshape(8, 8)
    covered = np.kron(covered, np.ones((cell, cell), bool))
    return np.where(covered, np.uint8(150), picture)


def scrambled(picture, grid, rng):
    cell = picture.shape[1] // grid
    squares = picture.reshape(3, grid, cell, grid, cell).transpose(1, 3, 0, 2, 4)
    squares = rng.permutation(squares.reshape(-1, 3, cell, cell))
    squares = squares.reshape(grid, grid, 3, cell, cell).transpose(2, 0, 3, 1, 4)
    return squares.reshape(picture.shape)

# %% alt="Two rows of six pictures. Hidden: grey boards over more and more of the cow, until only patches of sky and grass are left. Scrambled: the picture cut into 4, 16, 64, 256 and 1,024 squares in disorder."
boards, grids = [0, 24, 38, 48, 55, 60], [1, 2, 4, 8, 16, 32]
labels["hidden"] = [f"{100 * n / 64:.0f} %" for n in boards]
labels["scrambled"] = [f"{n} × {n}" for n in grids]


def spoil(way, amounts, scenes):
    pictures, rng = pasture.images(scenes), np.random.default_rng
    return [np.stack([way(p, amount, rng(n)) for n, p in enumerate(pictures)])
            for amount in amounts]


ways["hidden"] = functools.partial(spoil, hidden, boards)
ways["scrambled"] = functools.partial(spoil, scrambled, grids)
spoilt = ("hidden", "scrambled")
sheet({name: [p[0] for p in ways[name]([cow])] for name in spoilt}, labels)

# %% [markdown]
# **Figure.** The same question, two more numbers. (*Hidden* is the share of the picture behind boards.)
#
# The last way gives up colour, light and ground, and keeps lines: first every border of a part and every jump in depth, then the outline alone, then a few corners of it, joined by straight lines. Which corners? Again and again the one goes that makes the smallest triangle with its two neighbours.

# %%
from scipy.ndimage import binary_dilation, minimum_filter
from skimage.draw import polygon_perimeter
from skimage.measure import find_contours
from skimage.segmentation import find_boundaries


def corners(outline, count):
    while len(outline) > count:
        a, b = (np.roll(outline, step, axis=0) - outline for step in (1, -1))
        areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        outline = np.delete(outline, areas.argmin(), axis=0)
    return outline


square = np.array([[0, 0], [0, 2], [0, 4], [4, 4], [4.1, 2], [4, 0]])
print("the corners that stay:", *corners(square, 4).astype(int).tolist())

# %%
def lines(truth):
    depth = np.where(truth.mask, truth.depth, np.inf)
    jumps = truth.mask & (minimum_filter(depth, 3) < depth - 0.15)
    yield find_boundaries(truth.parts) | jumps
    outline = max(find_contours(np.pad(truth.mask, 1), 0.5), key=len)[:-1] - 1
    for count in (len(outline), 24, 12, 6):
        outline, line = corners(outline, count), np.zeros_like(truth.mask)
        line[polygon_perimeter(*outline.T, line.shape, clip=True)] = True
        yield line


def drawn(scenes):  # at three times the size, then reduced
    large = pasture.pictures([replace(s, size=3 * s.size, samples=1) for s in scenes])
    paper = 1 - np.array([[binary_dilation(line) for line in lines(p)] for p in large])
    grey = paper.reshape(*paper.shape[:2], -1, 3, paper.shape[3] // 3, 3).mean((3, 5))
    colour = np.repeat(np.rint(255 * grey).astype("uint8")[:, :, None], 3, axis=2)
    return [pasture.images(scenes), *colour.swapaxes(0, 1)]

# %% alt="One row of six pictures: the cow in colour; a drawing of all her lines; her outline; and polygons of 24, 12 and 6 corners, the first still with horns, muzzle and legs, the last a slanted bar with one leg."
labels["drawn"] = ["picture", "lines", "outline", "24 corners", "12", "6"]
ways["drawn"] = drawn
sheet({"drawn": [p[0] for p in drawn([cow])]}, labels)

# %% [markdown]
# **Figure.** The seventh number. In 1954 Fred Attneave drew a sleeping cat from 38 such corners, and everybody saw the cat [@attneave1954, recalled].
#
# You were told that it is a cow, and that helps. So here is a fairer trial: four animals, none of them named, and the worst picture first.

# %% alt="Four rows of six pictures that grow clearer from left to right: an animal from 4 to 96 pixels, one behind ever fewer boards, one out of a blur, and one from a polygon of six corners to a photograph."
free = {"size": 96, "occluder": "none", "azimuth": (55, 125)}
names = np.random.default_rng(8).permutation(pasture.SPECIES)[:4]
unknown = [replace(scene, species=str(name), blur=0.0)
           for name, scene in zip(names, pasture.sample(4, seed=11, **free))]
trial = dict(zip(["smaller", "hidden", "blurred", "drawn"], unknown))
clearer = {way: [p[0] for p in ways[way]([scene])][::-1] for way, scene in trial.items()}
sheet(clearer, {way: labels[way][::-1] for way in trial})

# %% [markdown]
# **Figure.** Which animals are these? Read each row from the left, and stop where you are sure.
#
# <details markdown="1"><summary>Solution</summary>
#
# A cow, a giraffe that grazes, a pig, a camel. In row two the stripes mislead: in the pasture every species may wear any coat.
#
# </details>
#
# What did you go by? Hardly by any single thing. A few corners are enough when the outline is drawn, and the outline is not needed when there is a coat. Squares that keep every pixel destroy the animal, while boards that take away most of the pixels leave it. What you recognise is neither in the pixels nor in their number. It is in how parts lie to one another.
#
# ## The machine tries
#
# Now a machine that knows pixels only. It keeps a heap of pictures whose names it has been told. Asked about a new one, it looks for the kept picture that differs least, and says its name: the **nearest neighbour**. Two pictures $a$ and $b$ differ by the distance of their numbers,
#
# $$d(a, b) = \sqrt{\textstyle\sum_i (a_i - b_i)^2}.$$
#
# Take three pictures of 2 × 2 pixels: a bright dot, the same dot one pixel further, and nothing at all.

# %% alt="Three matrices of two by two numbers: a dot, 9 in the upper left and 1 elsewhere; the dot moved, 9 in the upper right; and no dot, 1 everywhere."
dot = np.array([[9, 1], [1, 1]])
moved, nothing = dot[:, ::-1], np.ones((2, 2))
plots.matrices([dot, moved, nothing], ["a dot", "the dot, moved", "no dot"])

# %% [markdown]
# **Figure.** Three pictures for the machine. Which two are nearest?

# %% tags=["nbval-check-output"]
def distance(a, b):
    return np.sqrt(((a.astype(float) - b) ** 2).sum())


print(f"from the dot to the moved dot: √(8² + 8²) = {distance(dot, moved):.1f}")
print(f"from the dot to no dot:              √8²  = {distance(dot, nothing):.1f}")

# %% [markdown]
# To the machine a dot that has moved by a single pixel is further away than no dot at all. Now the same with animals: what is nearer to the first cow of this page, her sisters or a horse in her place?

# %%
horse = pasture.render(replace(first, species="horse")).image
others = {"second cow": numbers[1], "third cow": numbers[2], "fourth cow": numbers[3]}
for name, picture in {**others, "horse": horse}.items():
    print(f"from the first cow to the {name:10} {distance(numbers[0], picture):8,.0f}")

# %% [markdown]
# Where does this machine stop seeing the cow? We make it easy for it. It keeps ten pictures, one of each species, all in the same place, pose and light, and is asked about these same ten, spoiled in the seven ways. It sees 32 × 32 pixels. Three such places are tried; who guesses is right one time in ten.

# %%
from sklearn.metrics import pairwise_distances


def right(kept, asked):
    flat = (p.reshape(len(p), -1) / 255 for p in (asked, kept))
    return pairwise_distances(*flat).argmin(axis=1) == np.arange(len(kept))


usual = {"size": 32, "azimuth": 80.0, "elevation": 7.0, "occluder": "none", "blur": 0.0,
         "ground": "meadow", "colours": "white-black", "coat": "patches"}
places = pasture.sample(3, seed=1, **usual)
scenes = [replace(place, species=name) for place in places for name in pasture.SPECIES]
kept = np.split(pasture.images(scenes), 3)
score = {name: [100 * np.mean([right(*pair) for pair in zip(kept, np.split(asked, 3))])
               for asked in way(scenes)] for name, way in ways.items()}
print("each number of the sheet is a share of", len(scenes), "answers")

# %% alt="The sheet again with a number in each cell instead of a picture: of 100 answers of the machine, how many are right. The first column is all 100. Turned falls to ten, which is chance, once the animals face us; drawn is at chance from the first drawing on; smaller stays high down to 11 pixels and is near half at 4; blurred is high for two steps; hidden falls slowly; elsewhere is 100 on the beach and about 30 on the snow; scrambled drops below half with four squares."
sheet(score, labels, side=1.2)

# %% [markdown]
# **Figure.** The sheet once more: right answers of the machine, of 100. Lay your seven numbers beside it.
#
# Machine and reader break at different places. Where a picture gets small or blurred the machine holds out as long as we do, or longer: four pixels a side are enough for it to be right nearly every second time. Large pale and dark areas in their places are what it compares, and they are what remains. The beach costs nothing either. But snow and a striped coat together, or a coat of one colour, leave about one right answer in four: every pixel has changed, and the nearest of ten wrong pictures is another animal. And when the animals turn to face us it is down to guessing, and of a drawing it makes nothing from the first line on. There the animal is as clear as ever, and hardly a number is what it was. This is the trouble with pixels: **what changes the numbers most may leave the cow alone, and what takes the cow away may hardly touch the numbers**.
#
# ### Anywhere, anyhow
#
# So much for the easy case, one place and ten pictures. The pasture's own collection leaves everything free: side, pose, coat, ground, sky, light, bushes and fences. The machine keeps 4,000 pictures and is asked about 1,000 others.

# %%
memory, asked = pasture.dataset(4000, "train"), pasture.dataset(1000, "test")
flat = [p.images.reshape(len(p), -1) / 255 for p in (asked, memory)]
distances = pairwise_distances(*flat)
same = asked.labels[:, None] == memory.labels
within, between = distances[same].mean(), distances[~same].mean()
claims.measure("pixel-distance-within-class", within / between)

# %% [markdown]
# On average, two animals of one species differ as much as any two. That is only an average, though, and the machine needs only its nearest pictures to be right. The usual measure is **precision at 10**: among the ten nearest, how many show the same species? With $n_1, …, n_{10}$ the ten nearest to $q$,
#
# $$P@10 = \frac{1}{10} \sum_{k=1}^{10} \big[\,\text{species}(n_k) = \text{species}(q)\,\big].$$

# %%
near = distances.argsort(axis=1)[:, :10]
hits = np.take_along_axis(same, near, axis=1)
claims.measure("pixel-precision-at-ten", hits.mean())

# %% [markdown]
# The claim does not come out as it was registered. We had expected chance, one in ten, or a little more; it is nearly two in ten, and other pastures (`seed=1`, `seed=2`) say the same. Which animals does the machine know, then?

# %% alt="Ten bars, precision at 10 in percent for each species. Giraffe and deer have the longest bars, with rabbit and pig behind them; cow and dog the shortest, close to ten."
precision = {name: 100 * hits[asked.labels == n].mean()
             for n, name in enumerate(asked.classes)}
ranked = sorted(precision, key=precision.get, reverse=True)
plots.bars({"precision at 10, %": [precision[name] for name in ranked]}, ranked)

# %% [markdown]
# **Figure.** Guessing would give 10 for each. A giraffe stands taller than all others, a deer carries antlers, a rabbit is a ball with ears. A cow has nothing of the kind, and is found by chance.
#
# And what do the ten nearest have in common, if not the species? The pasture knows the cause of every pixel, so it can be counted.

# %% alt="Three rows of eight small pictures. First a cow, then the seven pictures nearest to it with their species: a few cows among dogs, horses, deer and giraffes, but in each row nearly all stand on the same ground, straw in the first, snow in the second, sand in the third."
cows = np.flatnonzero(asked.labels == 0)[:3]
strips = [p for q in cows for p in (asked.images[q], *memory.images[near[q, :7]])]
species = [memory.classes[n] for n in memory.labels]
titles = [title for q in cows for title in ("asked", *(species[k] for k in near[q, :7]))]
plots.images(strips, titles, columns=8)

# %% [markdown]
# **Figure.** Three cows, and the seven pictures nearest to each.

# %% alt="Four bars: in how many of 100 of the nearest pictures a cause is the same. The ground in nearly all, where chance would bring 25; the sky in 32 and the coat in 27, both little above their chance of 25; the species in 19, where chance would bring 10."
theirs, ours = pasture.scenes(4000, "train"), pasture.scenes(1000, "test")


def shared(cause):
    a = np.array([getattr(scene, cause) for scene in ours])
    b = np.array([getattr(scene, cause) for scene in theirs])
    return 100 * (b[near] == a[:, None]).mean(), 100 * (b == a[:, None]).mean()


rows = {cause: shared(cause) for cause in ("ground", "sky", "coat", "species")}
names = [f"{cause}, by chance {chance:.0f}" for cause, (_, chance) in rows.items()]
found = [found for found, _ in rows.values()]
plots.bars({"the same in the ten nearest, %": found}, names)

# %% [markdown]
# **Figure.** The machine was asked for the animal and answered with the ground.
#
# Most pixels show no animal, so most of the distance is ground. Nobody told the machine that ground is not what we mean. How could one tell it? There are two ways, and the history of the field lies between them.
#
# ## Explicit and implicit models
#
# Let the task be small: cow or giraffe? The first way is to write down what we know: *a giraffe is taller than it is long*. This is an **explicit model**. It is short, anyone can read it and object to it, and it needs no examples. But somebody has to find the animal in the picture before it can be measured. Here the pasture gives its figure away.

# %%
pair = {name: asked.classes.index(name) for name in ("cow", "giraffe")}
picked = np.flatnonzero(np.isin(asked.labels, list(pair.values())))
masks = np.stack([truth.mask for truth in pasture.pictures([ours[k] for k in picked])])
tall, long = (np.array([np.ptp(np.flatnonzero(mask.any(axis))) for mask in masks])
              for axis in (1, 0))
giraffes = asked.labels[picked] == pair["giraffe"]
written = ((tall > long) == giraffes).mean()
print(f"{len(picked)} pictures; by the rule, right in {100 * written:.0f} of 100")

# %% [markdown]
# The second way writes nothing down. Take pictures of cows and of giraffes that somebody has labelled, and subtract the mean cow from the mean giraffe. That gives one *weight* for every pixel. A new picture is multiplied by the weights, pixel by pixel, and the sum is compared with a threshold halfway between the two kinds. This is an **implicit model**: what it knows of giraffes is in the weights, and nobody put it there.

# %%
cows, tall_ones = (memory.images[memory.labels == n] / 255 for n in pair.values())
weights = tall_ones.mean(0) - cows.mean(0)
threshold = (weights * (tall_ones.mean(0) + cows.mean(0)) / 2).sum()
scores = (asked.images[picked] / 255 * weights).sum((1, 2, 3)) - threshold
learned = ((scores > 0) == giraffes).mean()
examples = len(cows) + len(tall_ones)
print(f"{examples} examples; by their means, right in {100 * learned:.0f} of 100")

# %%
@plots.figure
def two_models(rows):
    fig, ax = plots.sheet(17, 8.8)
    for top, (name, first, tiles, last) in zip((0, 4.5), rows):
        ax.text(0.3, top + 0.4, name, va="center", fontsize=11, color="C0")
        for x, word in (2.4, first), (4.9, "→"), (9.1, "→"), (13.3, "→"), (15.4, last):
            ax.text(x, top + 2.4, word, ha="center", va="center", fontsize=11)
        for image, left in zip(tiles, (5.5, 9.7, 0.9)):
            ax.imshow(image, extent=(left, left + 3, top + 3.9, top + 0.9),
                      cmap=plots.diverging(), vmin=-0.2, vmax=0.2)
    ax.set(xlim=(0, 17), ylim=(8.8, 0))
    return fig

# %% alt="Two lines of boxes joined by arrows. Above, the explicit model: the sentence a giraffe is taller than it is long, a picture of a giraffe, its figure cut out, and how often the rule is right. Below, the implicit model: four small pictures of cows and giraffes, the weights that come of them, two blue clouds left and right of the middle and a pale orange one beneath, the picture again, and how often the weights are right."
one = np.flatnonzero(giraffes & (tall > long))[0]
picture = asked.images[picked[one]].transpose(1, 2, 0)
four = [np.concatenate(two, axis=2) for two in zip(cows[:2], tall_ones[:2])]
four = np.concatenate(four, axis=1).transpose(1, 2, 0)
rule, verdict = "“A giraffe is\ntaller than it\nis long.”", "right in\n{:.0f} of 100"
two_models([("explicit: a person writes it down", rule,
             [picture, -0.1 * masks[one]], verdict.format(100 * written)),
            ("implicit: worked out from examples", "",
             [weights.mean(0), picture, four], verdict.format(100 * learned))])

# %% [markdown]
# **Figure.** Two models of one thing. In the upper row the knowledge is a sentence, and the hard part is the arrow in the middle, which the truth behind the picture has done for us. In the lower row the knowledge is a picture of weights (blue: brighter means giraffe; orange: darker does), and there is no sentence. Blue is where a cow would have her flanks and a giraffe lets the ground show.
#
# Neither is good. The rule fails where a cow looks at us, for then she too is taller than long, and where a giraffe grazes. Of the mistakes of the weights there is little to say, for no one of them stands for anything. There the two differ most: a rule can be asked why. Nearly everything in this course is a way to give one of the two what the other has.
#
# ## Where the course goes

# %%
LANES = ["written down", "counted", "learned", "questioned"]
STEPS = [("1963", 0, "Roberts: blocks and their edges", 2),
         ("1973", 0, "Fischler, Elschlager: parts and springs", 2),
         ("1982", 0, "Marr: from sketch to solid", 3),
         ("1986", 2, "backpropagation", 6),
         ("1989", 2, "LeCun: convolutions that learn", 7),
         ("2000", 1, "Smeulders: two gaps", 4),
         ("2003–11", 1, "bags of features", 5),
         ("2012", 2, "AlexNet", 8),
         ("2012–14", 2, "dropout", 11),
         ("2014", 3, "Zeiler, Fergus: looking inside", 12),
         ("2015", 2, "batch normalisation", 10),
         ("2015", 2, "ResNet: 152 layers", 9),
         ("2017", 3, "Grad-CAM: where did it look?", 12),
         ("2017", 3, "Zhang: labels learned by heart", 13),
         ("today", 3, "the laboratory: your own question", 14)]

# %% alt="A list of fifteen years, from 1963 at the top to today, each with a work and its chapter. A line runs from year to year through four columns: written down, counted, learned, questioned. It stays in the first from 1963 to 1982, jumps to learned in 1986 and 1989 and back to counted in 2000 and 2003, then runs on between learned and questioned from 2012."
@plots.figure
def journey():
    fig, ax = plots.sheet(17, 0.78 * len(STEPS) + 1.3)
    across = [3.2 + 1.7 * lane for _, lane, *_ in STEPS]
    down = 1.5 + 0.78 * np.arange(len(STEPS))
    ax.plot(across, down, color=plots.theme().faint, lw=2, zorder=0)
    for lane, name in enumerate(LANES):
        ax.text(3.2 + 1.7 * lane, 0.5, name.replace(" ", "\n"), ha="center", va="center",
                fontsize=8.5, color=f"C{lane}")
    for x, y, (year, lane, work, chapter) in zip(across, down, STEPS):
        ax.plot(x, y, "o", color=f"C{lane}", ms=7)
        ax.text(1.9, y, year, ha="right", va="center", color=plots.theme().muted)
        ax.text(9.6, y, work, va="center")
        ax.text(9.3, y, chapter, ha="right", va="center", color=f"C{lane}", weight="bold")
    return fig


journey()

# %% [markdown]
# **Figure.** Chapters 2 to 14 on one line through sixty years. Colours say what becomes of the model: people write it down; they choose what to count, and a machine weighs the counts; a network learns all of it; people ask the network what it has learned. The number beside each work is its chapter.
#
# The line does not run straight. Networks that learned existed in the 1980s, and were put aside for decades in which counting worked better. And each step left something unsolved that the next one began with. So each chapter begins with a question.
#
# ## How to run it
#
# Every page of this course is a program, and its numbers and figures are the ones of its last run. To change something and see what happens, take the notebook or the script at the head of the page, or take the whole course: `make site` builds these pages on your machine, `make test` checks everything, and `make lab` opens the chapters in Jupyter. Nothing needs a network or a graphics card.
#
# Four things come back in every chapter.
#
# - **A row in a frame**, such as the ones above, is a claim of the lecture: what its source published, what came out here, and the band, set down before anything was measured, that counts as *reproduced*. A claim that misses stays, and says so. This chapter has one.
# - **`ref` and `twin`** are one set of operators written twice: in NumPy, to be read, and in PyTorch, to be fast. They share no line, so that their agreement is evidence for both.
# - **The pasture** is the source of most pictures, for it knows the truth behind each of its pixels.
# - **Exercises** end each chapter, with the solutions folded under them. Think first: a guess that turned out wrong is remembered longest.
#
# ## The claims, measured
#
# A photograph is many times as long as a thousand words, which says nothing of its meaning. In their pixels, two animals of one species differ as much as two of different species. And the ten nearest in pixels show the species asked for hardly more often than chance: that was the claim, and it missed. They do so nearly twice as often, thanks to animals with a shape of their own, the cow not among them.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. How much is in a picture? ★
#
# **Predict before you run.** The pixels of the cow are shuffled, each number to a random place. Then take a picture of noise, every number drawn at random from 0 to 255. How many bits do the three need, against the 98,304 of the raw numbers? And which holds most information?

# %% [markdown] tags=["hint"]
# **Hint.** The coder saves where the next number can be guessed from those before it. In which of the three can it?

# %% [markdown] tags=["solution"]
# **Solution.** The cow needs a little over half of the raw bits, for neighbours in a picture are alike. Shuffled, nearly all of it is lost to the coder, and noise needs all bits and a few more. By Shannon's measure noise holds the most information, and it shows nothing at all. His measure counts surprise, not meaning.

# %% tags=["solution"]
picture, rng = pasture.render(pasture.Scene(size=64)).image, np.random.default_rng(0)
shuffled = rng.permutation(picture.ravel())
noise = rng.integers(0, 256, picture.size, dtype="uint8")
print(*(f"{bits(some.tobytes()):,}" for some in (picture, shuffled, noise)))

# %% [markdown]
# ### Exercise 2. On another ground ★★
#
# **Predict, then program it.** The machine answers with the ground. Forbid it: let it choose only among pictures whose ground is *another* than that of the picture asked about. Will its precision at 10 rise or fall? Write `precision_at(distances, same, k)`, the share of right answers among the `k` nearest, averaged over all who ask, and run `check(precision_at)`. Then give it distances in which the forbidden pictures are infinitely far away.

# %% [markdown] tags=["hint"]
# **Hint.** `distances.argsort(axis=1)` ranks the pictures for each question. What does `np.take_along_axis` do with `same`?

# %% [markdown] tags=["hint"]
# **Hint.** `ours` and `theirs` are the scenes of the pictures, and `scene.ground` is the ground. `np.where` puts `np.inf` where two grounds are equal.

# %% [markdown] tags=["solution"]
# **Solution.** It falls, though it stays above chance. On a like ground the ground cancels, and what remains of the distance is the animal; on another ground the distance is nearly all ground. What misleads the machine is also what allows it to see anything.

# %% tags=["solution", "nbval-check-output"]
def precision_at(distances, same, k):
    nearest = distances.argsort(axis=1)[:, :k]
    return np.take_along_axis(same, nearest, axis=1).mean()


check(precision_at)

# %% tags=["solution", "nbval-check-output"]
a, b = (np.array([scene.ground for scene in drawn]) for drawn in (ours, theirs))
away = np.where(a[:, None] == b, np.inf, distances)
before, after = precision_at(distances, same, 10), precision_at(away, same, 10)
print("it falls:", after < before, " above chance:", after > 0.1)

# %% [markdown]
# ### Exercise 3. Edges instead of numbers ★★
#
# **Program it.** You could read the drawings and the machine could not. Give it a start: compare pictures not by their numbers but by their *edges*, that is by how steeply the brightness changes at each pixel. Write `edges(images)` for pictures (N, 3, H, W) from 0 to 255: the mean of the channels, from 0 to 1, and of its gradient across and down the length, (N, H, W). Run `check(edges)`. What does that do to precision at 10?

# %% [markdown] tags=["hint"]
# **Hint.** `np.gradient(…, axis=(1, 2))` returns two arrays: how steeply the brightness changes downwards, and to the right.

# %% [markdown] tags=["hint"]
# **Hint.** The two are the sides of a right angle; `np.hypot` is its third side. `pairwise_distances` wants one row for each picture.

# %% [markdown] tags=["solution"]
# **Solution.** It rises to about one in four. Flat ground has few edges and drops out, whatever its colour. This is the thought with which chapter 2 begins, in 1963.

# %% tags=["solution", "nbval-check-output"]
def edges(images):
    down, across = np.gradient(images.mean(axis=1) / 255, axis=(1, 2))
    return np.hypot(down, across)


check(edges)

# %% tags=["solution"]
steep = pairwise_distances(*(edges(p.images).reshape(len(p), -1) for p in (asked, memory)))
print(f"numbers {precision_at(distances, same, 10):.2f}, edges {precision_at(steep, same, 10):.2f}")

# %% [markdown]
# ### Exercise 4. What is a chair? ★★
#
# **Think.** Write an explicit model of *chair* in three sentences. Then find a chair that it refuses, and something that is no chair and that it accepts.

# %% [markdown] tags=["solution"]
# **Solution.** "Four legs, a seat, a back" refuses the office chair and the beanbag, and accepts a bench and a horse with a saddle. "Something to sit on" refuses none, and accepts a rock. Each mended sentence brings the next exception. That is not for want of trying: what makes a chair a chair is what one can do with it, and this is nowhere in the pixels.

# %% [markdown]
# ## What you can do now
#
# - Say why a picture has more bits than its description, and why that does not matter.
# - Name the causes that change a picture and leave the animal, and test where you, or a machine, lose it.
# - Measure a distance between pictures, and precision at 10; explain why nearest in pixels is not nearest in meaning.
# - Tell an explicit model from an implicit one, and say what each is good for.
#
# ## Sources
#
# The lecture's slides "What makes a cow, a *cow*?", "A picture is worth a thousand words…" and "Content crash: why do we care?". The photographs are scikit-image's, most of them CC0; `data.photographs()` names the maker of each. Works of the map are cited in their chapters.
