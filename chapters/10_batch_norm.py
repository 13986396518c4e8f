# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Why does a deep network learn so slowly, and why must every step be small?"
# # Batch normalisation
#
# The networks of the last chapters learn, but they are touchy: with a learning rate that is a little too large they learn nothing at all, and with a safe one they take their time. Why does a deep network learn so slowly, and why must every step be small?
#
# ## CNNs: How do you train CNNs?
#
# Between a network on paper and one that learns lies a bag of tricks. The lecture says of them:

# %%
from dtwin import claims

claims.quote("tricks-are-proven")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide says *proven*. For most of these tricks there is no proof, only experiments, and on other data they may come out otherwise. A trick has to be measured again where it is used.
#
# One of them was published in 2015, and most networks for pictures of the next years had it. To see what it is for, take a network with three hidden layers of 100 sigmoids, as in the paper's first experiment [@ioffe2015]. It reads handwritten digits of 8 × 8 pixels [@alpaydin1998].

# %% tags=["nbval-check-output"]
import copy
import inspect
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from IPython.display import Markdown
from torch import nn

from dtwin import check, data, parallel, plots, ref, twin
from dtwin.gradcheck import gradient_errors

torch.set_num_threads(1)  # nets as small as these run no faster on two
digits, new_digits = data.digits("train"), data.digits("test")
x, x_new = (torch.tensor(d.images / 255).float() for d in (digits, new_digits))
y, y_new = (torch.tensor(d.labels) for d in (digits, new_digits))
x, x_new = (x - x.mean()) / x.std(), (x_new - x.mean()) / x.std()
print(f"{len(x)} digits to learn from, {len(x_new)} new ones; "
      f"pixels with mean {abs(x.mean()):.1f} and standard deviation {x.std():.1f}")

# %% [markdown]
# That pixels should be brought to mean 0 and standard deviation 1 was known long before [@lecun1998]. They are the inputs of the *first* layer, and they stay as they are. The inputs of every other layer are what the layer below puts out, and nobody has brought them to anything.

# %%
def build(norm=None, bend=nn.Sigmoid, depth=3, seed=0):
    torch.manual_seed(seed)
    layers = [nn.Flatten()]
    gain = 2 if bend is nn.ReLU else 1
    for i, o in pairwise([64] + [100] * depth):
        layers += [nn.Linear(i, o), *([norm(o)] if norm else []), bend()]
    net = nn.Sequential(*layers, nn.Linear(100, 10))
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, (gain / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
    return net


print(build(depth=1))

# %%
def learn(net, rate, steps, batch=60, x=x):
    parameters = list(net.parameters())
    for step in range(1, steps + 1):
        i = torch.randint(len(x), (batch,))
        loss = twin.cross_entropy(net(x[i]), y[i])
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients):
                p -= rate * g
        yield step

# %% [markdown]
# While it learns, watch one unit of the last hidden layer: what goes *into* its sigmoid when 500 digits are shown? Half of the inputs lie below their *median*, and 15 and 85 percent below the two outer *percentiles*.

# %%
@torch.no_grad()
def errors(net):
    wrong = 100 * (net.eval()(x_new).argmax(1) != y_new).double().mean().item()
    net.train()
    return wrong


@torch.no_grad()
def last_inputs(net):  # (3 percentiles, 100 units)
    into = copy.deepcopy(net)[:-2](x[:500])  # a copy, for some layers change in use
    return np.percentile(into.numpy(), [15, 50, 85], axis=0)


watched = np.unique(np.geomspace(1, 1000, 40).astype(int))


def watch(norm, seed):
    net = build(norm, seed=seed)
    steps = (step for step in learn(net, 0.5, 1000) if step in watched)
    seen = [(errors(net), last_inputs(net)) for _ in steps]
    return net, np.array([e for e, _ in seen]), np.stack([p for _, p in seen])

# %% alt="Three curves over a thousand steps on a logarithmic axis, the 15th, 50th and 85th percentile of a unit's inputs. They lie close together and drift for a hundred steps, then move apart."
@plots.figure
def percentiles(panels):
    fig, axes = plots.canvas(2.6, 1, len(panels), sharey=True, squeeze=False)
    for n, (ax, (title, lines)) in enumerate(zip(axes[0], panels.items())):
        ax.fill_between(watched, lines[:, 0], lines[:, 2], color=f"C{n}", alpha=0.22, lw=0)
        for line, share in zip(lines.T, (15, 50, 85)):
            ax.plot(watched, line, color=f"C{n}", lw=1.8 if share == 50 else 0.9)
            ax.annotate(f"{share} %", (1000, line[-1]), (5, 0), va="center",
                        color=f"C{n}", textcoords="offset points", annotation_clip=False)
        ax.set(xscale="log", xlabel="step")
        ax.set_title(title, loc="left")
        ax.margins(x=0)
        ax.grid(axis="y")
    axes[0, 0].set_ylabel("input of the unit")
    return fig


seeds = (0, 1, 2)
plain = parallel.map(partial(watch, None), seeds)
percentiles({"one sigmoid of the last hidden layer": plain[0][2][:, :, 0]})

# %% [markdown]
# **Figure.** The inputs of one unit while the network learns at rate 0.5. All digits look nearly alike to it for a long time, and its inputs never come to rest.
#
# A step changes all layers at once, each as if the others stayed. But what the upper layers have learned was learned on inputs that the next step of the lower ones will move. The larger the step, the worse they fit together afterwards. So make the inputs of *every* layer what the pixels are, all the time: mean 0, standard deviation 1.
#
# ## CNNs: Batch Normalization
#
# Mean over what? Over all digits would be too dear, since every step changes it. The *mini-batch* at hand must do. Take a batch of four digits, and two units that get these numbers from them:

# %% alt="Four matrices of four rows and two columns. The first holds 2, 4, 4, 10 and 40, 80, 80, 200. The second, less the mean, minus 3, minus 1, minus 1, 5 and twenty times that. In the third, divided by the standard deviation, both columns are minus 1, minus 0.3, minus 0.3, 1.7. In the fourth the first column is minus 2, 0, 0, 6 and the second as before."
batch = np.array([[2.0, 40], [4, 80], [4, 80], [10, 200]])
centred = batch - batch.mean(axis=0)
normal = centred / batch.std(axis=0)
scaled = normal * [3, 1] + [1, 0]
names = ["inputs", "less the mean", "over the std", "scaled, shifted"]
plots.matrices([batch, centred, normal.round(1), scaled.round(1)], names, ["→"] * 3)

# %% [markdown]
# **Figure.** A column is a unit, a row is a digit. The second unit gets twenty times the numbers of the first, and after the third matrix nothing tells them apart: *batch normalisation* forgets scale and place, and keeps how the digits of the batch differ.
#
# What if a unit was good because its inputs were large? Then it may have a scale $\gamma$ and a shift $\beta$ of its own, which it learns as it learns weights. In the last matrix the first unit has $\gamma = 3$, $\beta = 1$. The difference to before: scale and shift are now two numbers of this layer, and no longer the business of all layers below.
#
# ### Algorithm 1
#
# For each unit, with the inputs $x_1, \dots, x_m$ that a mini-batch gives it,
#
# $$\mu = \frac1m \sum_i x_i, \qquad \sigma^2 = \frac1m \sum_i (x_i - \mu)^2, \qquad
# \hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y_i = \gamma \hat x_i + \beta . \tag{10.1}$$
#
# The small $\epsilon$ is there for a unit whose inputs are all the same. In the package, where `_batch_axes` are all axes but that of the units, and `_channels` lays the one number of each unit alongside `x`:

# %%
ours = ref.batch_norm(batch, np.array([3.0, 1]), np.array([1.0, 0]), eps=0.0)
print("the batch by hand agrees:", np.allclose(ours, scaled))
shown = [ref.batch_norm, inspect.getmodule(ref.batch_norm)._normalised]
Markdown("```python\n" + "\n\n".join(map(inspect.getsource, shown)) + "```")

# %% [markdown]
# ### The gradient
#
# Here is the catch. A digit's $\hat x_i$ depends on *all* digits of the batch, since each has its part in mean and spread. So the gradient has to go back along three ways. Write $s = \sqrt{\sigma^2 + \epsilon}$ and move one input $x_j$ a little. The numerator $x_i - \mu$ moves by $1 - \frac1m$ if $i = j$, and by $-\frac1m$ otherwise. The spread $s$ moves by $(x_j - \mu)/(m s) = \hat x_j / m$. By the quotient rule,
#
# $$\frac{\partial \hat x_i}{\partial x_j} = \frac1s \Bigl( \delta_{ij} - \frac1m - \frac{\hat x_i\, \hat x_j}{m} \Bigr),
# \qquad \delta_{ij} = 1 \text{ if } i = j, \text{ else } 0 .$$
#
# For the first unit of our batch, with $s = 3$ and $m = 4$, these slopes are whole numbers over 108:

# %% alt="A matrix of four by four, blue where positive and orange where negative: 18, minus 12, minus 12, 6; minus 12, 26, minus 10, minus 4; minus 12, minus 10, 26, minus 4; 6, minus 4, minus 4, 2. Beside it a column of ones and a column of zeros, and the column minus 3, minus 1, minus 1, 5 and a column of zeros."
xhat = normal[:, :1]
slopes = np.rint(108 / 3 * (np.eye(4) - 1 / 4 - xhat @ xhat.T / 4)).astype(int)
shift, stretch = np.ones((4, 1), int), np.rint(3 * xhat).astype(int)
plots.matrices([slopes, shift, slopes @ shift, stretch, slopes @ stretch],
               ["slopes × 108", "shift", "effect", "stretch", "effect"],
               ["×", "=", "", "="])

# %% [markdown]
# **Figure.** How each $\hat x_i$ (row) moves with each $x_j$ (column). To add the same to all four changes nothing, and to stretch them changes nothing either: both effects are zero. The outlier, 10, has hardly a slope of its own (2), because it drags mean and spread along with it.
#
# Now add up what comes from above. With $g_i = \partial L / \partial y_i$ the parameters get $d\beta = \sum_i g_i$ and $d\gamma = \sum_i g_i \hat x_i$, and the inputs
#
# $$dx_j = \sum_i \gamma\, g_i\, \frac{\partial \hat x_i}{\partial x_j} = \frac{\gamma}{s} \Bigl( g_j - \frac{d\beta}{m} - \hat x_j\, \frac{d\gamma}{m} \Bigr). \tag{10.2}$$
#
# What arrives is $g$ without the part that would shift all and without the part that would stretch all. Is it right? Beside [`ref.batch_norm_backward`][dtwin.ref.batch_norm_backward], which has this formula, stands one that takes mean and spread for constants.

# %% tags=["nbval-check-output"]
def constants(dy, x, *weight_and_bias):
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    return ref.batch_norm_eval_backward(dy, x, mean, var, *weight_and_bias)


rng = np.random.default_rng(10)
maps, weight, bias = rng.normal(3, 2, (6, 2, 4, 4)), rng.normal(size=2), rng.normal(size=2)
for backward in (ref.batch_norm_backward, constants):
    off = gradient_errors(ref.batch_norm, backward, maps, weight, bias)
    right = dict(zip(("dx", "dγ", "dβ"), (error < 1e-6 for error in off)))
    print(f"{backward.__name__:19} is right in {right}")

# %%
off = gradient_errors(ref.batch_norm, ref.batch_norm_backward, maps, weight, bias)
claims.measure("batch-norm-gradient-checked", max(off))

# %% [markdown]
# ### The twin
#
# The paper walks back in six formulas, one for each of $\hat x$, $\sigma^2$, $\mu$, $x$, $\gamma$ and $\beta$, and the two ways must meet. [`twin.batch_norm`][dtwin.twin.batch_norm] is PyTorch's own, which finds its gradient without us.

# %%
def by_the_paper(dy, x, weight, bias, eps=1e-5):
    axes, m, gamma = (0, 2, 3), x[:, 0].size, weight[:, None, None]
    total = {"axis": axes, "keepdims": True}
    mean, s = x.mean(**total), np.sqrt(x.var(**total) + eps)
    dxhat = dy * gamma
    dvar = (dxhat * (x - mean)).sum(**total) * -0.5 * s ** -3
    dmean = -(dxhat / s).sum(**total) - 2 * dvar * (x - mean).mean(**total)
    dx = dxhat / s + dvar * 2 * (x - mean) / m + dmean / m
    return dx, (dy * (x - mean) / s).sum(axes), dy.sum(axes)


dy = rng.normal(size=maps.shape)
tensors = [torch.tensor(a, requires_grad=True) for a in (maps, weight, bias)]
out = twin.batch_norm(*tensors)
theirs = [out.detach(), *torch.autograd.grad(out, tensors, torch.tensor(dy))]
y_ours = ref.batch_norm(maps, weight, bias)
apart = [np.abs(a - b.numpy()).max() for way in (ref.batch_norm_backward, by_the_paper)
         for a, b in zip([y_ours, *way(dy, maps, weight, bias)], theirs)]
claims.measure("batch-norm-twins-agree", max(apart))

# %% [markdown]
# ### In a convolution
#
# The arrays of the last two cells had four axes, as feature maps have. A kernel looks for one thing everywhere, so a feature map has one mean and one spread, over all pictures *and all places*. Three kernels made by hand run over animals of the pasture: one blurs, two answer to edges (those where it gets brighter to the right, and downwards).

# %% alt="Two rows of six pictures: blurred animal and its two edge maps, twice. In the upper row, before, the blurred pictures are bright and the edge maps an almost even grey. In the lower row, behind batch normalisation, all maps have the same contrast, and the outlines of the animals stand out in the edge maps."
herd = data.dataset("test")[:60].images / 255
kernels = np.zeros((3, 3, 3, 3))
kernels[0] = 1 / 27
kernels[1, :, 1, 0], kernels[1, :, 1, 2] = -1 / 6, 1 / 6
kernels[2] = kernels[1].transpose(0, 2, 1)
before = ref.conv2d(herd, kernels)
after = ref.batch_norm(before, np.ones(3), np.zeros(3))
shown = [0.5 + maps[[3, 8]].reshape(6, 30, 30) / span
         for maps, span in ((before, 2), (after, 8))]
names = ["blur", "to the right", "downwards"] * 2
plots.images(np.clip(np.concatenate(shown), 0, 1), names + [""] * 6, columns=6)

# %% [markdown]
# **Figure.** Two pictures through three kernels, before (above) and behind (below) batch normalisation; the middle grey is zero, and each row has one scale. Before it the next layer would see brightness and little else; behind it edges count as much.
#
# ### Weights of any size
#
# What stands before a batch normalisation loses its scale, weights included: $\text{BN}(aWu) = \text{BN}(Wu)$. If all weights are ten times as large, the output is the same, so a *given* change of the weights now matters ten times less, and the gradient is ten times smaller [@ioffe2015]. Check both:

# %%
u = rng.normal(size=(60, 100))
w, dy = rng.normal(0, 0.1, (50, 100)), rng.normal(size=(60, 50))
ones, zeros = np.ones(50), np.zeros(50)


def scaled_by(a):
    z = ref.linear(u, a * w)
    dz, _, _ = ref.batch_norm_backward(dy, z, ones, zeros, eps=0.0)
    return ref.batch_norm(z, ones, zeros, eps=0.0), ref.linear_backward(dz, u, a * w)[1]


results = {a: scaled_by(a) for a in (0.1, 1, 10)}
claims.measure("batch-norm-ignores-scale",
               max(np.abs(out - results[1][0]).max() for out, _ in results.values()))

# %%
size = np.linalg.norm
ratios = [a * size(dw) / size(results[1][1]) for a, (_, dw) in results.items()]
claims.measure("larger-weights-smaller-gradients", max(ratios, key=lambda r: abs(r - 1)))

# %% [markdown]
# This is a brake that works by itself. A step that was too large leaves large weights behind, whose gradients are small, so the next steps count for less.
#
# ## The paper's first figure
#
# The same network again, with a batch normalisation before each sigmoid. The start, the rate and the digits are as before.

# %% alt="Two panels with the 15th, 50th and 85th percentile of the inputs of a unit. Without batch normalisation they begin close together, wander and spread wide. With it they are apart from the beginning and run nearly level."
normed = parallel.map(partial(watch, nn.BatchNorm1d), seeds)
percentiles({"without": plain[0][2][:, :, 0],
             "with batch normalisation": normed[0][2][:, :, 0]})

# %% [markdown]
# **Figure.** The inputs of the same unit, without and with. From the first step on the digits differ for it, and it need not follow what happens below. (It still moves, since $\gamma$ and $\beta$ learn.)

# %%
drift = [np.mean([np.ptp(lines, axis=0).mean() for _, _, lines in runs])
         for runs in (plain, normed)]
claims.measure("batch-norm-steadies-inputs", drift[1] / drift[0])

# %% alt="Two falling curves of the errors on new digits against the step, on a logarithmic axis. Without batch normalisation the errors stay at ninety percent for about a hundred steps and then fall. With it they fall from the first steps, and reach a few percent ten times earlier."
plots.curves({"without": [wrong for _, wrong, _ in plain],
              "with": [wrong for _, wrong, _ in normed]},
             "step", "errors on new digits, %", x=watched, log="x")

# %% [markdown]
# **Figure.** Errors while learning, mean and range of three starts. The plain network spends its first hundred steps on nothing that can be seen.
#
# One rate may favour one of the two. So here are three, and the steps that each needs to get down to 8 % errors.

# %%
def steps_needed(norm, rate, seed):
    net = build(norm, seed=seed)
    steps = learn(net, rate, 10_000)
    return next(step for step in steps if step % 5 == 0 and errors(net) <= 8)


rates = (0.1, 0.5, 2)
needed = {norm: np.array(parallel.grid(partial(steps_needed, norm), rates, seeds))
          for norm in (None, nn.BatchNorm1d)}
without, with_norm = (table.mean(axis=1) for table in needed.values())
head = "learning rate | steps without | steps with | ratio\n--:|--:|--:|--:\n"
Markdown(head + "\n".join(
    f"{rate} | {a.mean():.0f} ± {a.std(ddof=1):.0f} | {b.mean():.0f} ± {b.std(ddof=1):.0f}"
    f" | {a.mean() / b.mean():.0f}" for rate, a, b in zip(rates, *needed.values())))

# %%
claims.measure("batch-norm-faster-at-each-rate", (without / with_norm).min())

# %%
claims.measure("batch-norm-faster-at-best-rates", without.min() / with_norm.min())

# %% [markdown]
# ### Ten layers of sigmoids
#
# Chapter 6 saw the gradient vanish in deep networks of sigmoids. Here are ten hidden layers, 300 steps.

# %%
def deep(norm, seed):
    net = build(norm, depth=10, seed=seed)
    list(learn(net, 0.5, 300))
    return 100 - errors(net)


deep_right = [np.mean(parallel.map(partial(deep, norm), seeds))
              for norm in (nn.BatchNorm1d, None)]
claims.measure("deep-sigmoids-with-batch-norm", deep_right[0])

# %%
claims.measure("deep-sigmoids-without", deep_right[1])

# %% [markdown]
# ## Higher learning rates
#
# The paper's great result is on ImageNet, with an Inception network of rectified linear units:

# %%
claims.quote("batch-norm-on-imagenet")

# %% [markdown]
# Note where the gain comes from: a factor of two from normalisation as such, the rest from the rate that it permits. And Inception is *deep*. So for the same in small, take ten hidden layers of 100 rectified linear units, begun as suits them, and find the plain one's best rate. Then both get five times and thirty times that.

# %%
def after_100(norm, rate, seed):
    net = build(norm, nn.ReLU, depth=10, seed=seed)
    list(learn(net, rate, 100))
    return errors(net)


def sweep(norm, rates):
    return dict(zip(rates, parallel.grid(partial(after_100, norm), rates, seeds)))


grid = [0.01, 0.03, 0.1, 0.3]
deep_plain = sweep(None, grid)
best = min(grid, key=lambda rate: np.mean(deep_plain[rate]))
deep_plain |= sweep(None, [5 * best, 30 * best])
rates = sorted(deep_plain)
deep_normed = sweep(nn.BatchNorm1d, rates)
print(f"best rate of the plain network: {best}")

# %% alt="Errors on new digits after 100 steps against the learning rate. Without batch normalisation the curve is a valley whose right side rises to ninety percent. With it the curve begins higher at the smallest rate, falls further and stays low to the right end."
plots.curves({name: np.transpose([found[rate] for rate in rates])
              for name, found in (("without", deep_plain), ("with", deep_normed))},
             "learning rate", "errors on new digits, %", x=np.array(rates), log="x")

# %% [markdown]
# **Figure.** Ten hidden layers after 100 steps, mean and range of three starts. At the two smallest rates, the plain network's best among them, normalisation even costs something. What it moves is the limit.

# %%
def margin(rate):
    return np.mean(deep_plain[rate]) - np.mean(deep_normed[rate])


claims.measure("batch-norm-at-five-times", margin(5 * best))

# %%
claims.measure("batch-norm-at-thirty-times", margin(30 * best))

# %% [markdown]
# The limit that is left is that of the last layer, which nobody normalises. Where that layer gets large inputs, normalisation below it gains little; exercise 4 has such a network.
#
# ## Algorithm 2: when there is no batch
#
# A trained network should answer to *one* digit, and its answer should not depend on which others happen to be asked about at the same time. For inference, mean and spread are therefore constants, those of the whole population, estimated from many mini-batches after training:
#
# $$\mathrm{E}[x] = \mathrm{E}_{\mathcal B}[\mu], \qquad \mathrm{Var}[x] = \frac{m}{m-1}\, \mathrm{E}_{\mathcal B}[\sigma^2].$$
#
# Why $m/(m-1)$? The mean of a batch was computed from its own numbers, so they lie closer to it than to the true mean, and the variance comes out too small. How much? Normal numbers with true variance 9 can tell.

# %% alt="Two curves against the size of the batch, 2 to 64. The mean of the variances divided by m rises from 4.5 towards 9; divided by m minus 1 it is level at 9."
sizes = 2 ** np.arange(1, 7)
drawn = [rng.normal(0, 3, (m, 20_000)) for m in sizes]
plots.curves({f"over {name}": [numbers.var(axis=0, ddof=ddof).mean() for numbers in drawn]
              for ddof, name in enumerate(("m", "m − 1"))},
             "size m of the batch", "mean of the variances", x=sizes, log="x")

# %% [markdown]
# **Figure.** The average over many batches of the *biased* variance, divided by $m$, and of the *unbiased* one, divided by $m - 1$. In a batch of two the first is half of the truth.

# %%
biased = rng.normal(0, 3, (8, 200_000)).var(axis=0).mean()
claims.measure("batch-variance-is-biased", 100 * (biased / 9 - 1))

# %%
claims.measure("corrected-variance-is-right", 100 * (8 / 7 * biased / 9 - 1))

# %% [markdown]
# While it learns, the network divides by the biased one, since it normalises just these numbers; for later it remembers the unbiased one, as [`ref.batch_stats`][dtwin.ref.batch_stats] gives it. PyTorch does the same, and needs no pass over the data after training: while it trains, it keeps moving averages of the mean and of the unbiased variance.

# %% tags=["nbval-check-output"]
layer = nn.BatchNorm1d(2, momentum=1.0, dtype=torch.float64)  # keeps the last batch
layer(torch.tensor(batch))
print("biased variance  ", batch.var(axis=0))
print("batch_stats      ", ref.batch_stats(batch)[1])
print("kept by PyTorch  ", layer.running_var.numpy())

# %% [markdown]
# ### Folded away
#
# With constants, [(10.1)](#equation-1) is one multiplication and one addition for each map. A convolution before it can do both: multiply its kernels by $\gamma / \sqrt{\mathrm{Var}[x] + \epsilon}$ and change its bias, which is what [`ref.fold_batch_norm`][dtwin.ref.fold_batch_norm] does. Then the layer is gone. Here it is taken out of a small convolutional network, trained for 150 steps.

# %%
def conv_net(seed):
    torch.manual_seed(seed)
    layers = []
    for i, o in ((1, 8), (8, 16)):
        layers += [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o),
                   nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 10))


def fold(net):
    layers = []
    for layer in copy.deepcopy(net):
        if isinstance(layer, nn.BatchNorm2d):
            conv = layers[-1]
            weight, bias = twin.fold_batch_norm(
                conv.weight, conv.bias, layer.running_mean, layer.running_var,
                layer.weight, layer.bias, layer.eps)
            conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)

# %%
net = conv_net(0)
list(learn(net, 0.1, 150))
wrong, net = errors(net), net.double().eval()
folded = fold(net)
print(f"{len(net)} layers, then {len(folded)}; {wrong:.1f} % errors")
apart = net(x_new.double()) - folded(x_new.double())
claims.measure("batch-norm-folds", apart.abs().max().item())

# %% [markdown]
# So in use it costs nothing at all.
#
# ## A batch of two
#
# Predict before you look: what does batch normalisation make of two numbers, say 7 and 100? And of 7 and 7.1? Here one digit is shown many times, each time in other random company, and $\hat x$ of one unit is noted.

# %% alt="Three histograms of the normalised input of one unit for one digit. In batches of 2 it is minus 1 or plus 1 and nothing between. In batches of 8 it is spread over a broad hill, in batches of 60 over a narrow one."
@plots.figure
def company(panels):
    fig, axes = plots.canvas(2.2, 1, len(panels), sharex=True)
    for ax, (m, values) in zip(axes, panels.items()):
        ax.hist(values, bins=60, range=(-3, 3), density=True)
        ax.set(yticks=[], xlabel="normalised input")
        ax.set_title(f"batches of {m}", loc="left")
        ax.spines["left"].set_visible(False)
    return fig


with torch.no_grad():
    inputs = normed[0][0][:2](x)[:, 0].double().numpy()


def in_company(m):
    batches = rng.choice(inputs, (m, 2000))  # a column is a batch
    batches[0] = inputs[0]
    return ref.batch_norm(batches, np.ones(2000), np.zeros(2000))[0]


company({m: in_company(m) for m in (2, 8, 60)})

# %% [markdown]
# **Figure.** One digit, one unit, 2,000 batches each. In a batch of two, $\hat x$ is 1 for the larger and −1 for the smaller number, by however much they differ. All else is lost.
#
# How small may a batch be? The second curve is for comparison: it normalises over the 100 units of a layer, for each digit alone [@ba2016].

# %%
def small_batches(norm, seed, batch):
    net = build(norm, seed=seed)
    list(learn(net, 0.1, 300, batch))
    return errors(net)


batches = np.array([2, 4, 16])
by_batch = {name: parallel.grid(partial(small_batches, norm), seeds, batches)
            for name, norm in (("over the batch", nn.BatchNorm1d),
                               ("over the layer", nn.LayerNorm))}

# %% alt="Errors after 300 steps against the size of the batch, 2, 4 and 16. Normalised over the batch they are above seventy percent for batches of two and fall to about ten at four and a few percent at sixteen. Normalised over the layer they begin near forty and fall more slowly."
plots.curves(by_batch, "size of the batch", "errors on new digits, %",
             x=batches, log="x")

# %% [markdown]
# **Figure.** The network of three layers of sigmoids after 300 steps at rate 0.1, mean and range of three starts. With two digits the layer is the better company, with sixteen the batch.
#
# ### What came after
#
# Large pictures and networks leave no room in memory for large batches, and texts of unequal length do not lie well side by side. So others took the mean over other numbers: *layer normalisation* in 2016, over all maps of one picture [@ba2016], and *group normalisation* in 2018, over groups of them [@wu2018]. Both do the same in training and in use, whatever the batch.

# %% alt="Three matrices of zeros, four rows by six columns. In the first one column holds ones, in the second one row, in the third the left half of a row."
shared = np.zeros((3, 4, 6))
shared[0, :, 2] = shared[1, 1] = shared[2, 1, :3] = 1
plots.matrices(shared, ["batch, 2015", "layer, 2016", "group, 2018"])

# %% [markdown]
# **Figure.** Which numbers share a mean and a spread: the ones. A row is a picture and a column one of its feature maps, with all its places.
#
# ## Why does it help?
#
# The paper's title has an answer: by reducing *internal covariate shift*, the wandering of each layer's inputs that the first figure of this chapter showed. The lecture points the same way. But the answer is **disputed**. Three years later others put noise *behind* each batch normalisation, which shifts and stretches every unit anew at every step [@santurkar2018]. If steady inputs were the reason, that should spoil it.

# %%
class Noise(nn.Module):
    def forward(self, a):
        if not self.training:
            return a
        units = a.shape[1]
        stretch = torch.empty(units).uniform_(0.8, 1.25)
        return a * stretch + torch.empty(units).uniform_(-0.5, 0.5)


def noisy(units):
    return nn.Sequential(nn.BatchNorm1d(units), Noise())

# %% alt="Three panels of percentiles of a unit's inputs: without batch normalisation, with it, and with noise behind it. In the third they jump up and down by more than the others do from any point to the next."
unsteady = watch(noisy, 0)
percentiles({"without": plain[0][2][:, :, 0], "with": normed[0][2][:, :, 0],
             "with, then noise": unsteady[2][:, :, 0]})

# %% [markdown]
# **Figure.** The inputs of the same unit. On the right no two steps are alike.

# %%
noisy_steps = np.mean(parallel.map(partial(steps_needed, noisy, 0.5), seeds))
print(f"steps to 8 % errors: {without[1]:.0f} without, {with_norm[1]:.0f} with, "
      f"{noisy_steps:.0f} with noise behind it")
claims.measure("unsteady-batch-norm-still-fast", without[1] / noisy_steps)

# %% [markdown]
# It hardly spoils it. So steadiness comes *with* batch normalisation, but it is not what makes it work, at least here. Santurkar and his colleagues think that it makes the loss a smoother landscape, in which a gradient can be trusted for a longer step [@santurkar2018]. What this chapter saw fits that: inputs of a good size from the first step on, no shift and no stretch in the gradient, a brake for large weights. A full account is still missing. And there is a warning from [chapter 9](09_resnet.ipynb): in very deep plain networks with ReLUs the gradient *explodes* in spite of batch normalisation, even because of it.
#
# > [!note]
# > **Erratum.** The slide gives the data distribution through the whole network as the reason. Read it as the authors' explanation of 2015. The paper appeared at ICML 2015; the slide names the preprint only.
#
# ### A regulariser?
#
# A digit's normalised numbers depend on its random company, as the histograms showed. Such noise may *regularise*: keep a network from learning its examples by heart, as dropout does, the subject of chapter 11. What it learns should then suit new pictures better.

# %%
claims.quote("batch-norm-in-place-of-dropout")

# %% [markdown]
# To see that in small, give the networks only 300 digits, which they soon know by heart, and ten starts, since the differences are small.

# %%
def knows_300(seed, norm):
    net = build(norm, nn.ReLU, seed=seed)
    list(learn(net, 0.1, 200, x=x[:300]))
    return 100 - errors(net)


right = np.array(parallel.grid(knows_300, range(10), (None, nn.BatchNorm1d)))
gain = right[:, 1] - right[:, 0]
print(f"right without and with: {right.mean(axis=0).round(1)} %; "
      f"gain {gain.mean():.1f} ± {gain.std(ddof=1) / 10 ** 0.5:.1f}")
claims.measure("batch-norm-lowers-test-error", gain.mean())

# %% [markdown]
# Nothing is gained on new digits. There would be something to gain: chapter 11 shows that dropout saves a part of the errors on so few of them. The noise of a mini-batch of 60 does not replace it here.
#
# ## The claims, measured
#
# The transform, its gradient, its unbiased variance and its folding hold to the last digits. So does the promise: networks of sigmoids need ten times fewer steps or fewer still, ten layers of them learn at all, and a deep network with ReLUs stands rates that break the plain one. What is not confirmed is the *why*: with unsteady inputs it learns as fast. And on three hundred digits nothing was seen of a regulariser.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. A bias without a gradient ★
#
# **Predict before you run.** A convolution before a batch normalisation has a bias. What is its gradient, and why do many networks leave it out?

# %% [markdown] tags=["hint"]
# **Hint.** What does the mean of a map become when the same number is added to all of the map?

# %% [markdown] tags=["solution"]
# **Solution.** Zero. A bias adds the same to all numbers of its map, and the mean takes it away again: in [(10.2)](#equation-2), $dx$ sums to zero over the batch. $\beta$ does what the bias would have done.
#
# ```python
# dx, _, _ = ref.batch_norm_backward(rng.normal(size=maps.shape), maps, weight, bias)
# print(np.abs(dx.sum(axis=(0, 2, 3))).max() < 1e-12)
# ```

# %% [markdown]
# ### Exercise 2. The gradient, from memory ★★★
#
# **Program it.** Write `batch_norm_backward(dy, x, weight, bias, eps=1e-5)` for any `x` of shape (N, C, …), without looking at the package; it returns `dx`, `dweight` and `dbias`. Have it checked: `check(batch_norm_backward)`.

# %% [markdown] tags=["hint"]
# **Hint.** For vectors all sums run over the batch. Over what do they run for maps, if each *channel* has one mean and one variance?

# %% [markdown] tags=["solution"]
# **Solution.** All that changes between vectors and maps is which axes are summed.

# %% tags=["solution", "nbval-check-output"]
def batch_norm_backward(dy, x, weight, bias, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    total = {"axis": axes, "keepdims": True}
    s = np.sqrt(x.var(**total) + eps)
    xhat = (x - x.mean(**total)) / s
    dxhat = dy * weight.reshape(-1, *[1] * (x.ndim - 2))
    dx = (dxhat - dxhat.mean(**total) - xhat * (dxhat * xhat).mean(**total)) / s
    return dx, (dy * xhat).sum(axes), dy.sum(axes)


check(batch_norm_backward)

# %% [markdown]
# ### Exercise 3. One digit at a time ★★
#
# **Predict before you run.** Somebody forgets `net.eval()` and asks the trained network about one digit at a time. What happens to the network with three layers of sigmoids, and what to the convolutional one?

# %% [markdown] tags=["hint"]
# **Hint.** How many numbers does each unit have, to take a mean of? And each map?

# %% [markdown] tags=["solution"]
# **Solution.** With one digit a unit has one number, which is its own mean: $\hat x$ would be 0 for every digit. [`ref.batch_norm`][dtwin.ref.batch_norm] and PyTorch refuse. The convolution's maps have many places, so there *is* a mean; the network answers, and wrongly more often, since each digit is now measured by itself alone. That is the more dangerous case, for nobody complains.
#
# ```python
# net = net.train()
# alone = torch.cat([net(x_new[i:i + 1].double()) for i in range(len(x_new))])
# print((alone.argmax(1) != y_new).double().mean().item())
# ```

# %% [markdown]
# ### Exercise 4. Maxima or means ★★★
#
# **Program it.** Which rates does the convolutional network stand, 0.3, 1 or 3, with normalisation and without (put `nn.Identity()` in its place)? And if both poolings take means, `nn.AvgPool2d(2)`, in place of maxima? To see what differs, write `pooled(maps)`: of maps (N, C, H, W) with even sides it returns the maximum and the mean of each window of 2 × 2, two arrays (N, C, H/2, W/2). Run `check(pooled)`, and give it numbers as they come from a normalisation and a ReLU.

# %% [markdown] tags=["hint"]
# **Hint.** `reshape` parts an axis: of 8 rows it makes 4 pairs, (4, 2). Part both axes, and take the maximum over the two axes of length 2.

# %% [markdown] tags=["hint"]
# **Hint.** `net[1]` and `net[5]` are the normalisations of `conv_net`. The last layer has none: how large can the numbers get that reach it?

# %% [markdown] tags=["solution"]
# **Solution.** With both axes parted, each window has two axes of its own.

# %% tags=["solution", "nbval-check-output"]
def pooled(maps):
    n, c, h, w = maps.shape
    windows = maps.reshape(n, c, h // 2, 2, w // 2, 2)
    return windows.max((3, 5)), windows.mean((3, 5))


check(pooled)

# %% tags=["solution", "nbval-check-output"]
maps = np.maximum(np.random.default_rng(0).normal(size=(100, 8, 8, 8)), 0)
print("mean of the maxima {:.1f}, of the means {:.1f}".format(*map(np.mean, pooled(maps))))

# %% [markdown] tags=["solution"]
# With maxima the normalised one holds out only a little longer: at 1 the plain one is in trouble, and at 3 both guess. With means the normalised one still learns at 3, and the plain one does not. Maxima of four rectified numbers are large and never negative, and they go straight into the last layer, which has no normalisation and now breaks first.
#
# ```python
# for rate in (0.3, 1, 3):
#     for kind in (nn.Identity(), nn.BatchNorm2d(8)):
#         net = conv_net(0)
#         if isinstance(kind, nn.Identity):
#             net[1] = net[5] = kind
#         list(learn(net, rate, 150))
#         print(rate, kind, errors(net))
# ```

# %% [markdown]
# ## What you can do now
#
# - Normalise a batch by hand, and say what is forgotten and what is kept.
# - Derive the gradient, and see in it why shifting and stretching do not count.
# - Say which mean and which variance belong to training and which to use, and fold them away.
# - Know from the size of the batch when to take another normalisation.
# - Tell what batch normalisation does from why it is said to do it.
#
# ## Sources
#
# The lecture's slides "CNNs: How do you train CNNs?" and "CNNs: Batch Normalization". The pictures of animals are rendered by [the pasture](00_pasture.ipynb).
