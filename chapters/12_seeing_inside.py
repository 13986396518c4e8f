# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="The network says cow, and is right. But what did it see?"
# # Seeing inside
#
# A network looks at a picture and answers "cow". It is right. But what did it see: the horns, the legs, or the grass on which cows stand? Whoever wants to trust its answers has to know.
#
# ## CNNs: What's Going On?

# %%
from dtwin import claims

claims.quote("tools-to-look-inside")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide recalls an earlier mention of interpretability. There is none in the deck; the subject begins here.
#
# The tools of this chapter live in [`dtwin.explain`](../api/explain.md) and work on any network of PyTorch. On photographs one can only look at what they show, and nod. On the pasture they can be graded, because it knows the *mask* of every picture: which pixels show the animal.
#
# Two networks will be looked into, each with four convolutions, batch normalisation and ReLUs. One follows AlexNet: three poolings, then two linear layers. The other pools once and ends in the *mean* of every feature map and one linear layer. It borrows the first two layers of AlexNet's plan and keeps them as they are, for an edge is an edge, and learns the rest. Every layer has a name, by which we shall ask for it.

# %% tags=["nbval-check-output"]
import base64
import copy
import dataclasses
import inspect
from collections import OrderedDict

import numpy as np
import torch
from IPython.display import Markdown
from scipy.stats import rankdata
from torch import nn
from torch.nn import functional as F

from dtwin import check, data, explain, parallel, plots, ref, train
from dtwin.data import loader, pasture

torch.set_num_threads(1)  # layers too small to share out
pictures, unseen = pasture.dataset(4000, "train"), pasture.dataset(1000, "test")
print(pictures, unseen, sep="\n")

# %%
def layer(n, ins, outs, side):
    return {f"conv{n}": nn.Conv2d(ins, outs, side, padding=side // 2, bias=False),
            f"norm{n}": nn.BatchNorm2d(outs), f"relu{n}": nn.ReLU()}


def build(kind, classes=10, seed=0):
    torch.manual_seed(seed)
    pool, first = nn.MaxPool2d(3, stride=2, padding=1), layer(1, 3, 16, 5)
    if kind == "alex":
        layers = {**first, "pool1": pool, **layer(2, 16, 32, 3), "pool2": pool,
                  **layer(3, 32, 48, 3), **layer(4, 48, 48, 3), "pool4": pool,
                  "flat": nn.Flatten(), "fc5": nn.Linear(768, 128), "relu5": nn.ReLU(),
                  "fc6": nn.Linear(128, classes)}
    else:
        layers = {**first, "pool1": pool, **layer(2, 16, 32, 3), **layer(3, 32, 32, 3),
                  **layer(4, 32, 48, 3), "mean": nn.AdaptiveAvgPool2d(1),
                  "flat": nn.Flatten(), "fc": nn.Linear(48, classes)}
    return nn.Sequential(OrderedDict(layers))

# %%
def learn(net, pictures, recipe):
    net = copy.deepcopy(net)
    found = train.fit(net, pictures, recipe).statistics  # on a GPU where there is one
    return net.cpu(), loader.Statistics(*(numbers.cpu() for numbers in found))


def accuracy(net, stats, images):
    return train.evaluate(net, images, stats, "cpu").accuracy


def borrowing(classes=10):
    net = build("mean", classes)
    for name in ("conv1", "norm1", "conv2", "norm2"):
        net.get_submodule(name).load_state_dict(alex.get_submodule(name).state_dict())
        net.get_submodule(name).requires_grad_(False)
    return net

# %%
recipe = train.Recipe(epochs=8, batch=32, lr=0.2, schedule="one-cycle", pad=8, flip=True)
gentle = dataclasses.replace(recipe, epochs=6, lr=0.06, pad=2)
alex, stats = learn(build("alex"), pictures, gentle)
print(f"AlexNet's plan: {accuracy(alex, stats, unseen):.1%} of 1,000 unseen animals named")

# %% [markdown]
# The other network learns while we look into this one, if the computer has a core to spare ([`parallel.start`][dtwin.parallel.start]).

# %%
def lessons(net, *given):
    """The net and its statistics after each lesson of some pictures and epochs."""
    after = []
    for pictures, epochs in given:
        net, stats = learn(net, pictures, dataclasses.replace(recipe, epochs=epochs))
        after.append((net, stats))
    return after


straight = parallel.start(lessons, borrowing(), (pictures, 8))

# %% [markdown]
# ### Filters and feature maps
#
# The first layer reads pixels, so its kernels are small pictures themselves.

# %% alt="Sixteen squares of five by five coloured cells. Some are green or purple all over, some are bright on one side and dark on the other, and two have a dark bar in the middle."
kernels = alex.conv1.weight.detach().numpy()
plots.images([0.5 + 0.5 * k / np.abs(k).max() for k in kernels], columns=8)

# %% [markdown]
# **Figure.** The sixteen kernels of AlexNet's plan, each on its own scale; grey is zero. Some set one side against the other, some ask for a bar, and some for a colour alone, above all for green or for its opposite, purple: grass is worth a kernel.
#
# What a layer makes of a picture are its feature maps. Here are some of each layer for one cow.

# %% alt="A cow in the corner, and beside it four rows of eight maps, bright on black. In the first row the cow's outline and coat can be made out; from row to row the maps are coarser and show fewer bright spots, until only a few cells are lit."
def see(images, stats):  # uint8 to what a network gets
    mean, std, _ = stats
    return (torch.as_tensor(images) / 255 - mean[:, None, None]) / std[:, None, None]


def chances(net, x):  # the probability of each class
    with torch.no_grad():
        return net(x).softmax(1)


x, y = see(unseen.images, stats), torch.as_tensor(unseen.labels)
cow = int((chances(alex, x)[:, 0] * (y == 0)).argmax())  # the cow it is surest of
layers = [f"relu{n}" for n in range(1, 5)]
lively = {}
for name in layers:
    maps = explain.feature_maps(alex, x[[cow]], name)[0]
    lively[name] = maps[maps.std((1, 2)).argsort(descending=True)[:8]].numpy()
plots.maps(unseen.images[cow], lively)

# %% [markdown]
# **Figure.** The cow that the network is surest of, and of each layer the eight maps that vary most, each on its own scale. Near the pixels one still sees the cow. Further up there are only answers left: *here*, and *not there*.
#
# Maps tell where a unit answers, not to what. (A *unit*, in this chapter, is one feature map.)
#
# ## The deconvnet
#
# Zeiler and Fergus asked the network backwards: take one unit's strongest answer, set all others to zero, and walk back down to the pixels, undoing layer by layer what was done on the way up [@zeiler2014]. Each kind of layer has its way back:
#
# - **Max pooling** threw away all but the largest number of each window. Note *where* it stood, on so-called *switches*, and it can be put back in its place.
# - A **ReLU** let positive numbers pass. On the way down, too, it lets positive numbers pass.
# - A **convolution** is undone by its *transpose*: each number lays a copy of its kernel where its window was, and overlapping copies add up.

# %% alt="Three matrices of numbers joined by arrows: a map of four by four; its largest numbers, 3, 5, 4 and 2, in two by two; and a map of four by four again that holds 3, 5, 4 and 2 where they stood in the first, and zeros elsewhere."
small = np.array([[1., 3, 0, 0], [2, 0, 5, 1], [0, 0, 0, 0], [0, 4, 0, 2]])[None, None]
pooled = ref.max_pool2d(small, 2)
unpooled = ref.max_pool2d_backward(pooled, small, 2)
plots.matrices([small[0, 0], pooled[0, 0], unpooled[0, 0]],
               ["a map", "pooled", "unpooled by switches"], ["→", "→"])

# %% [markdown]
# **Figure.** Pooling and unpooling by hand. The switches remember which of each four was the largest.
#
# Look at the code of the figure: to unpool is to call `max_pool2d_backward`, the *gradient* of pooling. The transpose of a convolution is its gradient too. So the whole way down is a backward pass with one exception. The gradient passes a ReLU where the number on the way *up* was positive, the deconvnet where the one on the way *down* is. Who asks for both has *guided backpropagation* [@springenberg2015], which we shall meet again.

# %%
source = inspect.getsource(explain.gradients)
rules = source[source.index("# what a ReLU"):source.index("RELUS")]
Markdown(f"```python\n{rules}```")

# %% [markdown]
# Is that really all? Here is the way down in the operators of chapter 7, read upwards from the second layer, for sixteen units at once. (Batch normalisation, which after training only multiplies and adds, is folded into the kernels.)

# %%
def folded(net, n):
    conv, norm = net.get_submodule(f"conv{n}"), net.get_submodule(f"norm{n}")
    numbers = conv.weight, norm.running_mean, norm.running_var, norm.weight, norm.bias
    weight, *others = (t.detach().numpy() for t in numbers)
    return ref.fold_batch_norm(weight, None, *others)


exact, units = copy.deepcopy(alex).double(), np.arange(16)
(k1, b1), (k2, b2) = folded(exact, 1), folded(exact, 2)
pixels = x[[cow]].double().numpy().repeat(16, axis=0)
h1 = ref.relu(ref.conv2d(pixels, k1, b1, padding=2))
p1 = ref.max_pool2d(h1, 3, 2, 1)
h2 = ref.relu(ref.conv2d(p1, k2, b2, padding=1))

# %%
signal, answers = np.zeros_like(h2), h2[units, units]  # of copy n of the picture, map n
largest = answers.max(axis=(1, 2), keepdims=True)
signal[units, units] = answers * (answers == largest)
unfiltered = ref.conv2d_backward(signal, p1, k2, padding=1)[0]
unpooled = ref.max_pool2d_backward(unfiltered, h1, 3, 2, 1)
by_hand = ref.conv2d_backward(ref.relu(unpooled), pixels, k1, padding=2)[0]
theirs = explain.deconvnet(exact, torch.tensor(pixels), "relu2", units).numpy()
claims.measure("deconvnet-by-hand", np.abs(by_hand - theirs).max() / np.abs(theirs).max())

# %% [markdown]
# ### From shallow to deep
#
# Now ask every layer: which nine of 1,000 unseen pictures made a unit answer most, what could it see there, and what of that did it use? The deeper the layer, the larger the *window* of the picture that a place in its map looks at.

# %%
def nine(name, unit):
    ids, places = tops[name].pictures[unit], tops[name].places[unit]
    used = explain.deconvnet(alex, x[ids], name, unit)
    corners = explain.windows(alex, x[ids], name, places)
    side = (corners[:, 2:] - corners[:, :2]).max()  # at the border a window is cut off
    cuts = [(..., slice(top, top + side), slice(left, left + side))
            for top, left in corners[:, :2].clamp(max=32 - side)]
    windows = [unseen.images[i][cut] / 255 for i, cut in zip(ids, cuts)]
    parts = [u[cut] / u[cut].abs().quantile(0.98) / 2 + 0.5 for u, cut in zip(used, cuts)]
    return windows, parts


tops = {name: explain.top_activations(alex, x, name, 9) for name in layers}
counts = {name: F.one_hot(y[top.pictures], 10).sum(1) for name, top in tops.items()}
purity = {name: count.amax(1) / 9 for name, count in counts.items()}
purest = {name: p.argsort(descending=True, stable=True)[:3] for name, p in purity.items()}
rows = {name: [nine(name, unit) for unit in units] for name, units in purest.items()}

# %% alt="Four rows, one for each layer, with three pairs of three by three small pictures. First layer: windows of five pixels with edges, and beside them the same kernel nine times. Second: pieces of dark coats, and of white and striped backs on the meadow. Third: sitting animals, long bodies, heavy bodies. Fourth: low and heavy bodies, most of them pigs; beside them bodies and legs stand out in green and purple on grey."
def grid(patches):  # three by three, with a white gap
    framed = [np.pad(p, ((0, 0), (0, 1), (0, 1)), constant_values=1) for p in patches]
    lines = [np.concatenate(framed[k:k + 3], axis=2) for k in (0, 3, 6)]
    return np.concatenate(lines, axis=1)


grids = [grid(patches) for units in rows.values() for nine in units for patches in nine]
titles = [f"{name} {what}" for name in rows for what in 3 * ["sees", "uses"]]
plots.images(grids, titles, columns=6)

# %% [markdown]
# **Figure.** Of each layer the three units whose nine agree best on a species: the windows of their nine strongest answers, and what the deconvnet finds of each in the pixels. The first layer answers to edges, whatever they belong to; the second to pieces of coat; the third and fourth to bodies of one build, in many coats. But look at the ground, too: none of the fourth layer's windows shows a meadow, and the deconvnet draws a strip of green beneath the purple bodies. What these units use is a body *against* its ground.
#
# How pure are the nine? If six of nine pictures show one species, the purity is 6/9.

# %%
means = {name: p.mean().item() for name, p in purity.items()}
print("purity:", ", ".join(f"{name} {value:.2f}" for name, value in means.items()))
claims.measure("top-nine-purity", means["relu4"] - means["relu1"])

# %% [markdown]
# Could one unit alone tell cows from all others, by its strongest answer? The area under the ROC curve says how often a picture with a cow gets a larger number than one without; 0.5 is chance.

# %%
def areas(answers):  # (pictures, units) to the best unit's area for each species
    ranks, members = rankdata(answers, axis=0), np.eye(10)[unseen.labels]
    n = members.sum(0)[:, None]
    return ((members.T @ ranks - n * (n + 1) / 2) / (n * (1000 - n))).max(axis=1)


best = {name: areas(explain.feature_maps(alex, x, name).amax((2, 3))) for name in layers}
with torch.no_grad():
    best["relu5"] = areas(alex[:-1](x))
print(", ".join(f"{name} {area.mean():.2f}" for name, area in best.items()))
claims.measure("last-units-know-species", best["relu4"].mean())

# %%
claims.measure("first-units-do-not", best["relu1"].mean())

# %% [markdown]
# The trend is the paper's, from layer to layer. Its size is not: our last convolution has units for *kinds* of build rather than for species, and the hidden layer behind it, `relu5`, comes nearest to units that know a species when they see one. Four layers and 4,000 pictures make no cat-face unit.
#
# Zeiler and Fergus used what they saw. AlexNet's first layers looked wrong to them, so they changed them.

# %%
claims.quote("zeiler-fergus-beats-alexnet")

# %% [markdown]
# ## Occlusion: what must not be hidden
#
# The simplest question needs no look inside. Hide a piece of the picture behind a grey square, and see how far the probability of the true class drops. Move the square over the whole picture, and the drops make a map.

# %%
truth = pasture.pictures(pasture.scenes(1000, "test")[:200])
masks = torch.tensor(np.stack([picture.mask for picture in truth]))
hidden = explain.occlusion(alex, x[:150], y[:150], size=7, stride=3)


def named(net, x, classes=pasture.SPECIES):
    return [f"{classes[k]} {p:.0%}" for p, k in zip(*chances(net, x).max(1))]

# %% alt="Eight animals of eight species outlined in white, with a glow where a grey square lowers the probability most: on the bodies of a cow, a horse, a sheep and a deer, the hump of a camel and the head of a giraffe, but also on the sky above the cow and on the empty snow above the backs of a pig and a dog."
sure = chances(alex, x[:150])
shown = [int((sure[:, k] * (y[:150] == k)).argmax()) for k in range(8)]  # of each species
answers = named(alex, x[shown])
plots.overlays(unseen.images[shown], hidden[shown], answers, masks[shown], columns=4)

# %% [markdown]
# **Figure.** Where it hurts to be hidden, for one animal of each of eight species. The white outline is the truth, which the network never saw; the label is its answer. A giraffe must not lose its head, nor a camel its hump. But a square on the empty snow above a pig or a dog hurts as well: what covers something also *adds* something, and above a back that may be a hump or a neck.

# %%
at = masks[:150]
near = F.max_pool2d(at.float(), 13, 1, 6) > 0  # up to 6 pixels from the animal
on, off = hidden[at].mean().item(), hidden[~near].mean().item()
print(f"mean drop of the probability: on the animal {on:.3f}, away from it {off:.3f}")
claims.measure("occlusion-on-and-off", on / off)

# %%
hit = explain.pointing(hidden, at).float().mean().item()
claims.measure("occlusion-points-at-the-animal", 100 * hit)

# %% [markdown]
# The first holds; the second does not here, for the reason seen in the figure. Our animals are thin and known by their outline, and a grey square beside them changes it.
#
# ## Grad-CAM
#
# Occlusion takes 144 passes for one map. Cheaper is to read off what the network itself adds up, and for the network of means that is easy. Let its last feature maps be $A^k$, with $Z$ places $(i, j)$ each. The score of class $c$ is
#
# $$y^c = b^c + \sum_k w^c_k \, \frac1Z \sum_{ij} A^k_{ij} \;=\; b^c + \frac1Z \sum_{ij} \underbrace{\sum_k w^c_k A^k_{ij}}_{\mathrm{CAM}_{ij}} .$$
#
# Two sums were exchanged, nothing else, and the score has become a mean over *places*. What stands at a place is what that place says for the class: the *class activation map*, CAM [@zhou2016].
#
# With another head there are no $w^c_k$ to take. But what were they? The gradient of the score at a place of map $k$ is $w^c_k / Z$, the same at every place; and a gradient, unlike $w$, exists for any network that can be trained. Elsewhere it differs from place to place, so take its mean. That is all of Grad-CAM [@selvaraju2017]:
#
# $$\alpha^c_k = \frac1Z \sum_{ij} \frac{\partial y^c}{\partial A^k_{ij}}, \qquad L^c = \mathrm{ReLU}\Big(\sum_k \alpha^c_k A^k\Big) . \tag{12.1}$$
#
# The ReLU keeps what speaks *for* the class.
#
# Here is the network of means. (And a third one sets out, which goes to school in another world first; we shall meet it at the end of the chapter.)

# %%
world = pasture.dataset(4000, "train", biased=True)
astray = parallel.start(lessons, borrowing(), (world, 2), (pictures, 4))
(mean, _), = straight()
print(f"mean of maps: {accuracy(mean, stats, unseen):.1%} of 1,000 unseen animals named")

# %% [markdown]
# Both ways to a map exist for it, and they must agree but for the factor $Z$.

# %%
cam = explain.cam(mean, x, "relu4", classes=y)
grad_cam = explain.grad_cam(mean, x, "relu4", y)
difference = (cam[0].numel() * grad_cam - cam.relu()).abs().max() / cam.abs().max()
claims.measure("grad-cam-is-cam", difference.item())

# %%
claims.quote("grad-cam-without-relu")

# %% [markdown]
# Now AlexNet's plan, where CAM does not exist. From the score down to the last maps lead two linear layers, a ReLU and a pooling: the backward pass is five lines.

# %%
maps = explain.feature_maps(exact, x[:64].double(), "relu4").numpy()
w5, b5, w6, b6 = (p.detach().numpy() for n in (5, 6)
                  for p in exact.get_submodule(f"fc{n}").parameters())
p = ref.max_pool2d(maps, 3, 2, 1)
a = ref.linear(p.reshape(64, -1), w5, b5)

dscores = np.eye(10)[y[:64]]  # the score of the true class, and no other
dh, _, _ = ref.linear_backward(dscores, ref.relu(a), w6, b6)
dp, _, _ = ref.linear_backward(ref.relu_backward(dh, a), p.reshape(64, -1), w5, b5)
dmaps = ref.max_pool2d_backward(dp.reshape(p.shape), maps, 3, 2, 1)
by_hand = ref.grad_cam(maps, dmaps)
theirs = explain.grad_cam(exact, x[:64].double(), "relu4", y[:64]).numpy()
claims.measure("grad-cam-by-hand", np.abs(by_hand - theirs).max() / theirs.max())

# %% [markdown]
# So there is no need to rebuild a network to explain it, and to lose accuracy thereby.

# %%
claims.quote("cam-costs-accuracy")

# %% [markdown]
# ## How much of it lies on the animal?
#
# Now the maps can be graded. Beside Grad-CAM at each layer stand the plain *gradient* of the score by the pixels [@simonyan2014], and guided backpropagation. The product of the latter with Grad-CAM, fine as the one and about the class as the other, is *Guided Grad-CAM*.

# %%
def cam_at(name):
    def method(net, x, y):
        return explain.resize(explain.grad_cam(net, x, name, y), x.shape[2:])
    return method


def size_of(method, *names):  # three colours become one number
    return lambda net, x, y: method(net, x, *names, y).abs().amax(1)


methods = {"gradient": size_of(explain.gradient),
           "guided backprop": size_of(explain.guided_backprop),
           **{f"Grad-CAM {name}": cam_at(name) for name in layers},
           "Guided Grad-CAM": size_of(explain.guided_grad_cam, "relu4")}
maps = {name: method(mean, x[:200], y[:200]) for name, method in methods.items()}
noise = torch.Generator().manual_seed(0)
maps["random numbers"] = torch.rand(masks.shape, generator=noise)

# %% alt="A cow, a deer and an elephant, each with five maps. The gradient is scattered specks. Guided backpropagation and Guided Grad-CAM draw the animal in fine points. Grad-CAM of the first layer follows edges; that of the last glows at the cow's belly, the deer's head and the elephant's head and trunk."
right = chances(mean, x[:200]).argmax(1) == y[:200]
chosen = [int((right & (y[:200] == k)).nonzero()[0]) for k in (0, 5, 8)]
few = [name for name in maps if name[-1] not in "23" and name != "random numbers"]
tiles = [(unseen.images[i], heat, name, masks[i])
         for i, answer in zip(chosen, named(mean, x[chosen]))
         for heat, name in [(None, answer), *((maps[name][i], name) for name in few)]]
plots.overlays(*zip(*tiles), columns=6)

# %% [markdown]
# **Figure.** Three animals that the network of means names rightly, and what five methods say it looked at. Grad-CAM of the last layer is coarse, but look at what it picks out: the head of a deer, the trunk of an elephant.
#
# Two grades. The *pointing game* asks whether the largest number of a map lies on the animal [@zhang2016]; the *energy* is the share of the whole map that does.

# %% alt="Two panels of bars for eight kinds of map: the share of the map that lies on the animal, and how often its largest number does. Guided Grad-CAM and guided backpropagation lead in both; Grad-CAM at every layer and the gradient lie between; random numbers are far below."
grades = {"energy on the animal, %": explain.energy, "pointing, %": explain.pointing}
panels = {title: [100 * grade(m, masks).float().mean().item() for m in maps.values()]
          for title, grade in grades.items()}
print(f"the animals take {100 * masks.float().mean():.0f} % of the pictures")
plots.bars(panels, list(maps))

# %% [markdown]
# **Figure.** 200 unseen pictures, each asked for its true class. All methods beat random numbers, which put as much on the animal as it takes of the picture. Guided backpropagation points best of all. Is it the best explanation?
#
# ### Which animal?
#
# To find *an* animal is not yet to explain why it is called a camel. So put two pictures side by side (the network of means takes any size) that differ in the species alone, and ask for one, then for the other. Animals of the pasture stand near the middle, where even a blind pointer would hit them; here they stand aside.

# %%
aside = dict(seed=2, x=(-0.25, 0.25), y=(-0.15, 0.15))
halves = [pasture.scenes(300, "test", species=list(names), **aside)
          for names in (pasture.SPECIES[:5], pasture.SPECIES[5:])]
kinds = torch.tensor([[pasture.SPECIES.index(scene.species) for scene in half]
                      for half in halves])
truth = [list(pasture.pictures(half)) for half in halves]
both = np.concatenate([np.stack([one.image for one in half]) for half in truth], axis=3)
left, right = (torch.tensor(np.stack([one.mask for one in half])) for half in truth)
sides = [F.pad(left, (0, 32)), F.pad(right, (32, 0))]


def asked(net):  # a map for each of the two questions
    return [cam_at("relu4")(net, see(both, stats), kind) for kind in kinds]

# %% alt="Three double pictures, each shown plain and with two maps: a pig and an elephant in the same brown coat behind a fence, a cow and a deer on sand, a pig and an elephant with stripes on snow. The brightest place lies on the animal that was asked for: the pig's body, the elephant's trunk, the cow's back, the deer's neck, the striped pig's belly, the striped elephant's head. Fainter light falls on the other."
found = asked(mean)
questions = [[f"{pasture.SPECIES[kind]}?" for kind in half] for half in kinds]
tiles = [(both[n], heat, name) for n in range(3, 24, 7) for heat, name in
         [(None, ""), *((found[k][n], questions[k][n]) for k in (0, 1))]]
plots.overlays(*zip(*tiles), columns=3)

# %% [markdown]
# **Figure.** One picture, two questions, two answers. The coat, the ground and the light are the same for both animals, and no help. The brightest place moves to the animal in question; fainter light stays on the other, for two animals have much in common.

# %%
def hits(maps, masks):
    found = [explain.pointing(*one).float().mean() for one in zip(maps, masks)]
    return 100 * np.mean(found)


# the middle of one half, chosen by the toss of a coin
middle = 50 * np.mean([side[:, 16, 16] | side[:, 16, 48] for side in sides])
right, wrong = hits(found, sides), hits(found, sides[::-1])
print(f"Grad-CAM {right:.0f} %, of the other animal {wrong:.0f} %, middle {middle:.0f} %")
claims.measure("grad-cam-against-wrong-class", right - wrong)

# %%
claims.measure("grad-cam-against-centre", right - middle)

# %%
area = 100 * np.mean([side.float().mean() for side in sides])
untrained = [hits(asked(build("mean", seed=seed).eval()), sides) for seed in range(1, 6)]
print(f"untrained nets hit {np.mean(untrained):.0f} %; the animals take {area:.0f} %")
claims.measure("grad-cam-of-an-untrained-net", np.mean(untrained) - area)

# %% [markdown]
# Even networks that have learned nothing hit an animal more often than its area would let chance do: random kernels answer to contrast, and the animal has most of it. That is the floor on which the share of the trained network stands.

# %%
claims.quote("weakly-supervised-localisation")

# %% [markdown]
# ## A sanity check
#
# Back to the winner. The animal is the most striking thing in its picture, and a mere detector of edges would find it, too. Adebayo and others proposed a test [@adebayo2018]: **destroy what the network has learned**, one layer after another from the top, with random weights. A map that explains the network has to change with it.

# %%
def alike(a, b):  # rank correlation, picture by picture; that of an even map is 0
    ranks = [torch.tensor(rankdata(m.flatten(1), axis=1)) for m in (a, b)]
    a, b = (r - r.mean(1, keepdim=True) for r in ranks)
    return torch.nan_to_num((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)))


tested = ["guided backprop", "gradient", "Grad-CAM relu4"]
ruined, stages = copy.deepcopy(mean), {name: [maps[name][:100]] for name in tested}
torch.manual_seed(1)
for part in [["fc"], *([f"conv{n}", f"norm{n}"] for n in (4, 3, 2, 1))]:
    for name in part:
        ruined.get_submodule(name).reset_parameters()
    for name in tested:
        stages[name].append(methods[name](ruined, x[:100], y[:100]))

# %% alt="A cow in the corner and three rows of six maps, from the trained net to one of random weights. Guided backpropagation shows the cow in five of them and a trace of it in the noise of the sixth. The gradient is scattered specks in all. Grad-CAM glows over the cow's body at first, and takes another shape with each layer destroyed."
destroyed = ["trained", "fc", "+ layer 4", "+ layer 3", "+ layer 2", "all"]
one = chosen[0]
plots.maps(unseen.images[one], {name.split()[0]: [m[one] for m in found]
                                for name, found in stages.items()}, destroyed)

# %% [markdown]
# **Figure.** From left to right more and more of the network is destroyed. Guided backpropagation goes on drawing the cow, though but one layer in four still knows anything, and its traces show even at the end. It shows the *picture* more than what was learned. Grad-CAM's map goes elsewhere as soon as a layer of its own is gone.

# %%
similar = {name: alike(found[0], found[-1]) for name, found in stages.items()}
for name, values in similar.items():
    print(f"{name:15} rank correlation of first and last map {values.mean():.2f}")
gap = similar[tested[0]] - similar[tested[2]]
claims.measure("sanity-check-by-random-weights",
               (gap.mean() / gap.std() * len(gap) ** 0.5).item())

# %% [markdown]
# The difference is certain, as the row says in standard errors, but it is not large: with random weights, too, there is more to answer to where the animal is, and no map becomes wholly another one.
#
# A second check asks whether a map foretells what happens when pieces of the picture are hidden.

# %%
drops = explain.occlusion(mean, x[:100], y[:100], size=7, stride=5, scores=True)
agree = {name: alike(maps[name][:100], drops).mean().item() for name in tested}
print(", ".join(f"{name} {value:.2f}" for name, value in agree.items()))
claims.measure("grad-cam-follows-occlusion", agree[tested[2]] - agree[tested[0]])

# %% [markdown]
# A third takes the pixels away one by one, in the order of the map: if the most important ones go first, the probability of the class should fall at once. And if they come first on an empty picture, it should rise at once. The mean of such a curve is its grade [@petsiuk2018].

# %%
@plots.figure
def exchanged(panels):
    fig, axes = plots.canvas(2.9, 1, 2, sharey=True)
    for ax, (title, lines) in zip(axes, panels.items()):
        means = [curve.mean().item() for curve in lines.values()]
        for n, (name, curve) in enumerate(lines.items()):
            ax.plot(np.linspace(0, 100, len(curve)), curve, color=f"C{n}")
            place = 0.05 + 0.085 * sum(m < means[n] for m in means)  # largest on top
            place += 0.6 * (title == "deletion")
            ax.text(0.98, place, f"{name} {means[n]:.2f}", color=f"C{n}", ha="right",
                    transform=ax.transAxes)
        ax.set(xlabel="pixels exchanged, %", ylim=(0, 0.55))
        ax.set_title(f"{title}: probability of the true class", loc="left")
        ax.grid(axis="y")
    return fig

# %% alt="Two panels of four curves each. While pixels are taken away the probability of the true class falls from 0.44 to 0.1: fastest in the order of Grad-CAM, slower in that of guided backpropagation and of the gradient, slowest at random. While they come back it rises highest for Grad-CAM, even above that of the whole picture."
rivals = {n.split(" relu")[0]: maps[n][:100] for n in [*tested, "random numbers"]}
exchanged({way.__name__: {name: way(mean, x[:100], found, y[:100], steps=10).mean(0)
                          for name, found in rivals.items()}
           for way in (explain.deletion, explain.insertion)})

# %% [markdown]
# **Figure.** The probability of the true class, mean of 100 pictures, and beside each name the mean of its curve: in deletion the smaller is the better, in insertion the larger. Grad-CAM knows best what the network needs; but with less than all of their pixels these are pictures that the network never learned from, so the curves also show how it takes a patchwork of grey.

# %%
claims.quote("guided-grad-cam-for-people")

# %% [markdown]
# ## What makes a cow, a *cow*?
#
# We have a tool that can be trusted a little. Time for the question of the course.
#
# Here is another world. In the *biased* pasture cows stand on the meadow and nowhere else, and all other animals stand elsewhere. Many collections of photographs are such worlds. The third network, of the same kind as the second, went to school there. It learned on the same borrowed layers, which have seen cows on every ground.

# %%
fooled, fooled_stats = astray()[0]  # after its first lesson
grounds = ["meadow", "sand", "snow", "straw"]
scenes = {ground: pasture.scenes(200, "test", seed=1, species="cow", ground=ground)
          for ground in grounds}
cows = {g: pasture.images(scenes[g]) for g in grounds}
on_cow = torch.tensor(np.stack([p.mask for p in pasture.pictures(scenes["meadow"])]))
nets = {"biased": (fooled, fooled_stats), "unbiased": (mean, stats)}

# %% [markdown]
# The examination: 200 cows on the meadow, and *the same cows*, in the same pose, coat and light, on sand, snow and straw.

# %% alt="Two panels of bars. The net of the biased pasture names all cows on the meadow and none on sand, snow or straw. The net of the unbiased pasture names about half of them on each ground."
def cows_named(net, stats, ground):
    answers = chances(net, see(cows[ground], stats)).argmax(1)
    return 100 * (answers == 0).float().mean().item()


shares = {name: [cows_named(*net, g) for g in grounds] for name, net in nets.items()}
plots.bars({f"{name} net: cows named, %": v for name, v in shares.items()}, grounds)

# %% [markdown]
# **Figure.** On the meadow the biased network looks like the better one by far. On the beach it has never heard of cows.

# %%
claims.measure("right-for-the-wrong-reason", shares["biased"][0] - shares["biased"][1])

# %% [markdown]
# Whoever tests it in its own world will never know, since there every cow stands on the meadow. So stay on the meadow, and ask both networks for Grad-CAM of "cow".

# %% alt="Six cows on the meadow, twice, outlined in white. In the upper row, the biased net, the grass glows around the cows and under them, and their bodies stay dark. In the lower row, the unbiased net, the glow lies along the cows' backs, on their bodies and at their feet."
def looks(net, stats, pictures=cows["meadow"]):
    return cam_at("relu4")(net, see(pictures, stats), 0)


def compared(nets):  # a row for each net; and the share of its maps that lies on the cow
    found = {name: looks(*net) for name, net in nets.items()}
    onto = {name: 100 * explain.energy(m, on_cow).mean().item()
            for name, m in found.items()}
    tiles = [(cows["meadow"][i], m[i], name, on_cow[i])
             for name, m in found.items() for i in surest]
    return plots.overlays(*zip(*tiles), columns=6), onto


cow_chance = chances(mean, see(cows["meadow"], stats))[:, 0]
surest = cow_chance.argsort(descending=True)[:24:4].tolist()
drawing, onto = compared(nets)
drawing

# %% [markdown]
# **Figure.** What makes a cow a cow? To the network above: the meadow around and under her, while most of her body stays dark. To the one below: the cow, and what lies close to her outline, for a map of 16 × 16 places draws no finer.
#
# Both rows are right answers to the same pictures. One is right for the wrong reason, and Grad-CAM has found it out without a single picture of a beach.

# %%
for name, share in onto.items():
    print(f"{name:8} {share:.0f} % of the map on the cow")
print(f"the cows take {100 * on_cow.float().mean():.0f} % of the pictures")
claims.measure("grad-cam-shows-the-reason", onto["unbiased"] - onto["biased"])

# %% [markdown]
# ### A counterfactual
#
# A map is a hint. The proof is a *counterfactual*: change the suspected cause, leave all else as it is, and see whether the answer changes.

# %% alt="One dark cow on meadow, sand, snow and straw, in two rows. The biased net gives it 100 percent on the meadow and at most 1 percent elsewhere. The unbiased net calls it a cow on each ground, and its map lies along the back and at a foot in all four."
i = surest[0]
same = np.stack([cows[g][i] for g in grounds])
tiles = [tile for name, (net, stats) in nets.items() for tile in zip(
    same, looks(net, stats, same),
    [f"{name}: cow {p:.0%}" for p in chances(net, see(same, stats))[:, 0]])]
plots.overlays(*zip(*tiles), columns=4)

# %% [markdown]
# **Figure.** The same cow, other ground. Only the lower network is talking about the cow. (Each map glows on its own scale. Where the upper network gives the cow 0 %, it found next to nothing, and the map shows where.)

# %% [markdown]
# ### Hide a part, and turn the light
#
# Why stop at the ground? Hide the legs, the horns or the grass, let the sun come from the left or from the right, and ask both networks again. That is best done by the reader. The figure below therefore takes along what it needs: the weights of both networks, as text, with batch normalisation folded into the kernels and every number in half precision (two bytes).

# %%
def packed(numbers, kind="<f2"):  # as text: numbers of half precision, or bytes
    return base64.b64encode(np.asarray(numbers).astype(kind).tobytes()).decode()


def exported(net, stats):
    kernels = [folded(net, n) for n in range(1, 5)]
    layers = [{"shape": w.shape, "weight": packed(w), "bias": packed(b)} for w, b in kernels]
    head = {name: packed(numbers.detach()) for name, numbers in net.fc.named_parameters()}
    return {"mean": stats[0].numpy(), "std": stats[1].numpy(), "layers": layers, "head": head}


texts = [layer["weight"] for layer in exported(*nets["biased"])["layers"]]
print(f"the kernels of one network: {sum(map(len, texts)):,} letters")

# %% [markdown]
# And five scenes, each rendered under the sun from nine sides. Nothing but the light differs; here is what the unbiased network says as the sun goes from the left to the right.

# %%
suns = np.arange(-100, 101, 25)  # degrees to the right of the camera
views = {f"cow on {g}": scenes[g][i] for g in grounds[:3]}
for kind, ground in (("horse", "meadow"), ("giraffe", "straw")):
    one = pasture.scenes(1, "test", seed=1, species=kind, ground=ground)
    views[f"{kind} on {ground}"] = one[0]
lit = {name: pasture.images([dataclasses.replace(one, sun_azimuth=one.azimuth + sun)
                             for sun in suns]) for name, one in views.items()}
for name, sides in lit.items():
    print(f"{name:16}", *(pasture.SPECIES[k] for k in chances(mean, see(sides, stats)).argmax(1)))

# %% alt="The cow on the meadow six times, in two rows of three: lit from the left, lit from the right, and with a grey square over the middle of it. In the upper row, of the biased net, all three are called a cow with certainty, and the grass around it glows. In the lower row the glow lies along the cow's back and at its legs, and under the square the answer is a deer."
covered = lit["cow on meadow"][4].copy()
row, column = on_cow[i].nonzero().float().mean(0).int()  # the middle of the cow
covered[:, row - 8:row + 8, column - 8:column + 8] = 255 * stats[0][:, None, None]
trio = np.stack([*lit["cow on meadow"][[0, -1]], covered])
tiles = [tile for name, (net, known) in nets.items() for tile in zip(
    trio, cam_at("relu4")(net, see(trio, known), None),
    [f"{name}: {answer}" for answer in named(net, see(trio, known))])]
answers = {name: {view: chances(net, see(sides, known)).numpy().round(4)
                  for view, sides in lit.items()} for name, (net, known) in nets.items()}
plots.moving("inside", plots.overlays(*zip(*tiles), columns=3), chances=answers,
             classes=pasture.SPECIES, size=32, suns=suns,
             nets={name: exported(*net) for name, net in nets.items()},
             scenes={name: [packed(one, "u1") for one in sides] for name, sides in lit.items()})

# %% [markdown]
# **Figure.** Light from the left, light from the right, and a square over the cow; each map is that of the answer. The biased network needs no cow at all. On the site the figure moves: drag the square over a scene, turn the sun, choose whose map to see, and your browser works out every answer from the weights of this run. A mark on each bar shows where it stood before anything was hidden.
#
# ### The cure
#
# The network cannot know what we mean by "cow", if in all it ever saw cow and meadow came together. So its second lesson was held, by the same recipe, on the unbiased pasture, where the ground is worthless.

# %% alt="Six cows on the meadow, three times, outlined in white. Above, the biased net, the grass around the cows and under them glows. In the middle, the cured net, the glow lies on bodies and legs. Below, the net that never was biased, it lies along backs and on bodies."
cured, cured_stats = astray()[1]  # after its second lesson
course = {"biased": nets["biased"], "cured": (cured, cured_stats),
          "never biased": nets["unbiased"]}
for name, net in course.items():
    print(f"{name:12} {cows_named(*net, 'sand'):3.0f} % of the cows on the beach named")
drawing, onto = compared(course)
drawing

# %% [markdown]
# **Figure.** The cure at work. The map lets go of the meadow and gathers on the cow, its legs above all.
#
# The beach has cows again, nearly as many as for the network that never was biased. No weight was mended by hand: the pictures had to change, and to know which pictures, somebody had to look.

# %%
for name, share in onto.items():
    print(f"{name:12} {share:.0f} % of the map on the cow")
claims.measure("the-map-moves-onto-the-cow", onto["cured"] - onto["biased"])

# %% [markdown]
# ## On your own pictures
#
# No truth is needed to look. Put pictures of your own into a folder and name it in `DTWIN_DATASET`, as [the data page](../data.md) tells, and this section learns from them and shows what it looked at. Without, it shows the pasture. All that was *graded* above stays with the pasture, whose masks are known.

# %% alt="Twelve pictures, each with the network's answer and its probability above, and a glow where Grad-CAM finds the reason."
own, new = data.dataset("train"), data.dataset("test")
judge, own_stats = mean, stats
if own.name != "pasture":
    epochs = max(recipe.epochs, 8 * 4000 // len(own))  # as many steps as on the pasture
    (judge, own_stats), = lessons(borrowing(len(own.classes)), (own, epochs))
    share = accuracy(judge, own_stats, new)
    print(f"{own.name}: {share:.0%} of {len(new)} unseen pictures named. No masks known:")
    print("the maps are shown, not graded; the grades above are those of the pasture.")
pixels = see(new.images[:12], own_stats)
answers = named(judge, pixels, own.classes)
plots.overlays(new.images[:12], cam_at("relu4")(judge, pixels, None), answers, columns=6)

# %% [markdown]
# **Figure.** Unseen pictures, the answer, and the place it came from. If an answer is right and the place is wrong, you have found a meadow of your own.
#
# ## The claims, measured
#
# The deconvnet is a backward pass with another rule for ReLUs, and Grad-CAM is CAM wherever CAM exists, both to rounding. Units climb from edges to animals, though not as far up as in the great networks. Grad-CAM points at what it is asked for in half of the cases, and five times as often as at the other animal; it changes with the weights, and foretells what happens when pixels go, as an explanation should. The prettiest maps point best, and show the picture more than the network. And a network that names every cow may know nothing of cows.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. Nothing speaks for it ★★
#
# **Predict before you run.** What is the Grad-CAM of a class whose weights $\alpha_k$ are all negative? And what becomes of the map if a constant is added to the scores of *all* classes?

# %% [markdown] tags=["hint"]
# **Hint.** A feature map behind a ReLU is never negative. What is a sum of such maps with negative weights, and what does the last ReLU make of it?

# %% [markdown] tags=["solution"]
# **Solution.** ReLU activations are never negative, so the sum in [(12.1)](#equation-1) is nowhere positive and the map is zero: nothing speaks for the class. A constant added to all scores has no gradient; map and probabilities stay as they are.

# %% [markdown]
# ### Exercise 2. Grad-CAM in five lines ★★
#
# **Program it.** Write the formula in NumPy: `grad_cam(activations, gradients)` takes the feature maps of a layer and the gradients of a score by them, both (N, K, H, W), and returns a map for each picture, (N, H, W), nowhere negative. Run `check(grad_cam)`. Then fetch both from the network, with `explain.capture` and `torch.autograd.grad`, and compare your maps with those of the package.

# %% [markdown] tags=["hint"]
# **Hint.** Each feature map has one weight $\alpha_k$ in each picture: the mean of its gradient over all places.

# %% [markdown] tags=["hint"]
# **Hint.** Inside `with explain.capture(net, layer) as outputs:` a forward pass leaves the layer's output in `outputs[-1]`, with its graph.

# %% [markdown] tags=["solution"]
# **Solution.** First the sum over all maps, and only then the ReLU: what speaks against the class is weighed up.

# %% tags=["solution", "nbval-check-output"]
def grad_cam(activations, gradients):
    weights = gradients.mean((2, 3), keepdims=True)
    return np.maximum((weights * activations).sum(1), 0)


check(grad_cam)

# %% [markdown] tags=["solution"]
# One `sum` of scores is enough for all pictures, because no picture's score depends on another picture's maps.

# %% tags=["solution", "nbval-check-output"]
with explain.capture(mean, "relu4") as outputs:
    score = mean(x[:5])[:, 0].sum()
    seen = outputs[-1]
(gradients,) = torch.autograd.grad(score, seen)
mine = grad_cam(seen.detach().numpy(), gradients.numpy())
theirs = explain.grad_cam(mean, x[:5], "relu4", 0).numpy()
print("the same maps:", np.allclose(mine, theirs, atol=1e-5))

# %% [markdown]
# ### Exercise 3. A horse on the meadow ★
#
# **Predict before you run.** Which animals will the biased network call cows on the meadow? Ask `pasture.scenes(200, "test", species="horse", ground="meadow")`, and find a map that proves it.

# %% [markdown] tags=["hint"]
# **Hint.** What is a cow to this network?

# %% [markdown] tags=["solution"]
# **Solution.** All of them, horse, rabbit or elephant: to it a meadow *is* a cow. Its Grad-CAM for "cow" on a horse lies on the grass, with the horse cut out, as it was with cows.

# %% [markdown]
# ## What you can do now
#
# - Say what a unit answers to, from its strongest pictures, and show with a deconvnet what in them it used.
# - Derive Grad-CAM from CAM, write it in five lines, and apply it to any layer of any network.
# - Grade a map against the truth, and distrust one that survives the destruction of its network.
# - Find out whether a network is right for the wrong reason, prove it by a counterfactual, and cure it.
#
# ## Sources
#
# The lecture's slides "CNNs: What's Going On".
