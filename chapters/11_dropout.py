# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Can one network stand for a committee of many?"
# # Dropout
#
# Ask five networks instead of one, average what they say, and mistakes become fewer. That is how competitions are won, and it costs five trainings. The paper of this chapter begins with the largest such committee that one can think of:

# %%
from dtwin import claims

claims.quote("best-regulariser-is-average")

# %% [markdown]
# Nobody has unlimited computation. But could *one* network be exponentially many? The answer, of 2012, takes three lines of code: in each step of training, strike out half of the hidden units at random [@hinton2012].

# %% tags=["nbval-check-output"]
import inspect
from functools import partial
from itertools import product

import numpy as np
import torch
from IPython.display import Markdown
from sklearn.feature_extraction.image import extract_patches_2d
from torch.nn import functional as F
from tqdm import tqdm

from dtwin import check, data, parallel, plots, ref, twin
from dtwin.gradcheck import gradient_errors

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(1)  # these networks are too small to share out
seen, unseen = data.digits("train"), data.digits("test")
print(seen, unseen, sep="\n")

# %% [markdown]
# ## CNNs: Dropout
#
# Three hidden units say 2, 1 and 3, and the output adds them up with the weights 1, 2 and −1. A *mask* says for each unit whether it stays. Three units have $2^3 = 8$ masks, and each leaves a network with fewer units, a *thinned* one.

# %% tags=["nbval-check-output"]
h, w = np.array([2.0, 1, 3]), np.array([1, 2, -1])
masks = np.array(list(product([True, False], repeat=3)))
thinned = (masks * h) @ w
for mask, output in zip(masks, thinned):
    print("keep", *np.where(mask, "●", "○"), f"  output {output:2.0f}")
print("mean of all eight:", thinned.mean(), "  all units:", thinned[0])

# %% alt="Eight small networks in two rows. Each has three hidden units that say 2, 1 and 3, and one output. In the first all three are joined to the output, which says 1. In the others one, two or all units are drawn as empty dashed circles without a line, and the outputs differ, from minus 3 to 4."
@plots.figure
def thinned_nets(masks, outputs):
    fig, ax = plots.sheet(24, 9.4)
    muted, faint = plots.theme().muted, plots.theme().faint
    middle = {"va": "center", "ha": "center"}
    for n, (mask, output) in enumerate(zip(masks, outputs)):
        left, top = 6 * (n % 4) + 1.2, 4.8 * (n // 4) + 0.9
        out = left + 2.9, top + 1.4
        number = f"{output:.0f}".replace("-", "−")
        ax.text(*out, number, color="C1", fontsize=12, **middle)
        for k, (kept, says) in enumerate(zip(mask, h)):
            x, y = left, top + 1.4 * k
            colour = "C0" if kept else faint
            circle = {"boxstyle": "circle", "fc": "none", "ec": colour}
            ax.text(x, y, f"{says:.0f}", color=colour, bbox=circle, **middle)
            if kept:
                ax.plot([x + 0.65, out[0] - 0.6], [y, out[1]], color=muted, lw=1)
    return fig


thinned_nets(masks, thinned)

# %% [markdown]
# **Figure.** All eight thinned networks of three hidden units. The slide shows one of them beside the whole network; training sees another one in every step, and every example in it has its own.
#
# ### The scaling rule
#
# On average the thinned networks say 0.5, half of what the whole one says, because half of the sum is missing on average. The layer above has learned to live with sums of that size. So something must be scaled, and there are two ways.
#
# - The paper scales **at test time**: train as above, then halve the weights.
# - Everybody scales **in training** today: double what stays, and the test needs no change. This is *inverted dropout*.
#
# With a probability $p$ to drop, doubling becomes division by $1 - p$:
#
# $$y = \frac{m \odot x}{1 - p}, \qquad m_i = 1 \text{ with probability } 1 - p, \text{ and } 0 \text{ otherwise.} \tag{11.1}$$
#
# > [!note]
# > In the paper $p$ is the probability to *keep* a unit, in PyTorch and here the probability to *drop* it. At one half this makes no difference, which is how the mix-up survives.
#
# > [!note]
# > **Erratum.** The slide on AlexNet says that dropout removes half of the *inputs* to select layers, and counts it among *decades* of development. AlexNet drops hidden units, the outputs of its first two dense layers, and never a pixel [@krizhevsky2012, section 4.2]; and dropout was then a few months old.
#
# [`ref.dropout`][dtwin.ref.dropout] is [(11.1)](#equation-1). It draws nothing itself: the mask is an argument, so that one can come back to a thinned network.

# %%
Markdown(f"```python\n{inspect.getsource(ref.dropout)}```")

# %% [markdown]
# ### The gradient
#
# What was dropped had no say in the output, so no gradient goes there; what stayed gets its gradient on the same scale. The mask of the backward pass must be *that of the forward pass*. Beside ours stands a backward pass that forgot it, as has happened in published code.

# %% tags=["nbval-check-output"]
def forgetful(dy, x, mask, p=0.5):
    return dy / (1 - p)


rng = np.random.default_rng(11)
x, mask = rng.normal(size=(4, 5)), rng.random((4, 5)) >= 0.3
for backward in (ref.dropout_backward, forgetful):
    (error,) = gradient_errors(ref.dropout, backward, x, mask, p=0.3)
    print(f"{backward.__name__:16} is right: {error < 1e-7}")

# %% [markdown]
# And the twin in PyTorch, with PyTorch's own gradient:

# %% tags=["nbval-check-output"]
dy, tensor = rng.normal(size=x.shape), torch.tensor(x, requires_grad=True)
y = twin.dropout(tensor, torch.tensor(mask), p=0.3)
(dx,) = torch.autograd.grad(y, tensor, torch.tensor(dy))
differences = [y.detach().numpy() - ref.dropout(x, mask, p=0.3),
               dx.numpy() - ref.dropout_backward(dy, x, mask, p=0.3)]
print("output and gradient agree to 1e-15:", np.abs(differences).max() < 1e-15)

# %% [markdown]
# ## Many networks in one
#
# Now with networks that learn. Their layers are pairs of weights and biases with one more axis in front, so that several networks are trained side by side. Before each layer, masks thin what goes in, each layer at its own rate; without masks this is the whole network.

# %%
def network(layers, x, masks=None, rates=None):
    x = x.expand(len(layers[0][0]), -1, -1)
    for k, (w, b) in enumerate(layers):  # w (nets, in, out), x (nets, N, in)
        x = twin.relu(x) if k else x
        x = twin.dropout(x, masks[k], rates[k]) if masks else x
        x = x @ w + b
    return x


def draw(layers, n, rates):
    return [torch.rand(len(w), n, w.shape[1], device=device) >= p
            for (w, _), p in zip(layers, rates)]


def start(widths, nets, scale=1.0):
    for i, o in zip(widths, widths[1:]):
        w = scale * torch.randn(nets, i, o, device=device) * (2 / i) ** 0.5
        b = torch.zeros(nets, 1, o, device=device)
        yield w.requires_grad_(), b.requires_grad_()

# %% [markdown]
# The loop is that of chapter 6: a mini-batch, its gradient, a step with momentum, and steps that shrink. Only the masks are new, fresh in every step and for every example.

# %%
def learn(layers, x, targets, rates, loss=F.cross_entropy, rate=0.05, steps=1200,
          watch=None):
    nets, n = x.shape[:2]
    row, watched = torch.arange(nets, device=device)[:, None], []
    sgd = torch.optim.SGD([p for layer in layers for p in layer], rate, momentum=0.9)
    for step in tqdm(range(steps)):
        sgd.param_groups[0]["lr"] = rate * (1 - step / steps)
        i = torch.randint(n, (nets, 50), device=device)
        masks = draw(layers, 50, rates) if any(rates) else None
        y = network(layers, x[row, i], masks, rates)
        sgd.zero_grad()
        # the mean over all networks, times their number
        (nets * loss(y.flatten(0, 1), targets[row, i].flatten(0, 1))).backward()
        sgd.step()
        if watch and step % 60 == 59:
            watched.append(watch(layers))
    return [(w.detach(), b.detach()) for w, b in layers], watched

# %% [markdown]
# The first network is small enough to meet *all* its thinned networks: 64 pixels, 12 hidden units, ten classes. It learns from all training digits, and each hidden unit is dropped half of the time. The steps are small, lest a unit die: one that puts out nothing but zeros can be dropped unnoticed, and would halve the number of different networks.

# %%
def pixels(part):  # as if of one network
    x = (part.images.reshape(1, -1, 64) - seen.images.mean()) / seen.images.std()
    x, labels = torch.tensor(x).float(), torch.tensor(part.labels[None])
    return x.to(device), labels.to(device)


(x, labels), (x_test, truth) = pixels(seen), pixels(unseen)
torch.manual_seed(0)
(first, last), _ = learn(list(start((64, 12, 10), 1)), x, labels, (0, 0.5), rate=0.003)
hidden = twin.relu(x_test @ first[0] + first[1])[0].double().cpu().numpy()
w, b = (p[0].double().cpu().numpy() for p in last)

masks = np.array(list(product([True, False], repeat=12)))
every = np.stack([ref.softmax((hidden * mask / 0.5) @ w + b) for mask in masks])
print("networks, digits, probabilities:", every.shape)
print("weights and biases, stored once:", sum(p.numel() for p in (*first, *last)))
claims.measure("thinned-nets", len({outputs.tobytes() for outputs in every}))

# %% [markdown]
# Every one is a network of its own, and they all share 910 numbers. How good are they? And what do they say together? The *arithmetic* mean averages their probabilities. The *geometric* mean averages the logarithms, and is then divided by its sum so that it is a probability again. *Weight scaling* asks no committee: it runs the whole network once.

# %%
def wrong(p):
    return 100 * (p.argmax(axis=-1) != unseen.labels).mean(axis=-1)


arithmetic = every.mean(axis=0)
geometric = np.exp(np.log(every).mean(axis=0))
geometric /= geometric.sum(axis=1, keepdims=True)
scaled = ref.softmax(hidden @ w + b)
print(f"errors of the best member {wrong(every).min():.1f} %, "
      f"of all together {wrong(arithmetic):.1f} %")

# %% alt="A histogram of the errors of 4,096 thinned networks, a hill from about ten to ninety percent. At its left foot, below nearly all of them, lie three vertical lines close together: the arithmetic mean, the geometric mean and weight scaling."
@plots.figure
def histogram(each, together):
    fig, ax = plots.canvas(2.6)
    ax.hist(each, bins=60, color=plots.theme().muted, alpha=0.6)
    for n, (name, error) in enumerate(together.items()):
        ax.axvline(error, color=f"C{n}", ls=("-", "--", ":")[n])
        ax.text(0.68, 0.92 - 0.11 * n, f"{name}: {error:.1f} %", color=f"C{n}",
                transform=ax.transAxes)
    ax.set(xlabel="errors on digits never seen, %", ylabel="thinned networks", yticks=[])
    return fig


means = {"arithmetic mean": arithmetic, "geometric mean": geometric,
         "weight scaling": scaled}
histogram(wrong(every), {name: wrong(p) for name, p in means.items()})

# %% [markdown]
# **Figure.** The errors of all 4,096 thinned networks, and of three ways to ask them together. The one in which every unit is dropped can only guess. Most members are poor, and the committee is better than nearly all of them.
#
# ### Weight scaling against the true average
#
# For this network, one pass of the whole network *is* the geometric mean of all. The scores are linear in the mask, $z(m) = W^\top (m \odot h)/(1-p) + b$, and softmax is $e^{z}$ over a sum that is the same for all classes. In the mean of the logarithms that sum is one number $c$, which the normalisation takes out:
#
# $$\frac{1}{2^n}\sum_m \log \operatorname{softmax}\bigl(z(m)\bigr) = \frac{1}{2^n}\sum_m z(m) - c = \underbrace{W^\top h + b}_{\text{the whole network}} -\, c .$$

# %% alt="Two scatter plots of the probabilities from all thinned networks against those from weight scaling, both from 0 to 1. The geometric mean lies on the diagonal without exception. The arithmetic mean lies well below it on the right, and a little above it near zero."
@plots.figure
def against_scaling(means):
    fig, axes = plots.canvas(3.2, 1, 2, sharey=True)
    for n, (ax, (name, p)) in enumerate(zip(axes, means.items())):
        ax.plot([0, 1], [0, 1], color=plots.theme().faint, lw=1)
        ax.scatter(scaled.ravel(), p.ravel(), s=3, color=f"C{n}", alpha=0.5, lw=0,
                   rasterized=True)
        ax.set(title=name, xlabel="weight scaling", aspect="equal")
    axes[0].set_ylabel("all thinned networks")
    return fig


against_scaling({"geometric mean": geometric, "arithmetic mean": arithmetic})

# %% [markdown]
# **Figure.** A point is one class of one digit. The geometric mean and weight scaling are the same; the arithmetic mean is less sure of itself.

# %%
claims.measure("weight-scaling-exact", np.abs(geometric - scaled).max())

# %% [markdown]
# ### The gap as networks grow deeper
#
# With a second dropped layer the proof fails: the first mask passes through a ReLU before the second one comes, and the mean of a ReLU is not the ReLU of the mean. How much is lost? Two layers of 64 units have $2^{128}$ masks, so we draw 200, in pairs of a mask and its opposite: then every unit is dropped equally often.

# %%
def deep(depth, nets=3):
    torch.manual_seed(depth)
    widths, rates = (64, *[64] * depth, 10), (0, *[0.5] * depth)
    x3, labels3 = x.expand(nets, -1, -1), labels.expand(nets, -1)
    return learn(list(start(widths, nets)), x3, labels3, rates)[0], rates

# %%
@torch.no_grad()
def averages(layers, rates, pairs=100):
    total, logs = 0, 0
    for _ in range(pairs):
        inputs, *masks = draw(layers, len(unseen), rates)
        for m in ([inputs, *masks], [inputs, *(~mask for mask in masks)]):
            log = network(layers, x_test, m, rates).log_softmax(-1)
            total, logs = total + log.exp(), logs + log
    means = logs.div(2 * pairs).softmax(-1), total / (2 * pairs)
    return *means, network(layers, x_test).softmax(-1)

# %% alt="Two rising curves with bands against the number of layers with dropout, one to three: the mean difference of the probabilities from weight scaling. That of the geometric mean begins at zero and stays below that of the arithmetic mean."
by_depth = [averages(*deep(depth)) for depth in range(1, 4)]
curves = {name: np.array([(row[n] - row[2]).abs().mean((1, 2)).tolist()
                          for row in by_depth]).T
          for n, name in enumerate(["geometric", "arithmetic"])}
plots.curves(curves, "hidden layers, all with dropout", "mean difference")

# %% [markdown]
# **Figure.** How far the probabilities of weight scaling are from the mean over thinned networks; three networks each, mean and range. For one layer weight scaling is the geometric mean; with each further layer it leaves it a little more.

# %%
two = curves["geometric"][:, 1].mean() / curves["arithmetic"][:, 1].mean()
claims.measure("weight-scaling-is-nearer-geometric", two)

# %%
_, mean, whole = by_depth[1]
same = mean.argmax(-1) == whole.argmax(-1)
claims.measure("weight-scaling-agrees", 100 * same.double().mean().item())

# %% [markdown]
# So weight scaling is a good bargain: one pass in place of a committee, and hardly ever another answer.
#
# ## Why it helps: less overfitting
#
# Chapter 6 left a trouble open: a network with more parameters than examples learns them by heart. Here are such networks, 64–128–128–10, with 100, 200 and 500 training digits. Five networks each, every one with its own start and its own digits. Dropout has the paper's rates, a fifth of the pixels and half of the hidden units; 500 digits get twice the steps, for dropout learns slowly.

# %%
NETS, PAPER = 5, (0.2, 0.5, 0.5)


def few(n, nets=NETS):
    i = np.stack([np.random.default_rng(seed).permutation(len(seen))[:n]
                  for seed in range(nets)])
    return x[0, i], labels[0, i]


@torch.no_grad()
def errors(layers, masks=None, rates=None):
    answers = network(layers, x_test, masks, rates).argmax(-1)
    return 100 * (answers != truth).double().mean(1).cpu().numpy()


def classifiers(n, rates, nets=NETS, **options):
    torch.manual_seed(n)
    return learn(list(start((64, 128, 128, 10), nets)), *few(n, nets), rates, **options)

# %%
@torch.no_grad()
def losses(layers):  # of the whole network: (2, nets)
    parts = few(200), (x_test.expand(NETS, -1, -1), truth.expand(NETS, -1))
    return [[F.cross_entropy(scores, labels).item()
             for scores, labels in zip(network(layers, inputs), targets)]
            for inputs, targets in parts]


OPTIONS = {100: {}, 200: {"watch": losses}, 500: {"steps": 2400}}
RATES = {"without": (0, 0, 0), "with dropout": PAPER}
fits = {n: dict(zip(RATES, parallel.map(partial(classifiers, n, **options), RATES.values())))
        for n, options in OPTIONS.items()}

# %% alt="Four curves of the loss over 1,200 steps, on a logarithmic axis. Without dropout the training loss falls below a thousandth and the test loss stays level at about a third. With dropout the training loss falls less far, and the test loss goes on falling, to a fifth."
over_time = {f"{part}, {name}": np.array(watched)[:, k].T
             for name, (_, watched) in fits[200].items()
             for k, part in enumerate(("training", "test"))}
plots.curves(over_time, "step", "loss", x=np.arange(60, 1201, 60), log="y")

# %% [markdown]
# **Figure.** Two hundred training digits, five networks each, mean and range. Without dropout the network has its digits by heart in a few steps and then only becomes surer of them; the test loss stays where it was. With dropout it learns more slowly what it has seen, and better what it has not. The space between the two curves of a kind is overfitting.

# %% alt="Two falling curves with bands against the number of training digits, 100 to 500: test errors without dropout and, below them, with dropout."
test_errors = {name: np.array([errors(fits[n][name][0]) for n in fits]).T
               for name in ("without", "with dropout")}
plots.curves(test_errors, "training digits", "errors, %", x=np.array(list(fits)), log="x")

# %% [markdown]
# **Figure.** Errors on digits never seen, five networks each, mean and range.

# %%
without, dropped = test_errors.values()
saved = 100 * (1 - dropped.mean(axis=0) / without.mean(axis=0))
print("errors saved, %:", *(f"{n} digits: {s:.0f}  " for n, s in zip(fits, saved)))
claims.measure("dropout-fewer-errors", saved.min())

# %%
wins = (dropped < without).sum(axis=0)
defeats = (dropped > without).sum(axis=0)
print(f"fewer errors in {wins} of {NETS} pairs, more in {defeats}")
claims.measure("dropout-wins", wins.min())

# %% [markdown]
# The means say yes; single pairs of networks need not. The digits that a network happens to learn from matter more than dropout does, as the wide bands show.

# %% [markdown]
# On MNIST, 60,000 digits of 28 × 28, and in a convolutional network on CIFAR-10 the paper has:

# %%
claims.quote("dropout-on-mnist")

# %%
claims.quote("dropout-on-cifar10")

# %% [markdown]
# ### The case that can be solved
#
# Why should noise help? For a linear model with a squared loss the mean over all masks can be worked out [@srivastava2014, section 9.1; @wager2013]. It is the loss without noise plus a price on the weights,
#
# $$\lVert y - Xw \rVert^2 + \frac{p}{1-p} \sum_j \lVert X_j \rVert^2 w_j^2 ,$$
#
# where $X_j$ is column $j$ of the data: *ridge regression*, which keeps a weight the smaller, the larger the input it reads. The check needs no formula for the mean: it stacks the examples under all 256 masks of eight inputs into one least-squares problem.

# %%
p, inputs, y = 0.5, rng.normal(size=(50, 8)), rng.normal(size=50)
copies = [inputs * mask / (1 - p) for mask in product([0, 1], repeat=8)]
by_dropout = np.linalg.lstsq(np.concatenate(copies), np.tile(y, 256))[0]
gram = inputs.T @ inputs
price = p / (1 - p) * np.diag(np.diag(gram))
by_formula = np.linalg.solve(gram + price, inputs.T @ y)
claims.measure("dropout-is-ridge", np.abs(by_dropout - by_formula).max())

# %% [markdown]
# ### How much to drop
#
# Between nothing and everything lies a best rate. The input rate stays at 0.2, that of the hidden units varies.

# %% alt="Two curves of errors against the probability to keep a hidden unit, 0.2 to 1. Both stand at more than half at the left end, drop steeply, and are level from about a third on: training at zero, test at some six percent, with its lowest point near the middle."
keep = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 1.0])
by_rate = {"test": [], "training": []}
for k in keep:
    layers, _ = classifiers(200, (0.2, 1 - k, 1 - k), nets=3)
    inputs, targets = few(200, 3)
    train_wrong = (network(layers, inputs).argmax(-1) != targets).double().mean(1)
    by_rate["test"].append(errors(layers))
    by_rate["training"].append(100 * train_wrong.cpu().numpy())
by_rate = {name: np.array(rows).T for name, rows in by_rate.items()}
plots.curves(by_rate, "probability to keep a hidden unit", "errors, %", x=keep)

# %% [markdown]
# **Figure.** Two hundred training digits, three networks each. If each unit is kept with a probability of only a fifth, not even the training digits are learned. From a third on the valley is flat: one half is a safe choice, not a magic one.

# %%
claims.measure("keep-about-half", keep[by_rate["test"].mean(axis=0).argmin()])

# %% [markdown]
# ## Monte-Carlo averaging
#
# The other way to ask the committee is to draw $k$ of its members and average them. How many does it take to match weight scaling? Here are the five networks that learned from 200 digits.

# %%
layers = fits[200]["with dropout"][0]
with torch.no_grad():
    votes = torch.stack([network(layers, x_test, draw(layers, len(unseen), PAPER), PAPER)
                         .softmax(-1) for _ in range(200)])  # (draws, nets, N, classes)
ks = np.array([1, 2, 5, 10, 20, 50, 100, 200])
committees = [votes.unflatten(0, (-1, k)).mean(1).argmax(-1) for k in ks]
monte_carlo = np.array([100 * (answers != truth).double().mean((0, 2)).cpu().numpy()
                        for answers in committees]).T
scaling = np.repeat(errors(layers)[:, None], len(ks), axis=1)

# %% alt="Test errors against the number of thinned networks averaged, 1 to 200, on a logarithmic axis. The curve of Monte-Carlo averaging falls steeply from the left and flattens; a level line with a band marks weight scaling."
curves = {"Monte Carlo": monte_carlo, "weight scaling": scaling}
plots.curves(curves, "thinned networks averaged", "errors, %", x=ks, log="x")

# %% [markdown]
# **Figure.** The mean over $k$ thinned networks against one pass of the whole; five networks, mean and range. One thinned network alone is poor, some tens of them are as good as the whole. The curve is so flat there that where it crosses the line is half luck.

# %%
claims.measure("monte-carlo-falls", (np.diff(monte_carlo.mean(axis=0)[:6]) > 0).sum())

# %%
enough = monte_carlo.mean(axis=0) <= scaling.mean()
claims.measure("monte-carlo-crossing", ks[enough][0] if enough.any() else np.inf)

# %%
apart = abs(monte_carlo[:, -1].mean() - scaling.mean())
claims.measure("monte-carlo-near-scaling", apart)

# %% [markdown]
# ## What the hidden units do
#
# The paper's own reason is *co-adaptation*: a hidden unit can lean on particular others that mend its mistakes. Such a team fits the training set, and falls apart elsewhere. Under dropout nobody can rely on anybody. Then a test suggests itself: take hidden units away *after* training.

# %% alt="Two rising curves with bands: test errors against the share of hidden units removed, 0 to 0.9. Without dropout the errors rise early; with dropout they stay low until more than half of the units are gone."
removed = np.linspace(0, 0.9, 10)
robust = {}
for name, (layers, _) in fits[500].items():
    rows = [[errors(layers, draw(layers, len(unseen), (0, q, q)), (0, q, q))
             for _ in range(10)] for q in removed]
    robust[name] = np.mean(rows, axis=1).T
plots.curves(robust, "share of hidden units removed", "errors, %", x=removed)

# %% [markdown]
# **Figure.** Hidden units taken out at random from trained networks (500 digits; five networks, ten draws each, mean and range over networks). Those that grew up with dropout hardly miss half of their units.
#
# ### Features
#
# To *see* the difference, look at weights of a first layer. As in the paper we take an *autoencoder*, a network that has to put out its own input; here 100 hidden units must rebuild patches of 12 × 12 pixels of photographs.

# %%
photographs = [p.images[0].mean(axis=0)[::2, ::2] for p in data.photographs().values()]
patches = np.concatenate([
    extract_patches_2d(grey, (12, 12), max_patches=2000, random_state=0)
    for grey in photographs]).reshape(-1, 144)
patches = patches - patches.mean(axis=1, keepdims=True)
patches = torch.tensor(patches / (patches.std(axis=1, keepdims=True) + 12), device=device)


def autoencoders(p, nets=3):
    torch.manual_seed(0)
    images = patches.float().expand(nets, -1, -1)
    return learn(list(start((144, 100, 144), nets, scale=0.1)), images, images, (0, p),
                 lambda a, b: 144 * F.mse_loss(a, b), rate=0.002, steps=2000)[0]


nets = dict(zip(("without dropout", "with dropout"), parallel.map(autoencoders, (0, 0.5))))

# %% alt="Two blocks of forty-two small squares in blue and orange, the weights of hidden units. Without dropout they look like noise. With dropout they show smooth patches, bars and edges."
features = {name: layers[0][0].mT.unflatten(2, (12, 12)).cpu().numpy()
            for name, layers in nets.items()}  # (nets, units, 12, 12)


@plots.figure
def side_by_side(features):
    fig, axes = plots.canvas(3.0, 1, 2)
    for ax, (name, w) in zip(axes, features.items()):
        tiles = w[0, :42] / np.abs(w[0, :42]).max(axis=(1, 2), keepdims=True)
        tiles = np.pad(tiles, ((0, 0), (1, 1), (1, 1))).reshape(6, 7, 14, 14)
        mosaic = tiles.transpose(0, 2, 1, 3).reshape(84, 98)
        ax.imshow(mosaic, cmap=plots.diverging(), vmin=-1, vmax=1)
        ax.set_title(name)
        plots.blank(ax)
    return fig


side_by_side(features)

# %% [markdown]
# **Figure.** Weights of the first 42 hidden units, each on its own scale; blue is positive, orange negative. Both networks rebuild their patches. Without dropout single units mean nothing by themselves, only together. With dropout each has to be of use whoever else is there, and smooth blobs, bars and edges appear. A number for it is the correlation between the weights of neighbouring pixels:

# %%
for name, w in features.items():
    beside = [np.corrcoef(net[:, :, 1:].ravel(), net[:, :, :-1].ravel())[0, 1]
              for net in w]
    print(f"{name:16}", *(f"{r:.2f}" for r in beside))

# %% [markdown]
# ### Sparsity
#
# The same autoencoders show what the paper calls a side effect. How strongly does each hidden unit answer to each patch?

# %% alt="Two histograms of activations from 0 to 3. Without dropout a wide hill around 0.8 and a small bar at zero. With dropout a tall bar stands at zero and the rest falls off quickly."
answers = {name: twin.relu(patches.float() @ layers[0][0] + layers[0][1]).cpu().numpy()
           for name, layers in nets.items()}


@plots.figure
def activations(answers):
    fig, axes = plots.canvas(2.5, 1, 2, sharey=True)
    for n, (ax, (name, a)) in enumerate(zip(axes, answers.items())):
        ax.hist(a[0].ravel(), bins=40, range=(0, 3), density=True, color=f"C{n}")
        ax.set(title=f"{name}: mean {a.mean():.2f}", xlabel="activation", yticks=[])
    axes[0].set_ylabel("share")
    return fig


activations(answers)

# %% [markdown]
# **Figure.** Activations of 100 hidden units on all patches. With dropout most are zero most of the time: a *sparse* code.

# %%
full, sparse = (a.mean() for a in answers.values())
claims.measure("dropout-makes-sparse", sparse / full)

# %% [markdown]
# ## What came after
#
# This is history as we recall it, with the sources to check it by. In 2015 batch normalisation (chapter 10) came with the remark that a network which has it needs less dropout, or none [@ioffe2015]; the residual networks of chapter 9 have none. Two reasons are given. The statistics of a mini-batch are a noise of their own. And dropout changes the variance of what follows between training and test, which the running statistics of batch normalisation then get wrong [@li2019]. Besides, convolutions share their weights and overfit less than dense layers, which have become rare.
#
# Dropout lived on in two ways. Gal and Ghahramani read it as approximate Bayesian inference, in 2016: the committee's disagreement says how unsure the network is [@gal2016]. So we are back at the quotation at the top: their committee, too, averages over a *posterior*, an approximate one. And the Transformer of 2017, all dense layers again, drops a tenth [@vaswani2017].
#
# ## The claims, measured
#
# One layer of units holds exponentially many networks, and scaling its weights averages them all: exactly, in the geometric sense, for one layer, and nearly for more. On few examples networks with dropout make fewer errors, lean less on single units, and answer more sparsely. One statement is too strong for our nets: dropout does not win every time. With 500 digits some pairs of networks are level, and with 360 digits to test on, a difference of two mistakes is luck.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. Noise without a shift ★★
#
# **Predict before you run.** A layer of 100 units puts out ones, and its dropout has $p = 0.8$. What are the mean and the variance of the sum of what it lets through, with `ref.dropout`?

# %% [markdown] tags=["hint"]
# **Hint.** What values can one unit put out, and how often each? Variances of independent units add up.

# %% [markdown] tags=["solution"]
# **Solution.** Each unit puts out 5 with probability 0.2: mean 1, variance $25 \cdot 0.2 - 1 = 4$. The sum has mean 100 and variance 400, so a standard deviation of 20. The mean stays; the noise grows with $p/(1 - p)$.
#
# ```python
# sums = [ref.dropout(np.ones(100), rng.random(100) >= 0.8, p=0.8).sum() for _ in range(10000)]
# print(np.mean(sums), np.var(sums))
# ```

# %% [markdown]
# ### Exercise 2. The gradient of a mask ★
#
# **Program it.** Write `dropout_backward(dy, x, mask, p=0.5)`, the gradient of `ref.dropout` by `x`, and have it checked: `check(dropout_backward)`.

# %% [markdown] tags=["hint"]
# **Hint.** Write down one number of the output. On which number of the input does it depend, and by which factor?

# %% [markdown] tags=["solution"]
# **Solution.** The input itself is not needed: dropout is linear in it.

# %% tags=["solution", "nbval-check-output"]
def dropout_backward(dy, x, mask, p=0.5):
    return dy * mask / (1 - p)


check(dropout_backward)

# %% [markdown]
# ### Exercise 3. One mask for all ★★
#
# **Predict, then program it.** In training, give all 50 examples of a mini-batch *the same* mask. Is the gradient still right on average? Does anything change? Write it in NumPy: `shared_dropout(x, chance, p=0.5)` drops units of `x`, of shape (N, units), for all examples alike, namely those whose `chance`, one number between 0 and 1 for each unit, is below `p`; what is kept is scaled as in `ref.dropout`. Run `check(shared_dropout)`.

# %% [markdown] tags=["hint"]
# **Hint.** NumPy stretches an array of shape (units,) over all rows of one of shape (N, units).

# %% [markdown] tags=["hint"]
# **Hint.** Each example's gradient is right on average over masks. What differs is how many masks one step has tried.

# %% [markdown] tags=["solution"]
# **Solution.** In NumPy it is the mask that has one axis less:

# %% tags=["solution", "nbval-check-output"]
def shared_dropout(x, chance, p=0.5):
    return x * (chance >= p) / (1 - p)


check(shared_dropout)

# %% [markdown] tags=["solution"]
# On average the gradient is the same. But the mini-batch now tries one thinned network in place of fifty, so the gradient is noisier, and learning with the same rate and steps less steady. In `draw`, write `torch.rand(len(w), 1, w.shape[1], device=device) >= p` and expand it to `n` rows with `.expand(-1, n, -1)`.

# %% [markdown]
# ## What you can do now
#
# - Draw a thinned network, and say how many there are.
# - Write dropout and its gradient, on the right scale, and say why the mask is an argument.
# - Prove that weight scaling is a geometric mean, and say where the proof ends.
# - Decide whether a network of yours needs dropout, and at what rate.
# - Average thinned networks by drawing them, and say what that wins over one pass.
#
# ## Sources
#
# The lecture's slide "CNNs: Dropout", and the paper by Srivastava and others [@srivastava2014]. Why weight scaling works is worked out by Baldi and Sadowski [@baldi2013]. The digits are those of chapter 6, the photographs come with scikit-image.
