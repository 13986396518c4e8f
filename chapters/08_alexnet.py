# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="What did the winner of 2012 have that earlier networks lacked?"
# # AlexNet
#
# In October 2012 the results of a contest were read out: 1000 kinds of things, 1.2 million photographs to learn them from, 100,000 to name. A program may give five answers to a photograph; is the right one among them? Most teams had polished the recipe of chapter 5 for years. One had thrown it away and trained a convolutional network, an idea of the 1980s. What did it have that earlier networks lacked?

# %% tags=["nbval-check-output"]
from collections import namedtuple
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from IPython.display import Markdown
from scipy.ndimage import zoom
from scipy.stats import spearmanr
from sklearn.svm import SVC

from dtwin import check, claims, cost, data, parallel, plots, ref, train, twin
from dtwin.data import loader, pasture
from dtwin.vision import bags, retrieval
from dtwin.vision.descriptors import dense_sift

torch.set_num_threads(1)  # most networks here are too small to share out
pictures, unseen = data.dataset("train"), data.dataset("test")
digits, digits_exam = data.digits("train"), data.digits("test")
print(digits, digits_exam, sep="\n")

# %%
claims.quote("imagenet-2012")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide writes out ILSVRC as "International Large Scale Visual Recognition Competition". It is the *ImageNet Large Scale Visual Recognition Challenge* [@russakovsky2015].
#
# Hardly a piece of that network was new, but nobody had put them together. This chapter takes them one by one, asks of each what it is good for, and measures it on nets small enough to be trained again and again. Some tricks show their effect here; some do not, and then the ledger says so.
#
# ## AlexNet: The Architecture
#
# A photograph of 224 × 224 pixels goes in. The first layer lays 96 kernels of 11 × 11 over it in steps of 4; with two pixels of padding the window fits $\lfloor (224 + 4 - 11)/4 \rfloor + 1 = 55$ times in a row. Seven layers later there are 1000 numbers, one for each kind of thing. [`cost.layers`][dtwin.cost.layers] sends a picture through and counts on the way, without working out a single number.

# %% tags=["nbval-check-output"]
with torch.device("meta"):  # shapes only
    alexnet = twin.nets.alexnet()
layers = cost.layers(alexnet, (3, 224, 224))
groups = [getattr(alexnet.get_submodule(layer.name), "groups", 1) for layer in layers]
for layer in layers[:2]:
    print(f"{layer.name}: maps {layer.shape}, {layer.parameters:,} parameters, "
          f"{layer.multiply_adds:,} multiplications")

# %% alt="AlexNet from left to right. Eight layers, each drawn as two blocks, an upper one in blue and a lower one in orange. Blocks get lower and wider from conv1, 55 by 55 by 96, to conv5, 13 by 13 by 256; then come the tall thin blocks of fc6 and fc7 with 4096 units and fc8 with 1000. Lines join blocks of one colour only, except into conv3 and the last three layers, where they cross."
@plots.figure
def towers():
    fig, ax = plots.sheet(20, 7.4)
    ax.text(0.55, 3.5, "a picture, 224 × 224 × 3", rotation=90, ha="center", va="center")
    before = [(0.95, 3.5, None)]
    for n, (layer, own) in enumerate(zip(layers, groups)):
        (maps, side, _), left, now = (*layer.shape, 1, 1)[:3], 1.5 + 2.4 * n, []
        box = (0.38 * side ** 0.5, 0.15 + maps / 400) if side > 1 else (2.3, 0.35)
        for tower, y in enumerate((2.0, 5.0)):
            for right, level, other in before:
                if own == 1 or other == tower:
                    ax.plot([right, left], [level, y], plots.theme().muted, lw=0.8)
            ax.bar(left, *box, y - box[0] / 2, align="edge", color=f"C{tower}", zorder=2)
            now.append((left + box[1], y, tower))
        before, size = now, f"{side} × {side}\n× {maps}" if side > 1 else maps
        ax.text(left, 0.3, layer.name, va="center")
        ax.text(left, 6.9, size, va="center", fontsize=8.5)
    return fig


towers()

# %% [markdown]
# **Figure.** Two colours, two graphics cards. Where only straight lines lead into a layer, it reads the maps of its own card; where they cross, those of both. Behind conv1, conv2 and conv5 the maps are pooled, which halves them: 55, 27, 13, 13, 13 pixels wide, and 6 at the end.

# %% alt="Two bar charts over the eight layers. Parameters, in millions: next to none in the five convolutions, 37.8 in fc6, 16.8 in fc7, 4.1 in fc8. Multiplications, in millions: 105, 224, 150, 112 and 75 in the convolutions, 38, 17 and 4 in the last three."
plots.bars({"parameters, millions": [layer.parameters / 1e6 for layer in layers],
            "multiplications, millions": [layer.multiply_adds / 1e6 for layer in layers]},
           [layer.name for layer in layers], "{:,.1f}")

# %% [markdown]
# **Figure.** The convolutions do the work, the last three layers hold the weights.

# %%
total = cost.total(alexnet, (3, 224, 224))
claims.measure("alexnet-parameters", total.parameters)

# %%
claims.measure("alexnet-multiplications", total.multiply_adds)

# %%
claims.measure("alexnet-neurons", sum(np.prod(layer.shape) for layer in layers))

# %% [markdown]
# > [!note]
# > **Erratum,** in the paper itself. Its list of neurons gives the first layer 253,440; the layer's own sizes give $55 \cdot 55 \cdot 96 = 290{,}400$, and only with these does the sum come to the 650,000 of its abstract. And its picture of 224 pixels, with no padding mentioned, would give $54\tfrac14$ windows in a row; 227 pixels give 55, as do 224 with our padding [@krizhevsky2012].
#
# ## A workbench
#
# The course's small net, [`SmallAlexNet`][dtwin.twin.nets.SmallAlexNet], has the same plan for small pictures: convolutions and poolings in turn, a hidden layer, the scores. The tricks are its options. To judge one takes many trainings, with and without it, for one pair of numbers may be luck ([`parallel.map`][dtwin.parallel.map] runs as many at once as the computer has cores). So the pictures are those of a picture book, 16 × 16 pixels small: animals seen from either side, on a meadow, with nothing in front of them. A net learns from 400 and is examined on 1000 others. Like AlexNet it has two towers, of which more below. One trick of 2015 is borrowed, for it halves the time and steadies the nets: batch normalisation, the subject of chapter 10. (Without it, tried first, the seeds differed by more than any trick could show.)

# %% alt="Twelve small pictures of animals on green, of coarse pixels, looking to the left or to the right; some are black, some white, some striped."
sides = [*range(60, 121, 10), *range(240, 301, 10)]  # degrees; 90 and 270 are square on
book = {"size": 16, "azimuth": sides, "ground": "meadow", "occluder": "none"}
animals = pasture.dataset(400, "train", **book)
exam = pasture.dataset(1000, "test", **book)
plots.images(animals.images[:12], columns=12)

# %% [markdown]
# **Figure.** A dozen of the 400. To tell ten species apart on so few pixels is hard enough for a trick to show.

# %%
recipe = train.Recipe(epochs=12, lr=0.04, batch=40, schedule="one-cycle")
Trial = namedtuple("Trial", "net history error")


def wrong(net, images, history):
    return 100 * (1 - train.evaluate(net, images, history.statistics).accuracy)


def trial(seed, images=animals, exam=exam, recipe=recipe, watched=None, **options):
    """A trained net, its history, and its % of errors on the exam."""
    torch.manual_seed(seed)
    plan = {"stages": ((16,), (32,), (32,)), "groups": 2, "batch_norm": True, **options}
    _, channels, size, _ = images.images.shape
    net = twin.nets.SmallAlexNet(len(images.classes), channels, size, **plan)
    history = train.fit(net, images, replace(recipe, seed=seed), watched)
    return Trial(net, history, wrong(net, exam, history))


def trials(name, seeds=3, **options):
    return parallel.map(partial(trial, **options), range(seeds), desc=name)

# %% [markdown]
# One training takes far longer than all others, that of the contest at the end, on larger pictures. Where there are several cores it begins now, on one of them ([`parallel.start`][dtwin.parallel.start]), and goes on while we try the tricks.

# %%
walks = train.Recipe(10, lr=0.06, batch=32, schedule="one-cycle", flip=True)
large = partial(trial, stages=((16,), (32,), (48, 48)), groups=1)
contestant = parallel.start(large, 0, pictures, unseen, walks)
plain = trials("as it is", 5)
print("% wrong on unseen animals, five seeds:", *(f"{run.error:.1f}" for run in plain))

# %% [markdown]
# The seeds differ by as much as a good trick may bring. That is why differences are taken pair by pair, and divided by their own uncertainty. With differences $d_1, \dots, d_n$ of mean $\bar d$ and standard deviation $s$,
#
# $$t = \frac{\bar d}{s / \sqrt n},$$
#
# and the course asks for $t \ge 2$ before it believes in an effect. Both nets of a pair start from the same seed and see the same animals in the same order. First: does the net need all three convolutions? The other net of each pair lacks the middle one, and keeps its pooling.

# %%
def t(differences):
    return np.mean(differences) / (np.std(differences, ddof=1) / len(differences) ** 0.5)


def saved(with_it, without):
    """Points of error on unseen pictures that a trick saves, pair by pair."""
    return np.array([b.error - a.error for a, b in zip(with_it, without)])


shallow = trials("no middle", 5, stages=((16,), (), (32,)))
effects = {"a middle layer": saved(plain, shallow)}
claims.measure("depth-matters", t(effects["a middle layer"]))

# %% [markdown]
# It does: the net with all three errs less. (Without batch normalisation, tried first, the seeds drowned the difference.) As AlexNet's authors found of each of theirs, a convolution may hold few of the weights and still be needed.
#
# ## AlexNet: Pooling Features
#
# *Pooling* puts one number in the place of a window of them, in each map for itself. AlexNet keeps the **largest**, from windows of 3 × 3 in steps of 2, so that neighbouring windows overlap by a row of pixels.

# %% alt="Three matrices: five by five numbers, an arrow, the two by two largest of windows of three by three, namely 5, 7, 5 and 6, and at the right five by five numbers with the gradient: 2 where the 5 stood, 1 where the 7 and the 6 stood, zeros elsewhere."
x = np.array([[[[1, 0, 2, 7, 0], [3, 1, 0, 2, 1], [0, 5, 1, 0, 4], [1, 2, 0, 1, 0],
                [2, 0, 1, 3, 6.0]]]])
y = ref.max_pool2d(x, 3, stride=2)
dx = ref.max_pool2d_backward(np.ones_like(y), x, 3, stride=2)
names = ["map", "pooled", "its gradient"]
plots.matrices([x[0, 0], y[0, 0], dx[0, 0]], names, ["→", " "])

# %% [markdown]
# **Figure.** The 5 is the largest of two windows, the upper left and the lower left, and is kept twice. On the way back the gradient of each window, here 1, goes to the number that was kept and to no other.

# %%
maps = np.random.default_rng(0).normal(size=(2, 3, 9, 9))
inputs = torch.tensor(maps, requires_grad=True)
ours, theirs = ref.max_pool2d(maps, 3, 2), twin.max_pool2d(inputs, 3, 2)
dy = np.arange(ours.size).reshape(ours.shape) - 40.0  # whole numbers: sums are exact
back = ref.max_pool2d_backward(dy, maps, 3, 2)
gradient, = torch.autograd.grad(theirs, inputs, torch.tensor(dy))
apart = [ours - theirs.detach().numpy(), back - gradient.numpy(), back.sum() - dy.sum()]
claims.measure("max-pooling-exact", max(np.abs(a).max() for a in apart))

# %%
sides = np.array([55, 27, 13, 6])
claims.measure("pooling-halves", (sides[:-1] / sides[1:]).max())

# %% [markdown]
# > [!note]
# > **Erratum.** "The feature map size is reduced by a factor of 2" is true of each *side*, about; the map as a whole shrinks to less than a quarter. And a bag of words does not pool "like" this: its histogram *adds up*. Keeping the largest came into the recipe late, with sparse coding [@yang2009].
#
# Why pool at all? The slide says that to halve the resolution is to double the size of the convolutions that follow. Light the pixels of a row one by one: how many does a unit notice that stands behind a 3 × 3 pooling and a 3 × 3 convolution?

# %%
lit = np.eye(33)[:, None, None, :] * np.eye(33)[16][:, None]  # one image for each pixel
answers = ref.conv2d(ref.max_pool2d(lit, 3, stride=2), np.ones((1, 1, 3, 3)))
claims.measure("pooling-widens-the-view", (answers[:, 0, 7, 7] > 0).sum())

# %% [markdown]
# > [!note]
# > **Erratum.** "The same as doubling the size" holds for what a unit *sees*, and behind windows of 2 × 2 it is 6 pixels. A real 6 × 6 kernel would have four times the weights, and would be placed at every pixel; behind the pooling it is placed at every other.
#
# Do the windows have to overlap? Below, both nets have maps of the same sizes, but one pools windows of 2 × 2. The authors found overlapping ones better, and the nets "slightly more difficult to overfit" [@krizhevsky2012]. *Overfitting* is the gap between the error on unseen pictures and that on the pictures learned from.

# %%
def gaps(runs):
    return np.array([run.error - wrong(run.net, animals, run.history) for run in runs])


blocks = trials("pooling 2 × 2", 5, pool=2)
print(f"gap: overlapping {gaps(plain).mean():.1f} points, not {gaps(blocks).mean():.1f}")
effects["overlapping pooling"] = saved(plain, blocks)
claims.measure("overlapping-pooling", t(effects["overlapping pooling"]))

# %%
claims.measure("overlap-and-overfitting", t(gaps(blocks) - gaps(plain)))

# %% [markdown]
# Neither comes out here. The gap does shrink, but not beyond chance, and the error stays what it was. Five pairs that differ by some points cannot show the 0.4 points that the authors saw on 150,000 photographs; and where maps are 16 pixels wide and less, windows that share pixels also lose places.
#
# ## AlexNet: Unit Saturation
#
# What a unit does with its sum was, before AlexNet, bent at both ends: the logistic sigmoid $1/(1 + e^{-x})$, or tanh. Far from zero their slopes vanish, the gradient with them, and the unit is *saturated*: chapter 6 shows it stuck. AlexNet's units are *rectifiers* (ReLU), $\max(0, x)$, whose slope is 1 for every positive sum.
#
# The paper's first figure is a race: a network of four layers, once with rectifiers and once with tanh, the learning rate chosen for each, until it errs on no more than a quarter of its *training* pictures. The rectifiers win by a factor of six. Here is the race on digits, with the sigmoid at the start as well.

# %%
inputs, labels = loader.on_device(digits)
(inputs, labels), = loader.batches(inputs, labels, len(digits), loader.statistics(inputs))


def steps(unit, lr, seed, limit):
    """Steps of SGD until at most a quarter of the digits in two mini-batches running is wrong."""
    torch.manual_seed(seed)
    net = twin.nets.SmallAlexNet(10, 1, 8, ((8,), (16,)), hidden=32, activation=unit)
    optimiser, before = torch.optim.SGD(net.parameters(), lr, momentum=0.9), 64
    for step in range(1, limit):
        i = torch.randint(len(labels), (64,))
        scores = net(inputs[i])
        now = (scores.argmax(1) != labels[i]).sum()
        if before + now <= 32:
            return step
        optimiser.zero_grad()
        twin.cross_entropy(scores, labels[i]).backward()
        optimiser.step()
        before = now
    return limit

# %%
def race(name):
    """The best learning rate of a unit, and the steps it takes from three starts."""
    unit, best = getattr(twin, name), 240  # given up there
    for rate in (0.1, 0.3, 0.03, 1.0):
        taken = steps(unit, rate, 0, best)
        if rate == 0.1 or taken < best:
            best, lr = taken, rate
    return lr, [best, *(steps(unit, lr, seed, 240) for seed in (1, 2) if best < 240)]


units, median = ("relu", "tanh", "sigmoid"), {}
for name, (lr, taken) in zip(units, parallel.map(race, units, desc="races")):
    median[name] = np.median(taken)
    print(f"{name:7} learning rate {lr}: {taken} steps")
claims.measure("relu-against-sigmoid", median["sigmoid"] / median["relu"])

# %%
claims.measure("relu-against-tanh", median["tanh"] / median["relu"])

# %% [markdown]
# The sigmoid is left far behind: at every rate we gave it up. But tanh is *not* slower than the rectifier here. Why? The claim is about a net, and about its start. Ours begins with weights scaled so that signals neither die nor grow from layer to layer, a rule that became known at about the same time, and has inputs of mean 0 and variance 1; then a tanh works near its middle, where its slope is 1, and is as good as straight. The paper's authors drew all weights from one narrow Gaussian. They say themselves that the size of the effect varies with the architecture. Whether the factor of six comes back with their net and their start, on photographs, is left to the full scale.
#
# > [!note]
# > **Erratum.** "6× speedup" is against tanh, for that one net, in epochs to 25 % training error, without any regularisation. And "does not saturate" is half true: the left half of a rectifier is as flat as can be. A unit whose sum is negative for *every* picture gets no gradient and cannot come back. It is dead.

# %%
bare = {"groups": 1, "batch_norm": False}
small = {"images": digits, "exam": digits_exam,
         "stages": ((8,), (16,)), "hidden": 32, **bare}
low, high = (
    np.mean([run.history.dead[-1] for run in trials("dead", recipe=fast, **small)])
    for fast in (train.Recipe(2, lr=0.03), train.Recipe(2, lr=0.3)))
print(f"units dead: {low:.0%} at the best learning rate, {high:.0%} at ten times as much")
claims.measure("relu-can-die", high)

# %% [markdown]
# ## AlexNet: Reducing Overfitting
#
# Sixty million weights learn 1.2 million pictures by heart if they are let. One remedy is more pictures: a cow a little to the left, in a mirror, or in the evening sun, is a cow. Such *augmentation* costs nothing but arithmetic.

# %% alt="Three rows of a cow, eight times each. In the first row it lies at different places, with flat colour at the borders it has left; in the second some copies are mirrored; in the third the whole picture is brighter, darker or tinted."
cow = loader.on_device(pictures[np.flatnonzero(pictures.labels == 0)[2:3]])
colours = loader.statistics(loader.on_device(pictures[:500])[0])
mean, std = colours.mean[:, None, None], colours.std[:, None, None]
rows = []
for kind in ({"pad": 4}, {"flip": True}, {"colour": 2.0}):
    chance = torch.Generator().manual_seed(1)
    batches = (next(loader.batches(*cow, 1, colours, chance, **kind)) for _ in range(8))
    rows += [(x[0] * std + mean).numpy() for x, _ in batches]
plots.images(rows, columns=8)

# %% [markdown]
# **Figure.** One cow, moved, mirrored and relit. The class stays what it is, and that is what the net is to learn.
#
# The paper cuts 224 × 224 pixels out of 256 × 256, anywhere, and mirrors half of them.

# %%
claims.measure("augmentation-2048", (256 - 224) ** 2 * 2)

# %% [markdown]
# (With both ends counted there are $33^2 \cdot 2 = 2178$. And they are not so many new pictures, for they are all alike.) Which kind is right depends on what the class allows: in a mirror a cow is a cow, but a 2 is no digit.
#
# ### The principal directions of colour
#
# The third kind looks at the colours of all pixels of the training set. They form a cloud in the space of red, green and blue, long in one direction, bright to dark, and narrow across. Its *principal directions* $p_i$ and the variances $\lambda_i$ along them come from its covariance. To relight a picture, add to all of its pixels the same
#
# $$\sum_{i=1}^{3} \alpha_i \lambda_i p_i, \qquad \alpha_i \sim \mathcal N(0, 0.1^2).$$

# %% alt="A cloud of coloured dots, the pixels of the pasture, red across and blue upwards, each in its own colour. It fans out from black towards white, sand and sky; a long arrow lies along it and a short one across it."
@plots.figure
def cloud():
    fig, ax = plots.canvas(3.2)
    values = pictures.images[:300].transpose(1, 0, 2, 3).reshape(3, -1)[:, ::150].T / 255
    ax.scatter(values[:, 0], values[:, 2], c=values, s=9)
    for direction in colours.colours.T[[2, 1]]:
        along = direction / direction.norm() ** 0.5  # one standard deviation
        arrow = {"arrowstyle": "<|-|>", "color": plots.theme().ink, "lw": 1.8}
        ends = [(colours.mean + sign * along)[[0, 2]] for sign in (-1, 1)]
        ax.annotate("", *ends, arrowprops=arrow)
    ax.set(xlabel="red", ylabel="blue", aspect="equal", xlim=(0, 1), ylim=(0, 1))
    return fig


cloud()

# %% [markdown]
# **Figure.** Pixels of the training set, each in its own colour, and the two longest principal directions, one standard deviation to either side of the mean. Nearly all of the variance lies between dark and bright.

# %%
grey = torch.full((1, 3, 1, 1), 128, dtype=torch.uint8).expand(100_000, -1, -1, -1)
(x, _), = loader.batches(grey, torch.zeros(100_000), 100_000, colours,
                         torch.Generator().manual_seed(0), colour=0.1)
shifts = np.cov((x * std + mean).flatten(1).double().numpy().T)
expected = 0.1 ** 2 * (colours.colours @ colours.colours.T).numpy()
print(f"deviation of a shift: {255 * expected.trace() ** 0.5:.1f} grey levels of 255")
claims.measure("colour-shifts-covary",
               np.linalg.norm(shifts - expected) / np.linalg.norm(expected))

# %% [markdown]
# > [!note]
# > Beware of the units. Variances are squares: with pixels from 0 to 1 the paper's 0.1 gives the tiny shift printed above, with pixels from 0 to 255 one of more than the whole range. So 0.1 means nothing without its pixels. We keep pixels from 0 to 1, and take 2 in place of 0.1.
#
# What should come of it? A net that does not mind the light. So the exam is held again, in light from half as bright to half again, with each colour up to a tenth stronger or weaker. The shifts that the nets learn with vary the pixels as much, by 0.13.

# %% alt="Twelve small pictures of animals, some of them nearly black, others glaring, with a tinge of pink or green."
rng = np.random.default_rng(0)
light = rng.uniform(0.5, 1.5, (1000, 1, 1, 1)) * rng.uniform(0.9, 1.1, (1000, 3, 1, 1))
lit = replace(exam, images=np.clip(exam.images * light, 0, 255).astype(np.uint8))
plots.images(lit.images[:12], columns=12)

# %% [markdown]
# **Figure.** The first twelve animals of the exam in strange light. They are the same animals; only the light is another.
#
# Three nets learn 200 of the animals in white light, and again with shifts. Both walk through them twenty-four times, for what never looks the same twice takes longer to learn.

# %%
slow = {"images": animals[:200], "recipe": replace(recipe, epochs=24)}
white = trials("white light", **slow)
relit = trials("shifted", **slow | {"recipe": replace(slow["recipe"], colour=2.0)})
effects["colour shifts"] = saved(relit, white)
dark, bright = ([wrong(run.net, lit, run.history) for run in runs]
                for runs in (white, relit))
print(f"% wrong in strange light: {np.mean(dark):.1f}, with shifts {np.mean(bright):.1f}")
claims.measure("colour-shifts-against-coloured-light", np.mean(dark) - np.mean(bright))

# %% [markdown]
# Shifts make up for a part of what the strange light costs, in brightness above all, for that is what the cloud is long in. (With twice the animals and half the walks, tried before, the gain was a little smaller; without batch normalisation, larger.)
#
# ### Dropout
#
# The other remedy: in each step of the training, switch off every hidden unit with a probability of one half, and at the test let all of them speak, scaled so that sums stay what they were. A unit that cannot rely on its neighbours must be of use by itself. Chapter 11 looks inside; here is what it costs and brings a net that learns 500 digits by heart.

# %% alt="Training loss over twelve epochs on a logarithmic scale, with and without dropout, each with a band over five seeds. Both fall; the curve with dropout lies higher."
few = {"images": digits[:500], "exam": digits[500:], "watched": digits[:500], **bare,
       "stages": ((16,), (32, 32)),
       "recipe": train.Recipe(12, 0.02, 50, schedule="one-cycle")}
whole, dropped = trials("all units", 5, **few), trials("dropout", 5, dropout=0.5, **few)
losses = {name: np.array([run.history.test_loss for run in runs])
          for name, runs in (("with", dropped), ("without", whole))}
plots.curves(losses, "epoch", "training loss", log="y")

# %% [markdown]
# **Figure.** Loss on the 500 training digits, read without dropout: mean and range over five seeds.

# %%
def epochs_to(level, loss):
    """When a loss falls to a level: a straight line on the log scale joins the epochs."""
    lowest = np.minimum.accumulate(loss)
    return np.interp(-np.log(level), -np.log(lowest), np.arange(1, len(loss) + 1))


needed = {name: np.mean([epochs_to(0.1, run) for run in runs])
          for name, runs in losses.items()}
print("epochs: {:.1f} with dropout, {:.1f} without".format(*needed.values()))
claims.measure("dropout-takes-longer", needed["with"] / needed["without"])

# %%
effects["dropout, on digits"] = saved(dropped, whole)
claims.measure("dropout-against-overfitting", t(effects["dropout, on digits"]))

# %% [markdown]
# It takes longer, as published, but wins nothing here: 128 hidden units that learn 500 digits are not 4096 that learn a million photographs.
#
# > [!note]
# > **Erratum.** "Removes half of the inputs to select layers": no pixel is ever dropped. What is switched off are hidden units, those of fc6 and fc7.
#
# ## AlexNet: More Tricks
#
# ### Local response normalization
#
# At each place of the picture, a map's activation is divided by how loud its neighbours in the row of maps are, at the same place [@krizhevsky2012]:
#
# $$b_i = a_i \Big/ \Big(k + \alpha \sum_{j=i-2}^{i+2} a_j^2\Big)^{\beta}, \qquad k = 2,\ \alpha = 10^{-4},\ \beta = 0.75.$$
#
# One loud map quiets its neighbours, as a nerve cell in the eye does.
#
# > [!note]
# > **Erratum.** "Keep local variation in feature maps under control": the normalisation runs over five neighbouring *channels* at one place, not over places.

# %%
x = np.random.default_rng(0).normal(0, 30, (4, 16, 6, 6))
theirs = torch.nn.functional.local_response_norm(torch.tensor(x), 5, 5 * 1e-4, 0.75, 2.0)
claims.measure("lrn-formula", np.abs(ref.local_response_norm(x) - theirs.numpy()).max())

# %% [markdown]
# (PyTorch divides α by the size of the window, five channels; hence the 5 in front.) AlexNet's pictures have pixels from 0 to 255, ours a variance of 1, and so have its first activations. For the sum to count beside $k$, α has to be larger: 0.1 here.

# %%
effects["response norm"] = saved(trials("response norm", lrn=0.1), plain)
claims.measure("lrn-lowers-error", t(effects["response norm"]))

# %% [markdown]
# It harms. Divided by the loudness of their neighbours, activations are smaller; and the batch normalisation before has already seen to it that no map is much louder than another. Networks after AlexNet did without this trick.
#
# ### Momentum
#
# Gradient descent in a long valley goes like a skateboard in a halfpipe: the slope points across, hardly along. *Momentum* lets the step remember the steps before it. What alternates cancels, what persists adds up:
#
# $$v \leftarrow \mu v + \nabla L(w), \qquad w \leftarrow w - \varepsilon v. \tag{8.1}$$
#
# The simplest valley is $L(w) = \tfrac12 (w_1 - 1)^2 + \tfrac\kappa2 (w_2 - 1)^2$, which is $\kappa$ times steeper across than along. Its best learning rate and momentum are known [@polyak1964].

# %% alt="Two maps of a long narrow valley with its contour lines and the same start and goal. Without momentum the path zigzags from wall to wall and is not there after 20 steps; with momentum it swings once or twice, then runs along the valley to the goal."
def descend(kappa, lr, momentum=0.0, decay=0.0, steps=1000):
    """The path (steps + 1, 2) from the origin towards the minimum at (1, 1)."""
    path, v = [np.zeros(2)], np.zeros(2)
    for _ in range(steps):
        slope = np.array([1.0, kappa]) * (path[-1] - 1)
        w, v = ref.sgd_momentum(path[-1], slope, v, lr, momentum, decay)
        path.append(w)
    return np.array(path)


@plots.figure
def valley(kappa=30):
    fig, axes = plots.canvas(2.5, 1, 2, sharey=True)
    along, across = np.meshgrid(np.linspace(-0.3, 1.5, 100), np.linspace(-0.1, 2.2, 100))
    settings = zip(axes, (2 / (1 + kappa), 0.05), (0.0, 0.6))
    for n, (ax, lr, momentum) in enumerate(settings):
        path = descend(kappa, lr, momentum, steps=20)
        ax.contour(along, across, (along - 1) ** 2 + kappa * (across - 1) ** 2, 12,
                   colors=plots.theme().faint, linewidths=1)
        ax.plot(*path.T, "o-", ms=3, lw=1.2, color=f"C{n}")
        ax.plot(1, 1, "+", ms=12, mew=2, color=plots.theme().ink)
        ax.set(title=f"momentum {momentum}, 20 steps", xlim=(-0.3, 1.5), ylim=(-0.1, 2.2))
        plots.blank(ax)
    return fig


valley()

# %% [markdown]
# **Figure.** From the lower left to the cross. Momentum damps the zigzag and keeps going where the valley goes.

# %%
def arrival(path):
    """Steps to a millionth of the way."""
    return (np.abs(path - 1).max(1) < 1e-6).argmax()


alone = descend(100, lr=2 / 101)  # the best for κ = 100
carried = descend(100, lr=(2 / 11) ** 2, momentum=(9 / 11) ** 2)
claims.measure("momentum-speed", arrival(alone) / arrival(carried))

# %% [markdown]
# > [!note]
# > **Erratum.** "Equivalent to L1 (or L2) regularization of weights": no. Momentum changes the way, not the goal. What pulls the weights towards zero, and so moves the goal, is **weight decay**, another term of [(8.1)](#equation-1): $v \leftarrow \mu v + \nabla L + \lambda w$, with $\lambda = 0.0005$ in the paper.

# %%
claims.measure("momentum-keeps-the-optimum", np.linalg.norm(carried[-1] - 1))

# %%
decayed = descend(100, lr=2 / 101, decay=0.5)
claims.measure("decay-moves-the-optimum", np.linalg.norm(decayed[-1] - 1))

# %% [markdown]
# Of weight decay the authors say something odd: it is "not merely a regularizer: it reduces the model's training error" [@krizhevsky2012]. All nets of the workbench have it. What if it is taken away?

# %%
weightless = trials("no decay", recipe=replace(recipe, weight_decay=0))
effects["weight decay"] = saved(plain, weightless)
final = [[train.evaluate(run.net, animals, run.history.statistics).loss for run in runs]
         for runs in (weightless, plain[:3])]
print("final training loss: {:.5f} without, {:.5f} with".format(*np.mean(final, axis=1)))
claims.measure("weight-decay-in-training", t(np.subtract(*final)))

# %% [markdown]
# ### Mini-batch SGD
#
# With 1.2 million pictures nobody computes the whole gradient for a single step. A *mini-batch* of some hundred gives it roughly, and thousands of rough steps lead farther than one exact one. Why not a single picture at a time? Because a machine that multiplies matrices wants large ones.

# %% alt="One rising curve of pictures a second over the size of the mini-batch from 1 to 128, both on logarithmic scales. It rises steeply at first and flattens towards the right."
sizes = np.array([1, 4, 16, 64, 128])
runs = [trial(0, animals[:128], recipe=train.Recipe(2, batch=n)) for n in sizes.tolist()]
speeds = [128 / min(run.history.seconds) for run in runs]
plots.curves({"": speeds}, "pictures in a mini-batch", "pictures a second", sizes, "xy")

# %% [markdown]
# **Figure.** How fast this computer learns, one picture at a time and up to 128 at once.

# %%
claims.quote("alexnet-recipe")

# %% [markdown]
# ### Multiple GPUs
#
# A graphics card of 2012 had 3 GB. AlexNet did not fit, so its maps were split over two. A convolution whose maps are split is a convolution in two *groups*: two of half the width, side by side.

# %%
rng = np.random.default_rng(0)
x, w = rng.normal(size=(2, 8, 9, 9)), rng.normal(size=(6, 4, 3, 3))
halves = [ref.conv2d(x[:, :4], w[:3]), ref.conv2d(x[:, 4:], w[3:])]
in_one = sum(layer.multiply_adds * group for layer, group in zip(layers, groups))
print(f"in one piece AlexNet would take {in_one / total.multiply_adds - 1:.0%} more work")
claims.measure("towers-are-groups",
               np.abs(ref.conv2d(x, w, groups=2) - np.concatenate(halves, axis=1)).max())

# %% [markdown]
# What do two towers bring, against the one of half the width that would have fitted on one card?

# %%
half = trials("one tower", stages=((8,), (16,), (16,)), groups=1)
effects["a second tower"] = saved(plain, half)
claims.measure("towers-against-half", effects["a second tower"].mean())

# %% [markdown]
# The authors saw the towers specialise: the first layer's kernels on one card became blind to colour, those on the other sensitive to it, "during every run". How much of a kernel's energy is colour, that is, not common to red, green and blue?

# %%
kernels = np.stack([run.net.convs[0].weight.detach().cpu().numpy() for run in plain])
colour = kernels - kernels.mean(2, keepdims=True)  # (nets, 16 kernels, 3, 5, 5)
share = (colour ** 2).sum((2, 3, 4)) / (kernels ** 2).sum((2, 3, 4))
first, second = share[:, :8].mean(1), share[:, 8:].mean(1)
print(", ".join(f"{a:.2f} and {b:.2f}" for a, b in zip(first, second)))
claims.measure("towers-specialise", (np.abs(first - second) > 0.2).sum())

# %% [markdown]
# No sign of it. Two thirds is the share of kernels that are pure chance, and after twelve short walks these are not far from their start.
#
# ### Model averaging
#
# Five nets that differ only in their seed make different mistakes. Let them vote with the mean of their probabilities. The first five of the workbench are still there.

# %%
average = train.Average([run.net for run in plain])
together = wrong(average, exam, plain[0].history)
single = [run.error for run in plain]
effects["mean of five nets"] = np.array(single) - together
print(f"the best of five {min(single):.1f} % wrong, their mean {together:.1f} %")
claims.measure("model-averaging", 1 - together / min(single))

# %% [markdown]
# It is better than each of the five. Here are all tricks of the workbench on one scale:

# %% alt="One row for each trick, in it a dot for each pair of nets over a common axis of points of error saved, and a stroke for the mean. A line marks zero. A middle layer, a second tower and the mean of five nets lie to the right of it, response normalisation to the left, the others near it."
@plots.figure
def dots():
    fig, ax = plots.canvas(0.7 + 0.34 * len(effects))
    for row, points in enumerate(effects.values()):
        ax.plot(points, np.full(len(points), row), "o", color="C0", alpha=0.6, mew=0)
        ax.plot(points.mean(), row, "|", color=plots.theme().ink, ms=16, mew=2)
    ax.axvline(0, color=plots.theme().muted, lw=0.8)
    ax.set_yticks(range(len(effects)), effects)
    ax.set_xlabel("points of error saved")
    ax.spines["left"].set_visible(False)
    ax.invert_yaxis()
    return fig


dots()

# %% [markdown]
# **Figure.** One dot, one pair of nets; the stroke is their mean. Right of the line a trick helps, left of it it harms. What lies farthest to the right is not a trick but size: one more layer, a second tower, five nets in place of one.
#
# ## AlexNet: Results
#
# Now a contest, on all pictures at full size. The net has taken ten walks through 4000 of them, mirrored half of the time, with batch normalisation again. Against it stands the recipe of chapter 5, in two of its forms: descriptors, visual words, a support vector machine.

# %%
def old_way(form, pictures, exam):
    """% wrong of a bag of features with a support vector machine."""
    dense = dense_sift(pictures.images[:1000])[0]
    if form == "bag of 32 words":
        words = bags.codebook(dense, 32)
        a, b = (np.sqrt(bags.encode(part.images, words)) for part in (pictures, exam))
    else:
        mixture = bags.mixture(dense, 32)
        a, b = (bags.encode_fisher(part.images, mixture) for part in (pictures, exam))
    machine = SVC(C=10, kernel="precomputed").fit(a @ a.T, pictures.labels)
    return 100 * (1 - machine.score(b @ a.T, exam.labels))

# %% [markdown]
# All of them meet again on the digits, which the old way gets three times enlarged. The digits are small, and so is their net.

# %%
learn = train.Recipe(12, lr=0.02, batch=50, schedule="one-cycle")
plan = {"stages": ((16,), (32, 32)), **bare}
forms = "bag of 32 words", "Fisher vectors, 32"
enlarged = [replace(part, images=zoom(part.images, (1, 1, 3, 3), order=1))
            for part in (digits, digits_exam)]

# %%
contest = [partial(trial, 0, digits, digits_exam, learn, **plan)]
for parts in ((pictures, unseen), enlarged):
    contest += [partial(old_way, form, *parts) for form in forms]
small_net, *found = parallel.map(lambda run: run(), contest)
net, history, one = contestant()
percent = {**dict(zip(forms, found[:2])), "small AlexNet": one}
on_digits = {**dict(zip(forms, found[2:])), "small AlexNet": small_net.error}
print("right in training, walk by walk:", *(f"{share:.0%}" for share in history.accuracy))

# %% [markdown]
# At the test the paper shows the net ten *views* of each picture, four corners and the middle and their mirror images, and takes the mean of the ten answers.

# %%
def views(images, by=2):
    """Ten ImageSets: each picture moved to five places, and mirrored."""
    wide = np.pad(images.images, ((0, 0), (0, 0), (by, by), (by, by)), mode="edge")
    height, width = images.images.shape[2:]
    for down, right in ((by, by), (0, 0), (0, 2 * by), (2 * by, 0), (2 * by, 2 * by)):
        cut = wide[:, :, down:down + height, right:right + width]
        yield from (replace(images, images=view) for view in (cut, cut[..., ::-1].copy()))


said = [train.outputs(net, view, history.statistics) for view in views(unseen)]
said = torch.stack(said).softmax(2).mean(0).argmax(1).numpy()
percent["with ten views"] = 100 * (said != unseen.labels).mean()
claims.quote("ten-views")

# %%
published = {"Fisher vectors, 32": "25.7 | 26.2", "small AlexNet": "18.3 |",
             "with ten views": "17.0 | 18.2"}
head = ["wrong, %", pictures.name, "digits", "ILSVRC 2010", "ILSVRC 2012"]
table = ["| " + " | ".join(head) + " |\n" + 5 * "|---"]
for name, value in percent.items():
    digit = f"{on_digits[name]:.1f}" if name in on_digits else ""
    table.append(f"{name} | {value:.1f} | {digit} | {published.get(name, '|')}")
Markdown(" |\n| ".join(table) + " |")

# %% [markdown]
# The two columns of numbers on the left were measured in this run; the others are the paper's, top-5, for the methods that are nearest in kind [@krizhevsky2012]. On animals the revolution happens again: learned features leave the hand-made ones behind. (Chapter 5's best form, a soft pyramid, errs less than these two and more than the net.) On digits the two are level. Where edges say nearly all, there is little left to learn.
#
# What ten views save is too little for one net and a thousand pictures to show. Six nets asked about 5,000 pictures, tried apart from this run, made 2.5 ± 0.8 % fewer errors, but each by itself anything from none to 5 %.

# %%
claims.measure("learned-features-beat-bag", one / percent["bag of 32 words"])

# %%
claims.measure("network-beats-fisher-vectors", percent["Fisher vectors, 32"] - one)

# %%
claims.quote("alexnet-results")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide's table has asterisks and does not say why. They mark nets that had learned before from another collection, of 15 million pictures; "7 CNNs*" are the five without and two with it. So 15.3 % is not ensembling alone. And the line "SIFT + FVs" is an ensemble as well, an average of several classifiers.

# %%
claims.quote("imagenet-2010")

# %% [markdown]
# ### What the first layer has learned
#
# Nobody told the kernels what to look for.

# %% alt="Sixteen kernels of five by five pixels in colour, enlarged. Some have an upright or level bar that is darker than its sides; others are blobs of violet or green."
kernels = net.convs[0].weight.detach().cpu().numpy()
spread = np.abs(kernels).max((1, 2, 3), keepdims=True)
plots.images(0.5 + 0.5 * kernels / spread, columns=8)

# %% [markdown]
# **Figure.** The first layer, each kernel on its own scale; grey is zero. With 5 × 5 pixels they are coarse, but bars and blobs of colour can be made out.
#
# Do they look like edges, or do we want them to? A wave under a bell curve, called a *Gabor function*, is the textbook form of an edge detector. How well does the best of some thousand such functions fit each kernel, and how well would it fit one of pure chance?

# %%
y, x = np.mgrid[-2:3, -2:3].reshape(2, 25)
angles, lengths, phases = np.arange(12) * np.pi / 12, [2.5, 3.5, 5, 7, 10], np.arange(8)
angle, length, phase, width = (
    a.reshape(-1, 1) for a in np.meshgrid(angles, lengths, phases, [1, 1.5, 2.5]))
along = x * np.cos(angle) + y * np.sin(angle)
gabors = np.cos(2 * np.pi * along / length + phase * np.pi / 4)
gabors *= np.exp(-(x ** 2 + y ** 2) / (2 * width ** 2))


def fits(kernels):
    """R² of the best Gabor function for the strongest pattern of each kernel."""
    patterns = np.linalg.svd(kernels.reshape(-1, 3, 25))[2][:, 0]
    a, b = (rows - rows.mean(1, keepdims=True) for rows in (patterns, gabors))
    return ((a @ b.T / np.linalg.norm(b, axis=1)) ** 2).max(1) / (a ** 2).sum(1)


noise = np.random.default_rng(0).normal(size=(1000, 3, 5, 5))
learned, random = ((fits(k) > 0.5).mean() for k in (kernels, noise))
print(f"fitted well: {learned:.0%} of the learned kernels, {random:.0%} of random ones")
claims.measure("first-layer-sees-edges", learned - random)

# %% [markdown]
# ### What the last hidden layer has learned
#
# Chapter 4 looked for the nearest pictures by their pixels and colours, and found little meaning. Take instead the 128 units of the last hidden layer, as the authors did with their 4096, and look for the nearest there.

# %%
parts = unseen, pictures
hidden = [train.outputs(net.embed, part, history.statistics) for part in parts]
flat = [torch.tensor(part.images).flatten(1) / 255 for part in parts]
colour = [torch.tensor(retrieval.colour_histogram(part.images)) for part in parts]
far = {"pixels": torch.cdist(*flat), "colours": torch.cdist(*colour, p=1),
       "hidden layer": torch.cdist(*hidden)}
found = {name: distances.topk(10, largest=False).indices.numpy()
         for name, distances in far.items()}


def precision(name, k):
    hits = retrieval.precision_at_k(found[name][:, :k], unseen.labels, pictures.labels)
    return hits.mean()


print(*(f"{name}: {precision(name, 10):.2f}" for name in far), sep="\n")
claims.measure("embedding-precision-at-ten", precision("hidden layer", 10))

# %% alt="Five rows. At the left an unseen animal, then its six nearest pictures by pixels, of many species but with the same ground and light, then its six nearest in the hidden layer, most of them of its species, on other grounds and in other colours, framed in green."
queries = np.unique(unseen.labels, return_index=True)[1][:5]
shown = {name: found[name][queries, :6] for name in ("pixels", "hidden layer")}
images, labels = (np.concatenate([getattr(part, name) for part in (pictures, unseen)])
                  for name in ("images", "labels"))
plots.neighbours(images, len(pictures) + queries, shown, labels)

# %% [markdown]
# **Figure.** The first animal of five species among the unseen ones, and its six nearest; a frame means the right species. Pixels find the same background, the hidden layer more often the same animal.

# %%
claims.measure("embedding-precision-at-six", precision("hidden layer", 6))

# %%
low = max(precision("pixels", 10), precision("colours", 10))
claims.measure("semantic-gap-learned", precision("hidden layer", 10) / low)

# %%
alike = map(spearmanr, far["hidden layer"][:200], far["pixels"][:200])
claims.measure("embedding-against-pixels", np.mean([each.statistic for each in alike]))

# %% [markdown]
# Most of what lies near is of the right species, and near in the hidden layer is not near in pixels. The other two bands were missed by a little; with sixteen walks in place of ten, tried before and too long for a page that is built again and again, nearness in the hidden layer meant more than four times as much.
#
# ## AlexNet: Reflections
#
# Why in 2012 and not in 1990? The lecture names three things: data, machines, and decades of work on the parts. The first can be measured. Let the net learn from ever more digits, and count its errors on 637 others.

# %% alt="One falling curve of percent wrong over 50 to 800 training digits, both axes logarithmic. It falls from about 27 to about 6, but hardly at all between 100 and 200."
def mistakes_after(seed, n):
    walks = replace(learn, epochs=max(12, 4000 // n))
    return trial(seed, digits[:n], digits[800:], walks, **plan).error


amounts = np.array([50, 100, 200, 400, 800])
mistakes = np.array(parallel.grid(mistakes_after, range(2), amounts.tolist(), "amounts"))
plots.curves({"": mistakes}, "training digits", "wrong answers, %", x=amounts, log="xy")

# %% [markdown]
# **Figure.** Mean and range of two. A power law, by which each doubling of the data takes away the same *share* of the errors, would be a straight line on these axes. This line is nearly flat up to 200 digits and falls steeply behind. (Nets take 80 steps up to 200 digits and 192 with 800: a part of the fall may be theirs.) But it falls, and nothing on it says that 800 are enough, or 1.2 million.

# %%
logs = np.log(amounts), np.log(mistakes.mean(0))
claims.measure("error-falls-with-data", np.polyfit(*logs, 1)[0])

# %%
claims.measure("error-is-a-power-of-data", np.corrcoef(*logs)[0, 1] ** 2)

# %%
claims.quote("gpus-are-fast")

# %% [markdown]
# > [!note]
# > **Erratum.** "Decades of persistent theoretical development (ReLUs, fast backprop, dropout)": convolutional networks and backpropagation are decades old, the other two were news. Rectifiers came into deep networks in 2010 and 2011 [@nair2010; @glorot2011], dropout in 2012.
#
# ## Reflections: CNNs are really big
#
# "Even modestly-sized, state-of-the-art networks can have on the order of 150 million trainable parameters." One has:

# %%
with torch.device("meta"):
    vgg = twin.nets.vgg19()
claims.measure("really-big", cost.total(vgg, (3, 224, 224)).parameters)

# %% [markdown]
# > [!note]
# > **Erratum.** 150 million is VGG and its like. ResNet-152, which won in 2015 and is eight times as deep as VGG, has 60 million; GoogLeNet, which won in 2014, 6.6 million.
#
# And does a big network need *massive* data? By the books of statistics a model of more parameters than pictures can only learn by heart. Try one with a thousand times more.

# %%
def perceptron(seed, widths):
    torch.manual_seed(seed)
    net = twin.nets.MLP(64, *widths, 10)
    history = train.fit(net, digits, train.Recipe(2, schedule="linear", seed=seed))
    return wrong(net, digits_exam, history)


small, large = (np.mean(parallel.map(partial(perceptron, widths=widths), range(3)))
                for widths in ((16,), (1270, 1270)))
print(f"% wrong: 1,210 parameters {small:.1f}, 1.7 million {large:.1f}")
claims.measure("larger-is-not-worse", large - small)

# %% [markdown]
# It does not err more, but less. (Both saw them only twice; in part, the large one learns faster.) Size alone is no sin; chapter 13 comes back to this riddle.
#
# ## The claims, measured
#
# What stands: where AlexNet's weights and its work are; that sigmoids are slow and rectifiers die; that shifted colours help and dropout takes time, that momentum shortens the way and weight decay moves the goal, that depth and width pay, that five nets know more than one; and that on animals a network which learns its own features beats those made by hand. What did not come back: the lead over tanh, which was the faster here; towers that specialise; the line of a power law; two bands of the hidden layer, by a little; and the smaller effects, of overlapping windows, of dropout, of response normalisation, of weight decay in training. Half a point or a point and a half, found on 1.2 million photographs, is lost among nets that differ by points from seed to seed. That is no refutation, and a workbench on which every trick shines would be suspect. But it says what to ask of a trick: on which pictures, in which net, against how much chance?
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. Count it by hand ★
#
# **Predict before you run.** How many parameters and multiplications has `twin.nets.SmallAlexNet()`? Work out each layer by hand, then ask `cost.layers`.

# %% [markdown] tags=["hint"]
# **Hint.** What does a kernel look at, and how many maps does the layer before have? The first linear layer sees the last maps as one long row: how long is it?

# %% [markdown] tags=["solution"]
# **Solution.** `cost.layers(twin.nets.SmallAlexNet(), (3, 32, 32))`. Parameters: $5 \cdot 5 \cdot 3 \cdot 16 + 16 = 1216$; $3 \cdot 3 \cdot 16 \cdot 32 + 32 = 4640$; $13{,}872$; $20{,}784$; then $768 \cdot 128 + 128 = 98{,}432$ and $1290$: together 140,234. Multiplications: $1200 \cdot 1024 + 4608 \cdot 256 + 13{,}824 \cdot 64 + 20{,}736 \cdot 64 = 4{,}620{,}288$ in the convolutions, and $99{,}584$ in the rest.

# %% [markdown]
# ### Exercise 2. Ninety-six towers ★★
#
# **Think.** Two towers save a third of the multiplications. Why not 96 towers in every layer?

# %% [markdown] tags=["solution"]
# **Solution.** Then no kernel could combine two maps, and "an edge here *and* a colour there" would have to wait for the last layers. With a 1 × 1 convolution in between, which does nothing but mix maps, it works, and is called *depthwise separable*; networks for telephones are built so.

# %% [markdown]
# ### Exercise 3. Normalised over a neighbourhood ★★
#
# **Program it.** Write local response normalisation over a window *in space*, as the slide words it, for one channel `a` of shape (H, W): `in_space(a, size=9, alpha=1e-3, beta=0.75, k=2.0)` divides each pixel by $(k + \alpha \sum a^2)^\beta$. The sum runs over the square of `size` × `size` pixels around it; outside, the picture goes on as in a mirror. Run `check(in_space)`, and look at a photograph through it.

# %% [markdown] tags=["hint"]
# **Hint.** `scipy.ndimage.uniform_filter` gives the mean over a square around each pixel, and has the mirror at the border.

# %% [markdown] tags=["hint"]
# **Hint.** Square first. The sum is the mean times the number of pixels in the square.

# %% [markdown] tags=["solution"]
# **Solution.** A window that slides is a filter:

# %% tags=["solution", "nbval-check-output"]
from scipy.ndimage import uniform_filter


def in_space(a, size=9, alpha=1e-3, beta=0.75, k=2.0):
    return a / (k + alpha * size ** 2 * uniform_filter(a ** 2, size)) ** beta


check(in_space)

# %% alt="The face of a cat in grey, and the same in blue where it is brighter than its mean and orange where it is darker. Hair and whiskers stand out in full colour everywhere; eyes, nose and background are pale." tags=["solution"]
cat = data.photographs()["chelsea"].images[0].mean(0)
plots.images([cat / 255, in_space(cat - cat.mean())], ["photograph", "normalised"],
             signed=[False, True])

# %% [markdown] tags=["solution"]
# **Figure.** Blue is brighter than the mean, orange darker. The light evens out: what is smooth is pale, bright or dark, and each hair is measured against its own surroundings. It is a useful thing, but another one.

# %% [markdown]
# ## What you can do now
#
# - Follow a picture through AlexNet and say where its weights and where its work are.
# - Say what each trick is for, and test a trick of your own in pairs.
# - Tell what a claim about speed or error depends on, before you believe it.
# - Train a small convolutional network that leaves hand-made features behind.
#
# ## Sources
#
# The lecture's slides "AlexNet" and "Reflections: CNNs are really big".
