# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="If depth is what helps, why not stack a hundred layers?"
# # Residual networks
#
# In 2012 a network of 8 layers won the ImageNet challenge, in 2014 one of 22, with less than half the mistakes. If depth is what helps, why not go on and stack a hundred layers?
#
# ## ResNets: Introduction
#
# The paper that this chapter follows begins with the same question [@he2016].

# %%
from dtwin import check, claims

claims.quote("just-stack-more-layers")

# %% [markdown]
# The answer is worth seeing. The networks here read handwritten digits of 8 × 8 pixels [@alpaydin1998]. They have few feature maps, so that they train in seconds, but they are as deep as those of the paper.

# %% tags=["nbval-check-output"]
import dataclasses
import inspect
import itertools
from functools import partial

import numpy as np
import torch
from IPython.display import Markdown
from torch.nn import functional as F

from dtwin import cost, data, parallel, plots, train, twin
from dtwin.data import loader

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.backends.cudnn.allow_tf32 = False  # on a graphics card, too, numbers have all their digits
torch.set_num_threads(1)  # these networks are too small to share out
digits, unseen = (  # grey, as three colours
    dataclasses.replace(part, images=part.images.repeat(3, axis=1))
    for part in (data.digits("train"), data.digits("test")))
print(digits, unseen, sep="\n")

# %% [markdown]
# ## ResNets: Deeper isn't better?
#
# All of them follow one plan: a convolution, three *stages* of $n$ blocks, the mean of every feature map, and a linear layer. A *block* is two convolutions of 3 × 3, and each stage but the first halves the side of the maps and doubles their number. Behind every convolution stand batch normalisation, the subject of chapter 10, which brings the numbers to mean 0 and spread 1, and a ReLU. Layers are counted if they have weights to multiply with: $1 + 3n \cdot 2 + 1 = 6n + 2$. One recipe, two random starts, and three depths:

# %%
depths, seeds = (8, 20, 56), (0, 1)
recipe = train.Recipe(epochs=5, batch=64, lr=0.04, schedule="linear", weight_decay=0)


def build(depth, shortcut, seed):
    torch.manual_seed(seed)
    n = (depth - 2) // 6
    return twin.nets.ResNet((n, n, n), width=8, classes=10, shortcut=shortcut)


def trained(shortcut, depth, seed):
    net = build(depth, shortcut, seed)
    return net, train.fit(net, digits, dataclasses.replace(recipe, seed=seed))


def each_depth(shortcut):  # with a row of seeds
    return dict(zip(depths, parallel.grid(partial(trained, shortcut), depths, seeds)))


plain = each_depth(None)

# %% alt="Training loss against epochs for plain nets of 8, 20 and 56 layers, on a logarithmic axis. That of 8 layers falls fastest and furthest, that of 20 more slowly, and that of 56 hardly falls."
plots.curves({f"{depth} layers": [history.loss for _, history in runs]
              for depth, runs in plain.items()}, "epoch", "training loss", log="y")

# %% [markdown]
# **Figure.** Plain nets, mean and range of two. The deeper the net, the *less* it learns of the very pictures it is trained on.

# %%
def final(nets):  # (depths, seeds)
    return np.array([[history.loss[-1] for _, history in nets[depth]] for depth in depths])


for depth, runs in plain.items():
    wrong = 1 - np.mean([[history.accuracy[-1],
                          train.evaluate(net, unseen, history.statistics, device).accuracy]
                         for net, history in runs], axis=0)
    print("{:2} layers: {:5.1%} of the training digits wrong, "
          "{:5.1%} of those never seen".format(depth, *wrong))
loss = final(plain).mean(1)
claims.measure("deeper-plain-trains-worse", loss[2] / loss[1])

# %% [markdown]
# This is no overfitting. A net that overfits knows its training pictures by heart and fails on new ones; this one fails on the old ones already. The paper calls it *degradation*, and digits are not to blame:

# %%
claims.quote("degradation-on-imagenet")

# %% [markdown]
# An old suspect is the vanishing gradient of chapter 6: perhaps the early layers are told nothing. So ask what every layer is told before the first step: the norm of its gradient on one batch, for five random starts (geometric means).

# %%
pixels, labels = loader.on_device(digits, device)
x, y = next(loader.batches(pixels, labels, 128, loader.statistics(pixels)))


def gradients(depth, shortcut):  # (seeds, layers)
    norms = []
    for seed in range(5):
        net = build(depth, shortcut, seed).to(device)
        F.cross_entropy(net(x), y).backward()
        norms.append([w.grad.norm().item() for w in net.parameters() if w.dim() == 4])
    return np.array(norms)

# %%
def first(norms):
    return np.exp(np.log(norms[:, 0]).mean())


at_start = {depth: gradients(depth, None) for depth in depths}
for depth, norms in at_start.items():
    print(f"{depth:2} layers: gradient of the first {first(norms):.3g}")
claims.measure("plain-gradient-explodes", first(at_start[56]) / first(at_start[8]))

# %% [markdown]
# It does not vanish. It grows, without measure.
#
# > [!note]
# > He and his colleagues found the gradients of their plain nets healthy, and left the cause of the degradation open. That the gradient *explodes* at the start was worked out later: each batch normalisation behind a ReLU enlarges it by a factor, and factors multiply [@yang2019]. This need not be the whole cause.
#
# ## ResNets: Wait, shouldn't training error be lower?
#
# A deeper net *can* do all that a shallow one does. Copy the shallow net, and let every further layer do nothing. Such a layer is easy to write down: its kernel passes the picture on, and the ReLU behind it changes nothing, since what comes in is never negative.

# %% alt="A picture of three by three numbers, a star, a kernel of three by three with a single 1 in its middle and zeros around it, an equals sign, and the same picture again."
picture = np.array([[3, 1, 4], [1, 5, 9], [2, 6, 5]])
kernel = np.pad([[1]], 1)
plots.matrices([picture, kernel, picture], ["x", "kernel", "H(x) = x"], ["∗", "="])

# %% [markdown]
# **Figure.** The identity as a convolution (with zeros around the picture). Where there are many maps, each kernel reads the map of its own number like this, and no other.
#
# Now put layers between the last block and the linear layer of a trained net of 8 layers: identities, or freshly initialised ones.

# %%
small = plain[8][0][0].to(device)
every, truth = next(
    loader.batches(pixels, labels, len(labels), loader.statistics(pixels)))
with torch.no_grad():
    shallow = small.features(every)


@torch.no_grad()
def scores(kind, count):
    maps = shallow
    for _ in range(count):
        new = twin.nets.conv_bn(32, 32, 3).to(device).eval()
        if kind == "identity":
            torch.nn.init.dirac_(new[0].weight)
            new[1].eps = 0.0  # or it divides by a little more than 1
        maps = twin.relu(new(maps))
    return small.fc(twin.global_avg_pool(maps))


change = scores("identity", 10) - scores("identity", 0)
claims.measure("identity-layers-change-nothing", change.abs().max().item())

# %% alt="Training error in percent against the number of added layers, 0 to 10. The line of identity layers lies at zero. That of random layers jumps to about ninety percent with the first layer and stays there."
torch.manual_seed(0)
counts = np.array([0, 1, 2, 5, 10])
errors = {kind: [[100 * (scores(kind, n).argmax(1) != truth).double().mean().item()
                  for n in counts] for _ in range(10)] for kind in ("identity", "random")}
plots.curves(errors, "layers added", "training error, %", x=counts)

# %% [markdown]
# **Figure.** Layers added to a trained net, mean and range of ten draws. Ninety percent is chance.

# %%
claims.measure("random-layers-forget", np.mean(errors["random"], axis=0)[-1])

# %% [markdown]
# > [!note]
# > **Erratum.** The slide copies the trained weights into a deeper net "with new, randomly initialized weights". The upper line is that net: it knows nothing any more. In the paper the added layers are the identity [@he2016].
#
# So a deep net with a small training error exists, we have just built it, and training does not find one. The trouble is not what a deep net can say but the way there. To do nothing ought to be easy, and each layer has to learn one very special kernel for it.
#
# ## ResNets: Targets and Residuals
#
# Then let doing nothing be the default. The layers of a block shall not learn the target $H(x)$ but only what has to be added to $x$ to reach it, the *residual*:
#
# $$F(x) = H(x) - x, \qquad\text{and the block puts out}\qquad F(x) + x .$$
#
# Whoever wants the identity now needs kernels of zero, and small kernels come close to it.

# %%
@plots.figure
def blocks(**kinds):  # name: texts from the input down to the output
    fig, ax = plots.sheet(16, 5.4)
    paper = plots.theme().paper
    for x, (name, texts) in zip({1: [8], 2: [4, 11.5]}[len(kinds)], kinds.items()):
        rows = np.linspace(0.45, 4.95, len(texts))
        ax.text(x - 2, 0.45, name, ha="right", va="center", fontsize=11)
        ax.annotate("", (x, rows[-1] - 0.2), (x, 0.6),
                    arrowprops={"arrowstyle": "->", "color": plots.theme().muted})
        for row, text in zip(rows, texts):
            edge = "C0" if "conv" in text else paper
            ax.text(x, row, text, ha="center", va="center",
                    bbox={"boxstyle": "round,pad=0.4", "fc": paper, "ec": edge})
            if "+" in text:
                right, top = x + 2.4, rows[0]
                ax.plot([x + 0.5, right, right, x + 0.9], [top, top, row, row], "C1")
                ax.text(right + 0.15, row / 2, "shortcut", color="C1", rotation=90)
    return fig

# %% alt="Two blocks side by side. In the plain one an arrow runs from x through a convolution, a ReLU, another convolution and a ReLU. In the residual one a line leaves x besides, passes the convolutions by and is added to what they put out, before the last ReLU."
pair = ["x", "conv 3×3", "ReLU", "conv 3×3"]
blocks(plain=[*pair, "H(x)", "ReLU"], residual=[*pair, "F(x) + x", "ReLU"])

# %% [markdown]
# **Figure.** The same two convolutions without and with a *shortcut*, which costs one addition. (Batch normalisation stands behind each convolution.)

# %%
claims.quote("learn-the-residual")

# %% [markdown]
# In the package both are one class; with `shortcut=None` the block is plain. The plus sign is in the last line:

# %%
Markdown(f"```python\n{inspect.getsource(twin.nets.Block.forward)}```")

# %% [markdown]
# Predict before you look: a photograph goes through twelve blocks that nobody has trained. What is left of it, without shortcuts and with them?

# %% alt="Two rows of six pictures of a cat's face after 0, 1, 2, 4, 8 and 12 random blocks. Plain: after one block only dark outlines are left, after eight nothing but specks. Residual: the colours fade, but eyes and nose can still be seen after twelve."
cat = data.photographs()["chelsea"].images[:, :, 30:230:2, 90:390:2]
cat = torch.tensor(cat / 255).float()
seen, when = [], (0, 1, 2, 4, 8, 12)
for shortcut in (None, "A"):
    torch.manual_seed(0)
    maps = cat / cat.std()
    for n in range(13):
        seen += [(maps / maps.amax((2, 3), keepdim=True))[0].numpy()] if n in when else []
        with torch.no_grad():
            maps = twin.nets.Block(3, 3, 1, False, shortcut)(maps)
captions = [f"{kind}, {n}" for kind in ("plain", "residual") for n in when]
plots.images(seen, captions, columns=6)

# %% [markdown]
# **Figure.** The photograph after 0 to 12 random blocks. A plain net has to learn first to pass a picture on; a residual net begins with that.
#
# Do they train? The same depths, recipe and number of parameters, with shortcuts:

# %% alt="Training loss at the end against depth, 8, 20 and 56 layers, on a logarithmic axis. The line of the plain nets rises steeply with depth, that of the residual nets falls from 8 to 20 layers and stays low."
residual = each_depth("A")
plots.curves({"plain": final(plain).T, "residual": final(residual).T},
             "layers", "training loss at the end", x=np.array(depths), log="y")

# %% [markdown]
# **Figure.** Mean and range of two. The deeper the nets, the more the shortcuts matter.

# %%
claims.measure("deeper-residual-trains",
               final(residual)[2].mean() / final(residual)[1].mean())

# %% [markdown]
# ### The gradient takes the same road
#
# A sum has a simple derivative. For $y = F(x) + x$ the *Jacobian*, the matrix of the derivatives of all outputs by all inputs, is
#
# $$\frac{\partial y}{\partial x} = \frac{\partial F}{\partial x} + I,
# \qquad\text{so that}\qquad
# \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\frac{\partial F}{\partial x} + \frac{\partial L}{\partial y} . \tag{9.1}$$
#
# Whatever $F$ does, the gradient of the loss $L$ also arrives as it was [@he2016mappings].

# %% alt="Two square matrices. That of the branch F shows bands of blue and orange dots on an empty ground. That of the block shows the same and a solid blue diagonal."
torch.manual_seed(1)
branch = torch.nn.Sequential(twin.nets.conv_bn(2, 2, 3), torch.nn.ReLU(),
                             twin.nets.conv_bn(2, 2, 3)).double().eval()
point = torch.randn(1, 2, 4, 4, dtype=torch.float64)
of_branch, of_block = (
    torch.autograd.functional.jacobian(f, point).reshape(32, 32)
    for f in (branch, lambda x: branch(x) + x))
plots.images([of_branch, of_block], ["of F(x)", "of F(x) + x"], signed=True)

# %% [markdown]
# **Figure.** Jacobians, 32 numbers in and 32 out; blue is positive. The diagonal is the shortcut.

# %%
difference = of_block - torch.eye(32) - of_branch
claims.measure("shortcut-adds-identity", difference.abs().max().item())

# %% [markdown]
# So there is a road along which nothing is ever multiplied, the *identity path*: the picture goes along it to the loss, and the gradient back. (In the first ResNets a ReLU stands behind each sum; a year later their authors moved it off the path [@he2016mappings].)

# %% alt="Norm of the gradient against the layer, on a logarithmic axis. The line of the plain net falls steadily from several hundred in the first layer to a fifth in the last. That of the residual net begins at four and stays near a half."
shortcuts = {depth: gradients(depth, "A") for depth in (8, 56)}
plots.curves({"plain": at_start[56], "residual": shortcuts[56]},
             "layer", "norm of the gradient", log="y")

# %% [markdown]
# **Figure.** Nets of 56 layers before the first step, mean and range of five. Read from right to left, as backpropagation goes.

# %%
claims.measure("residual-gradient-steady", first(shortcuts[56]) / first(shortcuts[8]))

# %% [markdown]
# ### How small is H(x) − x?
#
# If a good net is never far from doing nothing, there is little to add. A block of the trained net of 56 layers at work:

# %% alt="Three rows of eight small grey feature maps of a digit. The upper and the lower row, what comes in and what is put out, are nearly alike; the middle one, what is added, is a fainter pattern."
net = residual[56][0][0]
with torch.no_grad():
    before = torch.nn.Sequential(*net.blocks[:5])(twin.relu(net.stem(x[:1])))
    first_unit, second_unit = net.blocks[5].units
    added = second_unit(twin.relu(first_unit(before)))
    shown = torch.cat([before, added, twin.relu(before + added)])
grey = 0.5 + 0.5 * shown / shown.abs().max()  # zero is the middle grey
captions = ["x"] * 8 + ["F(x)"] * 8 + ["put out"] * 8
plots.images(grey.flatten(0, 1).cpu(), captions, columns=8)

# %% [markdown]
# **Figure.** The eight maps of one digit in the sixth block, all on one scale: brighter than the middle grey is positive, darker negative.
#
# By how much does a block change what it is given, in shares of it? Here is the median over the blocks, on 128 digits, beside that of plain nets.

# %%
@torch.no_grad()
def change(net):
    maps, shares = twin.relu(net.stem(x)), []
    for block in net.blocks:
        given, maps = maps, block(maps)
        if maps.shape == given.shape:
            shares.append(((maps - given).norm() / given.norm()).item())
    return np.median(shares)


nets = {"plain, 20": plain[20],
        "residual, 20": residual[20], "residual, 56": residual[56]}
shares = {name: np.mean([change(net) for net, _ in runs]) for name, runs in nets.items()}
plain20, residual20, residual56 = shares.values()
print(*(f"{name} layers: {share:4.0%}" for name, share in shares.items()), sep="\n")
claims.measure("residual-blocks-change-less", residual20 / plain20)

# %%
claims.measure("deeper-blocks-change-less", residual56 / residual20)

# %% [markdown]
# A plain block replaces what it is given; a residual one amends it, and the more of them there are, the less each has to do. The paper shows the same by another measure, the *response* of a layer: the standard deviation of its numbers behind batch normalisation, before anything is added or cut off.

# %%
def response(net):
    found, kind = [], torch.nn.BatchNorm2d
    hooks = [norm.register_forward_hook(lambda *seen: found.append(seen[-1].std().item()))
             for norm in net.modules() if isinstance(norm, kind)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return np.median(found)


for name, runs in nets.items():
    print(f"{name} layers: response", *(f"{response(net):.2f}" for net, _ in runs))
claims.quote("residual-responses-smaller")

# %% [markdown]
# This we cannot confirm. Batch normalisation starts every layer with a response of 1, our nets train for seconds, and what differences there are change with the random start.
#
# ### Shortcuts A, B and C
#
# Where a stage begins, $F(x)$ has half the side of $x$ and twice the maps, so the sum has to be made to fit. The paper tries three ways. **A** takes every second pixel of $x$ and adds maps of zeros. **B** projects: a learned convolution of 1 × 1 with stride 2, at these places only. **C** projects in every block.

# %% alt="Eight small pictures. Three in the middle are the red, green and blue of a cat's face at half the size; those before and behind them are black."
wider = twin.nets.PadShortcut(3, 8, stride=2)(cat)[0].numpy()
plots.images(wider, [f"map {n}" for n in range(1, 9)])

# %% [markdown]
# **Figure.** Option A, where three maps come in and eight are wanted.
#
# What do they cost? [`cost.layers`][dtwin.cost.layers] runs a network on one picture and counts each layer's parameters and its *multiply-adds*: a multiplication with an addition, one for every weight at every place. On PyTorch's device "meta" a network has shapes but no numbers, so the largest is there at once.

# %%
def price(make, **options):
    with torch.device("meta"):
        return cost.total(make(**options), (3, 224, 224))


prices = {way: price(twin.nets.resnet34, shortcut=way) for way in (None, "A", "B", "C")}
head = "34 layers, shortcut | parameters | billions of multiply-adds\n:--|--:|--:"
Markdown("\n".join([head] + [
    f"{way or 'none (plain)'} | {net.parameters:,} | {net.multiply_adds / 1e9:.3f}"
    for way, net in prices.items()]))

# %%
claims.measure("shortcut-a-is-free", prices["A"].parameters - prices[None].parameters)

# %% [markdown]
# The networks above have A. On ImageNet the three differ by less than one percentage point [@he2016], so projections are not what it hangs on.
#
# ## ResNets: Comparison
#
# Deep need not mean dear. VGG-19 came second in 2014 [@simonyan2015]; here it is beside a residual net nearly twice as deep.

# %% alt="Bars of multiply-adds by the side of the maps, from 224 pixels to 7, on one scale. VGG-19: about 2, 3, 6.5, 6.5 and 2 billion, and nothing at 7. ResNet-34: nothing at 224, then about 0.1, 0.7, 0.9, 1.3 and 0.6 billion."
@plots.figure
def by_side(*names):
    fig, axes = plots.canvas(2.6, 1, len(names), sharey=True)
    for n, (ax, name) in enumerate(zip(axes, names)):
        with torch.device("meta"):
            layers = cost.layers(getattr(twin.nets, name)(), (3, 224, 224))
        work = {str(side): 0 for side in (224, 112, 56, 28, 14, 7)}
        for layer in layers:
            if len(layer.shape) == 3:  # maps
                work[str(layer.shape[-1])] += layer.multiply_adds / 1e9
        ax.bar_label(ax.bar(work.keys(), work.values(), color=f"C{n}"), fmt="%.2f")
        ax.set(xlabel="side of the maps, pixels", yticks=[])
        ax.set_title(name, loc="left")
        ax.spines["left"].set_visible(False)
    return fig


by_side("vgg19", "resnet34")

# %% [markdown]
# **Figure.** Billions of multiply-adds by the size of the maps that a layer puts out. VGG-19 computes on large maps; ResNet-34 makes them small at once, with its first convolution and a pooling. (The linear layers, not shown, take another 0.12 billion of VGG-19.)

# %%
vgg, resnet = price(twin.nets.vgg19), prices["B"]
claims.measure("vgg19-multiply-adds", vgg.multiply_adds / 1e9)

# %%
claims.measure("resnet34-multiply-adds", resnet.multiply_adds / 1e9)

# %%
claims.measure("vgg19-parameters", vgg.parameters)

# %%
claims.measure("resnet34-parameters", resnet.parameters)

# %% [markdown]
# > [!note]
# > **Erratum.** The slide's figure calls these FLOPs, floating-point operations. A multiplication and an addition are two of them; counted is the pair.
#
# ## ResNets: Parametric Modularity
#
# A handful of numbers tells a residual net: the kind of block, and how many of them in each stage. From 50 layers on the block is a *bottleneck*: a convolution of 1 × 1 reduces the maps to a quarter, the dear 3 × 3 works on these, and another 1 × 1 restores their number.

# %% alt="Two blocks with shortcuts. The basic one has two convolutions of three by three with 64 maps. The bottleneck takes 256 maps and has convolutions of one by one to 64 maps, three by three with 64, and one by one to 256."
narrow = ["conv 1×1, 64", "conv 3×3, 64", "conv 1×1, 256"]
blocks(basic=["64 maps", "conv 3×3, 64", "conv 3×3, 64", "+", "64 maps"],
       bottleneck=["256 maps", *narrow, "+", "256 maps"])

# %% [markdown]
# **Figure.** Both cost about the same, but the bottleneck carries four times the maps. (ReLUs are left out.)
#
# The paper's table, written by the constructors themselves:

# %%
names = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]


def stages(name):
    with torch.device("meta"):
        found = getattr(twin.nets, name)().blocks
    for _, stage in itertools.groupby(found, lambda b: b.units[-1][0].out_channels):
        stage = list(stage)
        convs = [unit[0] for unit in stage[0].units]
        kernels = ["{0}×{1} {2}".format(*c.kernel_size, c.out_channels) for c in convs]
        yield f"{len(stage)} × ({', '.join(kernels)})"


numbers = [f"stage {n}" for n in range(1, 5)]
lines = [["blocks", *names], ["--"] * 6, *zip(numbers, *map(stages, names))]
Markdown("\n".join(" | ".join(line) for line in lines))

# %%
published = [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808]
ours = [price(getattr(twin.nets, name)) for name in names]
claims.measure("five-resnets-parameters",
               max(abs(net.parameters - count) for net, count in zip(ours, published)))

# %% [markdown]
# > [!note]
# > **Erratum.** In the paper the first 1 × 1 of a bottleneck halves the side, and so never sees three pixels of four. The networks in use today, ours too, leave it to the 3 × 3, which sees them all and costs more: 4.1 billion multiply-adds for 50 layers in place of 3.8. To compare, the stride is moved back.

# %% tags=["nbval-check-output"]
def as_published(name):
    net = getattr(twin.nets, name)()
    for first, second, *_ in (block.units for block in net.blocks):
        if first[0].kernel_size == (1, 1):
            first[0].stride, second[0].stride = second[0].stride, first[0].stride
    return net


paper = [price(as_published, name=name) for name in names]
today, then = ([net.multiply_adds / 1e9 for net in nets] for nets in (ours, paper))
for line in zip(names, today, then):
    print("{:9} {:5.2f} billion, with the paper's stride {:5.2f}".format(*line))

# %%
off = np.array(then) / [1.8, 3.6, 3.8, 7.6, 11.3] - 1
claims.measure("five-resnets-multiply-adds", 100 * np.abs(off).max())

# %% [markdown]
# For CIFAR-10, pictures of 32 × 32, the number $n$ alone tells the net.

# %% tags=["nbval-check-output"]
millions = {3: 0.27, 5: 0.46, 7: 0.66, 9: 0.85, 18: 1.7, 200: 19.4}
with torch.device("meta"):
    family = [twin.nets.cifar((n, n, n)) for n in millions]
counts = [sum(p.numel() for p in net.parameters()) for net in family]
for n, count in zip(millions, counts):
    print(f"n = {n:3}: {6 * n + 2:4} layers, {count:10,} parameters")

# %%
claims.measure("cifar-resnets-parameters", sum(
    round(count / 1e6, 2 if count < 1e6 else 1) == paper
    for count, paper in zip(counts, millions.values())))

# %% [markdown]
# ## ResNets: Results
#
# At full size this takes days of graphics cards, so the results are the paper's own.

# %%
claims.quote("resnets-on-imagenet")

# %%
claims.quote("resnets-on-cifar10")

# %%
claims.quote("resnet1202-overfits")

# %%
claims.quote("revolution-of-depth")

# %% alt="Two bar charts over the entries of 2010 to 2015. The top-5 error falls from 28.2 to 3.57 percent. The number of layers is 0 for the shallow methods of 2010 and 2011, 8 for AlexNet and 2013, 19 for VGG, 22 for GoogLeNet, and 152 for ResNet."
record = {"2010, shallow": (28.2, 0), "2011, Fisher vectors, shallow": (25.8, 0),
          "2012, AlexNet": (16.4, 8), "2013": (11.7, 8), "2014, VGG (second)": (7.3, 19),
          "2014, GoogLeNet": (6.7, 22), "2015, ResNet": (3.57, 152)}
errors, layers = zip(*record.values())
plots.bars({"top-5 error, %": errors, "layers": layers}, list(record), form="{:g}")

# %% [markdown]
# **Figure.** The "revolution of depth": the best entries to the ImageNet challenge, as in the talk that presented the ResNets.
#
# > [!note]
# > **Erratum.** The bars are not single networks, though the layers are those of one. Entries average several: AlexNet's five, ResNet's six. And AlexNet has 16.4 % without extra training pictures; the 15.3 % that won had some.

# %%
claims.quote("resnet-ensemble")

# %% [markdown]
# ## The claims, measured
#
# A deeper plain net trains worse, though an equal one is easy to construct. One addition in every block mends it: at the start the gradient reaches the first layer without exploding, and doing nothing is where learning begins. The counts of parameters and multiply-adds agree with the paper once one knows where the stride was. A residual block amends where a plain one replaces, though the weaker responses of the paper's figure we could not see. What we have not shown is that depth *helps* on new pictures. From 8 to 20 layers the training loss of the residual nets falls to a quarter, and at 56 it is a little higher again. That it helps rests on the paper's tables, above.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. Blocks that do nothing ★★
#
# **Predict before you run.** A block adds the output of its second batch normalisation. Set the scale of that one (`block.units[-1][1].weight`) to zero in every block of a fresh net. What does the net compute, and which of its kernels get a gradient in the first step?

# %% [markdown] tags=["hint"]
# **Hint.** What is left of $F(x) + x$? And what is the gradient that arrives at $F$ multiplied by, before it reaches a kernel?

# %% [markdown] tags=["solution"]
# **Solution.** Every block is its shortcut (behind a ReLU): the identity, and at two places every second pixel, with maps of zeros. So only the first convolution and the linear layer are left. The scales themselves get a gradient, the kernels in the branches none, because everything that reaches them is multiplied by the scale. After one step the scales are no longer zero. Many start their residual nets like this.

# %% tags=["solution", "nbval-check-output"]
net = build(56, "A", seed=0).to(device)
for block in net.blocks:
    torch.nn.init.zeros_(block.units[-1][1].weight)
F.cross_entropy(net(x), y).backward()
kernels = [bool(w.grad.any()) for w in net.parameters() if w.dim() == 4]
print(f"of {len(kernels)} convolutions {sum(kernels)} gets a gradient, the first: {kernels[0]}")

# %% [markdown]
# ### Exercise 2. Back along both ways ★★
#
# **Program it.** A block of matrices, for $x$ of shape (N, d), is $y = x + \text{relu}(x W_1^\top) W_2^\top$. Write its backward pass in NumPy, `residual_backward(dy, x, w1, w2)`, which returns `dx, dw1, dw2`, and run `check(residual_backward)`.

# %% [markdown] tags=["hint"]
# **Hint.** Read the forward pass upwards: the sum, the second product, the ReLU, the first product. What does a sum do with the gradient that arrives?

# %% [markdown] tags=["hint"]
# **Hint.** A sum hands it on along both ways, unchanged; and where two ways meet again, at $x$, their gradients are added.

# %% [markdown] tags=["solution"]
# **Solution.** The `dy +` in the last line is the shortcut, read upwards.

# %% tags=["solution", "nbval-check-output"]
def residual_backward(dy, x, w1, w2):
    a = x @ w1.T
    h = np.maximum(a, 0)
    dh, dw2 = dy @ w2, dy.T @ h
    da = dh * (a > 0)
    return dy + da @ w1, da.T @ x, dw2


check(residual_backward)

# %% [markdown]
# ### Exercise 3. A shortcut that costs nothing ★★
#
# **Program it.** Where a stage halves the maps and doubles their number, $x$ does not fit $F(x)$. Option A keeps every second pixel, and puts half of the missing channels, all of zeros, before the ones there are and half behind. Write it in NumPy, `shortcut(x, channels, stride)`, and run `check(shortcut)`.

# %% [markdown] tags=["hint"]
# **Hint.** A slice with a step, `[::stride]`, keeps every second pixel.

# %% [markdown] tags=["hint"]
# **Hint.** `np.pad` takes, for each axis, how many numbers to put before and behind.

# %% [markdown] tags=["solution"]
# **Solution.** The paper says only that zeros are added; on which side makes no difference to a net that learns. The package shares them out.

# %% tags=["solution", "nbval-check-output"]
def shortcut(x, channels, stride):
    kept = x[:, :, ::stride, ::stride]
    before = (channels - kept.shape[1]) // 2
    behind = channels - kept.shape[1] - before
    return np.pad(kept, ((0, 0), (before, behind), (0, 0), (0, 0)))


check(shortcut)

# %% [markdown]
# ### Exercise 4. Deeper without a change ★★
#
# **Program it.** Deepen a trained residual net from 20 to 32 layers without changing what it says: put two blocks behind the last one of each stage that change nothing. How many lines do you need? A plain net would need more: write `identity_kernel(channels, size)`, the weights of a convolution that hands on `channels` maps as they are, an array of shape (channels, channels, size, size) with an odd `size`, and run `check(identity_kernel)`.

# %% [markdown] tags=["hint"]
# **Hint.** Exercise 1 makes blocks that change nothing. The net keeps its blocks in `net.blocks`, three to a stage.

# %% [markdown] tags=["hint"]
# **Hint.** The first axis of the weights says which map is written, the second which is read. Each map shall read itself alone, and of its window only the middle.

# %% [markdown] tags=["solution"]
# **Solution.** With plain blocks each of the two convolutions would have to be the identity, and the batch normalisations too.

# %% tags=["solution", "nbval-check-output"]
def identity_kernel(channels, size):
    weight = np.zeros((channels, channels, size, size))
    weight[range(channels), range(channels), size // 2, size // 2] = 1
    return weight


check(identity_kernel)

# %% [markdown] tags=["solution"]
# With shortcuts, zeros are enough:

# %% tags=["solution", "nbval-check-output"]
net, deeper = residual[20][0][0], torch.nn.ModuleList()
for number, block in enumerate(net.blocks):
    deeper.append(block)
    width = block.units[-1][0].out_channels
    for _ in range(2 * (number % 3 == 2)):
        deeper.append(twin.nets.Block(width, width, 1, False, "A").to(device).eval())
        torch.nn.init.zeros_(deeper[-1].units[-1][1].weight)
before, net.blocks = net(x), deeper
print(len(net.blocks), "blocks, the same answers:", torch.allclose(net(x), before, atol=1e-5))

# %% [markdown]
# ### Exercise 5. A factor before the shortcut ★
#
# **Think.** Put a factor in front of the shortcut, $F(x) + \lambda x$ with $\lambda = 0.9$. What comes of the gradient behind 27 blocks?

# %% [markdown] tags=["solution"]
# **Solution.** Along the identity path it is multiplied by $0.9^{27} \approx 0.06$; with $\lambda = 1.1$ by 13. The plus sign works because in [(9.1)](#equation-1) the factor is exactly 1 [@he2016mappings].

# %% [markdown]
# ## What you can do now
#
# - Tell degradation from overfitting, by the training error.
# - Write down a layer that does nothing, with a shortcut and without.
# - Derive what a shortcut does to the gradient, and check it.
# - Count the parameters and multiply-adds of a network, and say what is counted.
# - Read a table of ResNets, and a bar chart of winners, with due care.
#
# ## Sources
#
# The lecture's slides "ResNets". The chart "Revolution of Depth" is from Kaiming He's talk at ICCV 2015.
