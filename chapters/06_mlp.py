# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Can one machine learn both, what to look at and what to decide?"
# # The multilayer perceptron
#
# The programs of the chapters before this one were told what to look at: edges, parts, patches around key points. Only the last step, the decision, was learned from examples. But nobody tells a child which marks on a coat make a cow. Can one machine learn both, what to look at and what to decide?
#
# This chapter builds that machine, the *multilayer perceptron* (MLP), trains it, and then breaks it in five ways. It reads handwritten digits, because they are small enough to be read with NumPy alone [@alpaydin1998].

# %% tags=["nbval-check-output"]
import inspect
import timeit
from time import thread_time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from IPython.display import Markdown
from torch import nn

from dtwin import check, claims, data, parallel, plots, ref, train, twin
from dtwin.data import pasture
from dtwin.gradcheck import gradient_errors
from dtwin.twin.nets import MLP

torch.set_num_threads(1)  # nets as small as these run no faster on two
seen, unseen = data.digits("train"), data.digits("test")
print(seen, unseen, sep="\n")

# %% alt="Ten handwritten digits of eight by eight grey pixels, with the class of each above it."
plots.images(seen.images[:10], seen.labels[:10])

# %% [markdown]
# **Figure.** The first ten digits, and the classes that are to be learned.
#
# ## Connectionism: the multilayer perceptron
#
# A *unit* weighs the numbers it is given, adds one of its own, its *bias*, and bends the sum. Here a unit bends by putting out zero for a negative sum; it is then called a rectified linear unit (ReLU). Units that read the same numbers form a *layer*, and the next layer reads what they put out. All layers but the last are *hidden*.
#
# A riddle for the smallest of such networks: of two lights, is exactly one on? Two hidden units are enough. One counts the lights, and the other speaks up only when both are on.

# %% tags=["nbval-check-output"]
lights = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
w1, b1 = np.array([[1, 1], [1, 1]]), np.array([0, -1])
w2, b2 = np.array([[1, -2]]), np.array([0])
hidden = ref.relu(ref.linear(lights, w1, b1))
for light, units, answer in zip(lights, hidden, ref.linear(hidden, w2, b2)):
    print("lights", light, "  hidden units", units, "  output", *answer)

# %% alt="A network of two inputs, two hidden units and one output, with a line from each to each of the next column. All four weights into the hidden units are plus one; the biases are 0 and minus 1. The weights into the output are plus one and minus two."
@plots.figure
def diagram(columns, weights):
    fig, ax = plots.sheet(16, 4.2)
    paper, middle = plots.theme().paper, {"ha": "center", "va": "center"}
    box = {"boxstyle": "round", "fc": paper, "ec": plots.theme().muted}
    at = [[(2 + 6 * n, 2.1 + 2.4 * (k - (len(names) - 1) / 2)) for k in range(len(names))]
          for n, names in enumerate(columns)]
    for left, right, matrix in zip(at, at[1:], weights):
        for (o, i), w in np.ndenumerate(matrix):
            (x, y), (u, v) = left[i], right[o]
            ax.plot([x, u], [y, v], color="C0" if w > 0 else "C1", lw=1.5 * abs(w))
            ax.text(0.7 * x + 0.3 * u, 0.7 * y + 0.3 * v, f"{w:+d}".replace("-", "−"),
                    bbox={"fc": paper, "ec": "none"}, **middle)
    for places, names in zip(at, columns):
        for (x, y), name in zip(places, names):
            ax.text(x, y, name, bbox=box, **middle)
    return fig


diagram([["light 1", "light 2"], ["bias 0", "bias −1"], ["bias 0"]], [w1, w2])

# %% [markdown]
# **Figure.** An MLP with weights made by hand: inputs, two hidden units, output. Lines are weights, blue positive and orange negative; each unit reads everything in the column before.
#
# No straight line in the plane of the two lights has the answers *yes* on one side and *no* on the other. The hidden units move the four points to places where one has.

# %% alt="Two planes. Left, the plane of the lights: four points at the corners of a square, yes on one diagonal and no on the other; the network's yes is a shaded strip between two parallel lines. Right, the plane of the hidden units: both yes have fallen on one point, and one line separates them from the two no."
@plots.figure
def planes(inputs, hidden, network):
    fig, axes = plots.canvas(3.0, 1, 2, sharex=True, sharey=True)
    grid = np.stack(np.meshgrid(*[np.linspace(-0.6, 2.4, 241)] * 2), axis=-1)
    shades = [plots.theme().paper, plots.theme().faint]
    for ax, points, score in zip(axes, (inputs, hidden), (network(grid), grid @ w2[0])):
        ax.contourf(*grid.T, score.T, levels=[-99, 0.5, 99], colors=shades)
        for point, answer in zip(points, ("no", "yes", "yes", "no")):
            ax.plot(*point, "o", color="C0" if answer == "yes" else "C1", ms=8)
            ax.annotate(answer, point, (9, 7), textcoords="offset points")
    axes[0].set(xlabel="light 1", ylabel="light 2")
    axes[1].set(xlabel="hidden unit 1", ylabel="hidden unit 2")
    return fig


def network(x):
    return (ref.relu(ref.linear(x, w1, b1)) @ w2.T)[..., 0]


planes(lights, hidden, network)

# %% [markdown]
# **Figure.** Where the network says yes (shaded), in the plane of its inputs and in that of its hidden units. The hidden layer has folded the plane, so that one straight cut through the folded plane is two cuts through the flat one.
#
# How well can a single line do? Here is every line of a fine grid, held against the riddle.

# %%
angles, offsets = np.linspace(0, 2 * np.pi, 361), np.linspace(-2, 2, 401)
distance = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ lights.T
right = (distance[:, None] > offsets[:, None]) == [False, True, True, False]
claims.measure("xor-affine", 100 * right.mean(axis=-1).max())

# %% [markdown]
# ### The equation
#
# A layer of units is one matrix of weights, a row for each unit, and one vector of biases. With one hidden layer, the MLP is
#
# $$\hat{y}(x) = \sigma_2\bigl(W_2\, \sigma_1(W_1 x + b_1) + b_2\bigr), \tag{6.1}$$
#
# in which $\sigma_1$ bends and $\sigma_2$ makes probabilities of the *scores*, the numbers that the last layer puts out.
#
# > [!note]
# > **Erratum.** The slide writes the weights as vectors, $\mathbf{w}^\top$, and the biases as numbers. With more than one unit they are matrices and vectors. It also calls the rest of the equation *linear*; with a bias it is *affine*: the origin need not stay where it is.
#
# In code [(6.1)](#equation-1) is one line. It reads the same with [`ref.linear`][dtwin.ref.linear] of NumPy and with [`twin.linear`][dtwin.twin.linear] of PyTorch, which share no line of code, and they agree. (Digits lie in the rows of a matrix, so a whole set passes at once.)

# %%
def mlp(ops, x, w1, b1, w2, b2):
    return ops.softmax(ops.linear(ops.relu(ops.linear(x, w1, b1)), w2, b2))


def start(widths, rng):
    return [array for i, o in pairwise(widths)
            for array in (rng.normal(0, np.sqrt(2 / i), (o, i)), np.zeros(o))]


rng = np.random.default_rng(6)
pixels, weights = seen.images.reshape(-1, 64) / 255, start((64, 50, 10), rng)
ours = mlp(ref, pixels, *weights)
theirs = mlp(twin, *map(torch.tensor, (pixels, *weights)))
print(f"{len(ours)} digits in, {ours.shape[1]} probabilities each")
claims.measure("mlp-twins-agree", np.abs(ours - theirs.numpy()).max())

# %% [markdown]
# ### Without the bend, depth is an illusion
#
# The activation function looks like a detail. Leave it out, and a stack of layers, however high, is one layer: $W_2(W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2)$. Here five layers are folded into one, two at a time.

# %%
layers = [(rng.normal(0, 0.3, (20, 20)), rng.normal(size=20)) for _ in range(5)]
x = deep = rng.normal(size=(100, 20))
w, b = np.eye(20), np.zeros(20)
for w_next, b_next in layers:
    deep = ref.linear(deep, w_next, b_next)
    w, b = w_next @ w, w_next @ b + b_next
claims.measure("depth-collapses", np.abs(deep - ref.linear(x, w, b)).max())

# %% [markdown]
# ### Activation functions
#
# Three bends are common. The *sigmoid* $1/(1 + e^{-x})$ and the *hyperbolic tangent* (tanh) are the old ones, the rectifier is the new one.

# %% alt="Three curves from minus 4 to 4. The sigmoid rises from 0 to 1, the hyperbolic tangent from minus 1 to 1, and ReLU is zero up to the middle and then a rising line."
x = np.linspace(-4, 4, 401)
bends = {"sigmoid": (ref.sigmoid, ref.sigmoid_backward),
         "tanh": (ref.tanh, ref.tanh_backward), "ReLU": (ref.relu, ref.relu_backward)}
values = {name: f(x) for name, (f, _) in bends.items()}
plots.curves(values, "sum in the unit", "what it puts out", x=x)

# %% [markdown]
# **Figure.** The sigmoid ends in 0 and 1, tanh in −1 and 1, and ReLU does not end.
#
# What matters for learning is how much the output moves when the sum does, the slope:

# %% alt="The slopes of the three. The sigmoid's is a low hill of height 0.25, that of the hyperbolic tangent a narrow hill of height 1, and that of ReLU a step from 0 to 1."
slopes = {name: f_backward(np.ones_like(x), x) for name, (_, f_backward) in bends.items()}
plots.curves(slopes, "sum in the unit", "slope", x=x)

# %% [markdown]
# **Figure.** Sigmoid and tanh are flat at both ends, and the sigmoid is nowhere steep. ReLU has slope one wherever it is alive. Remember this picture: it comes back as two of the five troubles.
#
# The first two are one function on two scales, $\tanh x = 2\,\sigma(2x) - 1$.

# %%
scaled = np.abs(ref.tanh(x) - (2 * ref.sigmoid(2 * x) - 1)).max()
steepest = [abs(slopes["sigmoid"].max() - 0.25), abs(slopes["tanh"].max() - 1)]
claims.measure("activation-derivatives", max(scaled, *steepest))

# %% [markdown]
# ### Softmax
#
# The last layer puts out one score for each class. *Softmax* makes probabilities of them: $p_j = e^{z_j} / \sum_i e^{z_i}$, positive and of sum one. Three scores by hand, and their slopes:

# %% alt="Three matrices: the scores 2, 1 and minus 1; the probabilities 71, 26 and 4 percent; and a matrix of three by three, positive on the diagonal and negative everywhere else."
z = torch.tensor([2.0, 1.0, -1.0], dtype=torch.float64)
p = twin.softmax(z)
jacobian = torch.autograd.functional.jacobian(twin.softmax, z)
percent = [np.rint(100 * values) for values in (p[:, None].numpy(), jacobian.numpy())]
plots.matrices([z[:, None], *percent], ["scores", "p, %", "slopes, %"], ["→", ""])

# %% [markdown]
# **Figure.** The slopes say how each probability (row) moves with each score (column). Raise one score, and its own probability grows (blue) at the cost of all others (orange).
#
# > [!note]
# > **Erratum.** The slide lists softmax among the *elementwise* activation functions. The orange entries say that it is not one: every output depends on every score, as the sum in its denominator tells.

# %%
off = (jacobian - (torch.diag(p) - torch.outer(p, p))).abs().max()
claims.measure("softmax-jacobian", max(off, abs(p.sum() - 1)).item())

# %% [markdown]
# ### The universal promise
#
# What can such a network compute? With enough hidden units, any continuous function on a bounded region, as nearly as one likes [@cybenko1989]. For a finite set of examples there is a proof so short that it is a program [@zhang2017, theorem 1]. Given $n$ different inputs with any labels at all, project the inputs on a random direction $a$, so that each becomes one number $z_i$, and sort them. Give each of $n$ ReLU units the same weights $a$ and a threshold, its bias with the sign turned, between one of these numbers and the one before. Five inputs by hand:

# %% alt="A matrix of five by five whose upper right half is zero: each row, an input, has one more positive entry than the row above. Beside it a column of five labels."
def build(z):
    below = np.append(z[0] - 1, (z[1:] + z[:-1]) / 2)  # one threshold between each two
    return below, ref.relu(z[:, None] - below)


_, units = build(np.array([1.0, 2, 4, 5, 7]))
labels = ["units (column) on inputs (row)", "labels"]
plots.matrices([units, [[3], [1], [4], [1], [5]]], labels)

# %% [markdown]
# **Figure.** Each input wakes one unit more than the one before. So the output weights can be found one after the other: the first from the first label, the second from the second label and the first weight, and so on. Now 200 random inputs with random labels.

# %%
n, d = 200, 64
x, labels, a = rng.normal(size=(n, d)), rng.integers(0, 10, n), rng.normal(size=d)
order = np.argsort(x @ a)
below, units = build((x @ a)[order])
w = np.linalg.solve(units, labels[order])
print(f"weights: {a.size + below.size + w.size}; 2n + d: {2 * n + d}")
claims.measure("mlp-fits-any-labels", np.abs(units @ w - labels[order]).max())

# %% [markdown]
# The network is right about every one of 200 labels that were drawn from a hat, and has understood nothing. A promise to *fit* is no promise to *learn*.
#
# ## How do you train a model?
#
# ### The loss
#
# To improve, a network must know how bad it is. The *negative log-likelihood* asks for the probability $\hat y_{n, t_n}$ that the network gave to the true class $t_n$ of example $n$, and averages over all $N$ examples:
#
# $$L(\theta) = -\frac{1}{N} \sum_{n=1}^{N} \log \hat{y}_{n,\,t_n}(\theta),$$
#
# in which $\theta$ stands for all weights and biases together. Confidence in the wrong answer is what costs most:

# %% tags=["nbval-check-output"]
for p in (0.99, 0.5, 0.1, 0.001):
    print(f"probability of the true class {p:5}:  loss {-np.log(p):.2f}")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide has $-\frac{1}{C}\sum_i y_i \log \hat y_i$ for *one* example, with $i$ running over the $C$ classes, and in the next formula $i$ runs over the examples. As $y_i$ is 1 for the true class and 0 for all others, the sum has one term, and there is nothing to average: $1/C$ only makes all gradients $C$ times smaller. It is the sum over the examples that needs its $1/N$.
#
# The factor is harmless, for dividing the learning rate by $C$ does the same. Ten steps of learning, once this way and once that:

# %%
def ten_steps(factor, rate):
    w = np.zeros((10, 64))
    for _ in range(10):
        dscores = ref.cross_entropy_backward(factor, ref.linear(pixels, w), seen.labels)
        _, dw, _ = ref.linear_backward(dscores, pixels, w)
        w = ref.sgd(w, dw, rate)
    return w


difference = ten_steps(1 / 10, 1.0) - ten_steps(1.0, 1 / 10)
claims.measure("loss-over-classes", np.abs(difference).max())

# %% [markdown]
# ### Gradient descent
#
# The *gradient* of the loss says for each parameter how the loss changes when that parameter grows. So step against it, look again, and repeat; $\varepsilon$ is the *learning rate*:
#
# $$\theta \leftarrow \theta - \varepsilon\, \nabla_\theta L(\theta). \tag{6.2}$$
#
# How large may $\varepsilon$ be? Two parameters and a loss shaped like a long bowl are enough to see it.

# %%
bowl = np.array([[5.0, 4.0], [4.0, 6.0]])


def descend(rate, steps):
    path = [np.array([-0.6, 1.0])]
    for _ in range(steps):
        path.append(ref.sgd(path[-1], bowl @ path[-1], rate))
    return np.array(path)


print("three steps:", *descend(0.1, 3).round(2))

# %% alt="Three pictures of the same oval contour lines. With a small rate the path creeps along the valley and has not arrived. With a larger one it zigzags across the valley and arrives. With one that is a little larger still, the zigzag grows with every step."
@plots.figure
def descents(rates):
    fig, axes = plots.canvas(2.5, 1, len(rates))
    grid = np.array(np.meshgrid(*[np.linspace(-1.5, 1.5, 90)] * 2))
    height = np.sqrt(np.einsum("iyx,ij,jyx->yx", grid, bowl, grid))
    for ax, rate in zip(axes, rates):
        ax.contour(*grid, height, levels=9, colors=plots.theme().faint)
        ax.plot(*descend(rate, 25).T, "o-", color="C1", ms=2.5, lw=1)
        ax.set(title=f"ε = {rate}", xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        plots.blank(ax, plots.theme().faint)
    return fig


descents([0.03, 0.19, 0.215])

# %% [markdown]
# **Figure.** Twenty-five steps on the same bowl. The steepest direction sets the limit: each step multiplies the distance along it by $1 - \varepsilon\lambda_{\max}$, where $\lambda_{\max}$ is the greatest eigenvalue of the bowl's matrix, its curvature there. Beyond $\varepsilon = 2/\lambda_{\max}$ that factor is below −1, and the steps grow.
#
# Halving the interval again and again finds the rate at which descent turns into flight.

# %%
low, high = 0.0, 1.0
for _ in range(30):
    rate = (low + high) / 2
    grew = np.linalg.norm(descend(rate, 100)[-1]) > 1
    low, high = (low, rate) if grew else (rate, high)
claims.measure("critical-rate", rate / (2 / np.linalg.eigvalsh(bowl).max()))

# %% [markdown]
# ### Backpropagation
#
# Where does the gradient come from? First the riddle of the lights, by hand. Light 1 is on, light 2 is off; how does the output move with each weight? Begin at the output and ask backwards, by the chain rule: what moved it, and what moved that?

# %% tags=["nbval-check-output"]
light = np.array([[1.0, 0.0]])
a = ref.linear(light, w1, b1)
h = ref.relu(a)
dh, dw2, db2 = ref.linear_backward(np.ones((1, 1)), h, w2, b2)
da = ref.relu_backward(dh, a)
_, dw1, _ = ref.linear_backward(da, light, w1, b1)
print("by w2", dw2[0], "  by h", dh[0], "  by a", da[0] + 0, "  by w1", *dw1)

# %% [markdown]
# A weight's gradient is what came in, times how much the output cares for what went out. The second hidden unit is silent ($a_2 = 0$), so nothing that happens before it matters: its row is zero. Nothing else is needed for networks of any size. **Backpropagation is the forward pass read upwards**, each operator answered by its gradient.

# %%
def gradient(weights, x, labels):
    w1, b1, w2, b2 = weights
    a = ref.linear(x, w1, b1)
    h = ref.relu(a)
    scores = ref.linear(h, w2, b2)
    loss = ref.cross_entropy(scores, labels)

    dscores = ref.cross_entropy_backward(1.0, scores, labels)
    dh, dw2, db2 = ref.linear_backward(dscores, h, w2, b2)
    da = ref.relu_backward(dh, a)
    dx, dw1, db1 = ref.linear_backward(da, x, w1, b1)
    return loss, (dw1, db1, dw2, db2)


loss, _ = gradient(weights, pixels, seen.labels)
print(f"the loss of a network that has learned nothing: {loss:.2f}")

# %% alt="A chain of boxes from left to right: x, linear, a, relu, h, linear, scores, cross entropy, loss. Blue arrows run to the right along the top. Orange arrows run back to the left along the bottom, through d scores, d h and d a, and from each linear box an orange arrow falls to its gradients d W1, d b1 and d W2, d b2."
@plots.figure
def there_and_back(values, operators):
    fig, ax = plots.sheet(22, 5.4)
    box = {"boxstyle": "round", "fc": "none", "ec": plots.theme().muted}
    middle, style = {"ha": "center", "va": "center"}, {"arrowstyle": "->"}
    for n, name in enumerate(values):
        ax.text(1 + 5 * n, 1.4, name, color="C0", **middle)
        ax.text(1 + 5 * n, 3.2, "d" + name if n < 4 else "1", color="C1", **middle)
    for x, (name, gradients) in zip((3.5, 8.5, 13.5, 18.5), operators):
        ax.text(x, 2.3, name, bbox=box, **middle)
        ax.text(x, 4.8, gradients, color="C1", **middle)
        arrows = [("C0", x - 1.4, 1.4, x + 1.4, 1.4), ("C1", x + 1.4, 3.2, x - 1.4, 3.2)]
        for colour, *tail, u, v in arrows + [("C1", x, 3.2, x, 4.4)] * bool(gradients):
            ax.annotate("", (u, v), tail, arrowprops={**style, "color": colour})
    return fig


there_and_back(["x", "a", "h", "scores", "loss"], [
    ("linear", "dw1, db1"), ("relu", ""), ("linear", "dw2, db2"), ("cross\nentropy", "")])

# %% [markdown]
# **Figure.** Read the upper row to the right, then the lower row to the left. Each operator turns the gradient of what it put out into the gradient of what it took in, and a layer with parameters hands out theirs on the way.
#
# > [!note]
# > **Erratum.** The slide calls backpropagation the standard algorithm for *training*. It computes the gradient, no more; gradient descent, or any other method, decides what to do with it.
#
# Is it right? Two other ways must find the same. One asks the definition: [`gradient_errors`][dtwin.gradcheck.gradient_errors] moves each array a little, forwards and backwards, and sees how the loss changes. The other is PyTorch, which keeps its own record of the forward pass and reads it upwards by itself [@rumelhart1986].

# %%
x, labels = pixels[:32], seen.labels[:32]


def loss_of(*weights):
    return gradient(weights, x, labels)[0]


def loss_backward(dy, *weights):
    return tuple(dy * g for g in gradient(weights, x, labels)[1])


numeric = gradient_errors(loss_of, loss_backward, *weights)
tensors = [torch.tensor(w, requires_grad=True) for w in weights]
h = twin.relu(twin.linear(torch.tensor(x), *tensors[:2]))
loss = twin.cross_entropy(twin.linear(h, *tensors[2:]), torch.tensor(labels))
pairs = zip(loss_backward(1.0, *weights), torch.autograd.grad(loss, tensors))
autograd = [np.abs(ours - theirs.numpy()).max() for ours, theirs in pairs]
claims.measure("backpropagation-exact", max(numeric + autograd))

# %% [markdown]
# ### What a gradient costs
#
# Moving each parameter by itself takes two forward passes for every one of them. Backpropagation has them all from one walk back, in which each layer has two products of matrices to compute where the forward pass has one: one for the gradient of its weights, one for that of what is below. So forward and backward together should cost about three forward passes, whatever the size of the network [@griewank2008].

# %%
net = MLP(512, 512, 512, 512, 10)
x, labels = torch.randn(256, 512), torch.randint(10, (256,))
parameters = list(net.parameters())


def forward():
    with torch.no_grad():
        return twin.cross_entropy(net(x), labels)


def forward_and_backward():
    return torch.autograd.grad(twin.cross_entropy(net(x), labels), parameters)


once, both = (min(timeit.repeat(f, timer=thread_time, number=1, repeat=30))
              for f in (forward, forward_and_backward))
count = sum(p.numel() for p in parameters)
print(f"{count:,} parameters: {2 * count * once / 60:.0f} minutes to move each of them, "
      f"{1000 * both:.0f} milliseconds to ask backwards")
claims.measure("cheap-gradient", both / once)

# %% [markdown]
# ### Trained, with nothing but NumPy
#
# All parts are there. Look at `batch` examples, work out the gradient, take a step; one walk through all examples is an *epoch*. With a batch of all examples this is gradient descent, [(6.2)](#equation-2). With a small *mini-batch*, drawn at random, it is *stochastic* gradient descent (SGD). *Momentum* adds a part of the step before, as [`ref.sgd_momentum`][dtwin.ref.sgd_momentum] says. Each setting has three starts, and [`parallel.grid`][dtwin.parallel.grid] tries as many of the nine at once as the computer has cores.

# %%
def learn(seed, batch, rate=0.1, momentum=0.0, epochs=10):
    rng = np.random.default_rng(seed)
    weights = start((64, 50, 10), rng)
    velocity, losses = [np.zeros_like(w) for w in weights], np.zeros(epochs)
    for epoch in range(epochs):
        batches = np.array_split(rng.permutation(len(pixels)), len(pixels) // batch)
        for i in batches:
            loss, gradients = gradient(weights, pixels[i], seen.labels[i])
            losses[epoch] += loss / len(batches)
            steps = [ref.sgd_momentum(*arrays, rate, momentum)
                     for arrays in zip(weights, gradients, velocity)]
            weights, velocity = zip(*steps)
    return weights, losses

# %% alt="Three falling curves of the training loss over ten epochs, on a logarithmic axis. The one of the full batch falls slowly. That of batches of 16 falls far more steeply, and that of batches of 16 with momentum ends lowest."
settings = {"all at once": {"batch": len(seen)}, "batches of 16": {"batch": 16},
            "with momentum": {"batch": 16, "momentum": 0.9, "rate": 0.05}}
rows = parallel.grid(lambda name, seed: learn(seed, **settings[name]), settings, range(3))
runs = dict(zip(settings, rows))
losses = {name: np.array([losses for _, losses in three]) for name, three in runs.items()}
plots.curves(losses, "epoch", "training loss", log="y")

# %% [markdown]
# **Figure.** Three starts each, mean and range. All see the same digits equally often. But in one epoch the full batch takes a single step, and batches of 16 take 89. (A larger rate would help the full batch, though not 89 times; with momentum the rate is halved.)

# %% tags=["nbval-check-output"]
def error(weights, digits):
    x = digits.images.reshape(-1, 64) / 255
    return 100 * (mlp(ref, x, *weights).argmax(axis=1) != digits.labels).mean()


for name, three in runs.items():
    good = [bool(error(learned, unseen) < 5) for learned, _ in three]
    print(f"{name:14} below 5 % errors on digits never seen: {good}")

# %% [markdown]
# With all examples at once and a small rate, no step ever went up:

# %%
claims.measure("descent-decreases-loss", (np.diff(losses["all at once"]) > 0).sum())

# %% [markdown]
# ### Why a few at a time?
#
# The gradient of 16 examples is not that of all. But drawn at random it is right *on average*, and its error shrinks as the batch grows: the mean squared error is proportional to $1/B$, and its root, the typical error, to $1/\sqrt B$. Sixteen times the work buys a quarter of the typical error. Early in training, when any rough direction will do, that is a bad bargain, and many rough steps beat one exact step.

# %%
def flat_gradient(x, labels):
    return np.concatenate([g.ravel() for g in gradient(weights, x, labels)[1]])


def noisy(size):
    i = rng.integers(0, len(seen), size)
    return flat_gradient(pixels[i], seen.labels[i])


full = flat_gradient(pixels, seen.labels)
sizes = 2 ** np.arange(2, 9)
drawn = {size: np.array([noisy(size) for _ in range(100)]) for size in sizes}
off, standard_error = drawn[16].mean(axis=0) - full, drawn[16].std(axis=0) / 10
claims.measure("minibatch-unbiased", np.linalg.norm(off) / np.linalg.norm(standard_error))

# %% alt="One straight falling line on two logarithmic axes: the squared error of the gradient against the size of the batch, from 4 to 256."
squared = [((drawn[size] - full) ** 2).sum(axis=1).mean() for size in sizes]
plots.curves({"error": squared}, "batch size B", "mean squared error", x=sizes, log="xy")

# %% [markdown]
# **Figure.** The error of the mini-batch gradient. On these axes a line of slope −1 is $1/B$.

# %%
claims.measure("minibatch-variance", np.polyfit(np.log(sizes), np.log(squared), 1)[0])

# %% [markdown]
# ### The twin
#
# The same network, start and order of digits in PyTorch, which finds the gradients by itself. After an epoch the weights are the same:

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
tensors = [torch.tensor(w, requires_grad=True) for w in start((64, 50, 10), rng)]
for i in np.array_split(rng.permutation(len(pixels)), len(pixels) // 16):
    h = twin.relu(twin.linear(torch.tensor(pixels[i]), *tensors[:2]))
    loss = twin.cross_entropy(twin.linear(h, *tensors[2:]), torch.tensor(seen.labels[i]))
    steps = zip(tensors, torch.autograd.grad(loss, tensors))
    tensors = [twin.sgd(t, g, 0.1).detach().requires_grad_() for t, g in steps]
ours, _ = learn(0, 16, epochs=1)
difference = max(np.abs(w - t.detach().numpy()).max() for w, t in zip(ours, tensors))
print("weights after 89 steps differ by less than 1e-12:", difference < 1e-12)

# %% [markdown]
# From here on networks grow, and [`train.fit`][dtwin.train.fit] trains them, on a graphics card where there is one. A [`Recipe`][dtwin.train.Recipe] says how. It is the loop above, with a record of what happens:

# %%
Markdown(f"```python\n{inspect.getsource(train._epoch)}```")

# %% [markdown]
# ## MLP problems
#
# Five troubles, says the lecture, kept MLPs from solving the problems they were made for. Here they are, one by one.
#
# ### Model size
#
# A photograph of 224 × 224 pixels in three colours is 150,528 numbers, and each hidden unit has a weight for every one of them. PyTorch's *meta* device builds layers without memory, which lets us count what we could not hold.

# %%
def dense(side, units=4096):
    layer = nn.Linear(side * side * 3, units, device="meta")
    return sum(p.numel() for p in layer.parameters())


print(f"{4 * dense(224) / 2**30:.1f} GiB for the weights of one layer")
claims.measure("dense-layer-parameters", dense(224))

# %% [markdown]
# A layer that puts out as much as the first of AlexNet, 55 × 55 places with 96 numbers each, would be worse yet; AlexNet's own has 34,944 parameters, and chapter 7 tells how [@krizhevsky2012, section 3.5].

# %%
as_dense = nn.Linear(224 * 224 * 3, 55 * 55 * 96, bias=False, device="meta")
claims.measure("conv1-as-dense", as_dense.weight.numel())

# %% alt="Two lines over the side of an image from 8 to 224 pixels, both axes logarithmic. The parameters of a dense layer rise from under a million to 600 million. Those of AlexNet's first convolution stay level at 35 thousand."
sides = np.array([8, 16, 32, 64, 128, 224])
sizes = {"dense": [dense(side) for side in sides], "convolution": [34_944] * len(sides)}
plots.curves(sizes, "side of the image, pixels", "parameters", x=sides, log="xy")

# %% [markdown]
# **Figure.** A dense layer of 4,096 units grows with the area of the image. A convolution does not grow at all.
#
# ### Overfitting
#
# The digits are small, so size is no trouble; but 512 hidden units have forty thousand parameters, and we have hundreds of digits. We train until nothing is wrong any more on the digits that were seen, and then show the others.

# %%
def few(n, seed):
    i = np.random.default_rng(seed).permutation(len(seen))[:n]
    return replace(seen, images=seen.images[i], labels=seen.labels[i])


def fit_mlp(digits, seed):
    torch.manual_seed(seed)
    net = MLP(64, 512, 10)
    recipe = train.Recipe(100, 0.2, 128, weight_decay=0, schedule="linear", seed=seed)
    history = train.fit(net, digits, recipe)
    right = [train.evaluate(net, part, history.statistics).accuracy
             for part in (digits, unseen)]
    return 100 * (1 - np.array(right)), 100 * (1 - np.array(history.accuracy))

# %% alt="Two curves against the number of training digits, 100 to 1,437. The training error lies at zero throughout. The test error falls from about ten percent to about two."
sizes = [100, 200, 500, len(seen)]
fits = parallel.grid(lambda seed, n: fit_mlp(few(n, seed), seed), range(3), sizes)
errors = np.array([[error for error, _ in row] for row in fits])  # (seeds, sizes, parts)
curves = {"training": errors[:, :, 0], "test": errors[:, :, 1]}
plots.curves(curves, "training digits", "errors, %", x=sizes, log="x")

# %% [markdown]
# **Figure.** Errors of three networks for each size of training set, mean and range. The space between the curves is *overfitting*: what the network knows about the digits it has seen and not about digits.

# %% tags=["nbval-check-output"]
print("errors on the digits seen, all twelve networks:", errors[:, :, 0].max())

# %%
test_errors = errors[:, :, 1].mean(axis=0)
claims.measure("small-sets-overfit", test_errors[:3].min())

# %%
claims.measure("gap-shrinks-with-data", (np.diff(test_errors[:3]) > 0).sum())

# %% [markdown]
# ### Undergeneralization
#
# The slide concludes that an overfitted model is unlikely to generalize. Look again at the right end of the figure: no error in training, and yet

# %%
claims.measure("interpolation-generalises", test_errors[3])

# %% [markdown]
# Then is a training error of zero good or bad? Neither, as Zhang and others showed by replacing the labels with random ones [@zhang2017, table 1]. The network, the digits and the recipe below are those of above. Only the labels are drawn from a hat.

# %% alt="Two curves of the training error over 100 epochs. With true labels it falls to zero within a few epochs. With random labels it begins at ninety percent, falls slowly, and reaches zero as well."
hats = [np.random.default_rng(seed).integers(0, 10, len(seen)) for seed in range(3)]
random = parallel.map(fit_mlp, [replace(seen, labels=hat) for hat in hats], range(3))
curves = {"random labels": [curve for _, curve in random],
          "true labels": [row[-1][1] for row in fits]}
plots.curves(curves, "epoch", "training errors, %")

# %% [markdown]
# **Figure.** Three networks each. Both end without an error in training; noise only takes longer to learn by heart.

# %%
fitted, fooled = np.mean([errors for errors, _ in random], axis=0)
print(f"errors on the random labels it learned from: {fitted:.2f} %")
claims.measure("random-labels-fitted", fooled)

# %% [markdown]
# > [!note]
# > **Erratum.** *Overfitting means that a model is unlikely to generalize* is too strong. The same network, with as many parameters and no training error in either case, generalizes well from true labels and not at all from random ones. What the training error leaves open is decided by the data, and by which of the many solutions gradient descent finds.
#
# ### Vanishing gradients
#
# The chain rule multiplies. Going down one layer, a gradient is multiplied by the weights and by the slopes of the activation function, and the sigmoid's is at most a quarter. What is left after twenty layers? Here are networks as wide as a digit has pixels, with fresh random weights, and the gradient of the weights in each hidden layer.

# %%
x = torch.tensor((pixels - pixels.mean()) / pixels.std(), dtype=torch.float32)[:256]


def layer_gradients(activation, scale, depth, seed):
    torch.manual_seed(seed)
    net = MLP(64, *[64] * depth, 10, activation=activation)
    for layer in net.layers:
        nn.init.normal_(layer.weight, std=scale / 8)  # 8 is the root of the width
        nn.init.zeros_(layer.bias)
    twin.cross_entropy(net(x), torch.tensor(seen.labels[:256])).backward()
    return [layer.weight.grad.norm().item() for layer in net.layers[:-1]]


depths = [2, 5, 8, 11, 14, 17, 20]
kinds = {"sigmoid": (twin.sigmoid, 1), "tanh": (twin.tanh, 1),
         "ReLU": (twin.relu, 2 ** 0.5), "tanh, weights × 2": (twin.tanh, 2)}
norms = {name: [np.array([layer_gradients(*kind, depth, seed) for seed in range(3)])
                for depth in depths] for name, kind in kinds.items()}

# %% alt="Four curves of the norm of the gradient against the number of the hidden layer, 1 to 20, on a logarithmic axis. The sigmoid's falls steeply to the left, by twelve powers of ten. Those of tanh and ReLU are level. That of tanh with weights twice as large rises to the left."
deepest = {name: by_depth[-1] for name, by_depth in norms.items()}
plots.curves(deepest, "hidden layer", "norm of the gradient", log="y")

# %% [markdown]
# **Figure.** A network of 20 hidden layers before it has learned anything, three random starts. Read from right to left, as the gradient travels. With the sigmoid the first layers get nothing to learn from.
#
# How does it depend on depth? Divide the first hidden layer's gradient by the last one's.

# %% alt="Four curves of that ratio against the depth of the network, 2 to 20, on a logarithmic axis. The sigmoid's falls in a straight line. Those of tanh and ReLU stay near one. That of tanh with larger weights rises."
ratios = {name: np.array([rows[:, 0] / rows[:, -1] for rows in by_depth]).T
          for name, by_depth in norms.items()}
plots.curves(ratios, "hidden layers", "first over last", x=depths, log="y")

# %% [markdown]
# **Figure.** Each layer more costs the sigmoid the same factor, which makes a straight line here. Its slope counts decades a layer.

# %%
decades = {name: np.polyfit(depths, np.log10(ratio).mean(axis=0), 1)[0]
           for name, ratio in ratios.items()}
claims.measure("sigmoid-gradient-vanishes", decades["sigmoid"])

# %%
level = max(abs(decades["tanh"]), abs(decades["ReLU"]))
claims.measure("gradient-need-not-vanish", level)

# %% [markdown]
# > [!note]
# > **Erratum.** The slide blames the chain rule. The chain rule multiplies, and a product can stay level or grow as well as shrink: tanh with weights of standard deviation $1/\sqrt{\text{width}}$ and ReLU with $\sqrt{2/\text{width}}$ keep their gradients, and with larger weights those of tanh grow towards the input [@glorot2010; @he2015]. Activation function and start decide whether a gradient vanishes, stays, or explodes.
#
# ### Saturating units
#
# A tanh unit with a large sum inside puts out 1 or −1 and has a slope of nearly zero. It is *saturated*: no gradient comes through, so it hardly learns. Here are all units of three hidden layers for five sizes of the random weights; call a unit saturated on a digit if it puts out more than 0.9 or less than −0.9.

# %%
def units_and_slopes(scale):
    rng, h, units, slopes = np.random.default_rng(0), x.numpy(), [], []
    for _ in range(3):
        a = h @ rng.normal(0, scale, (64, 64))
        h = ref.tanh(a)
        units.append(h)
        slopes.append(ref.tanh_backward(np.ones_like(a), a))
    return np.ravel(units), np.ravel(slopes)


scales = [0.05, 0.125, 0.5, 1.0, 2.0]
states = [units_and_slopes(scale) for scale in scales]
saturated = [100 * (np.abs(units) > 0.9).mean() for units, _ in states]

# %% alt="Five columns of two histograms, for weights of standard deviation 0.05 to 2. Above, what the units put out: a narrow peak at zero that widens and then moves to the two ends at minus 1 and 1. Below, their slopes: all near 1 at first, and nearly all at zero in the end."
@plots.figure
def histograms(states, titles):
    fig, axes = plots.canvas(3.0, 2, len(states), sharey="row", sharex="row")
    for column, state, title in zip(axes.T, states, titles):
        for n, (ax, values, low) in enumerate(zip(column, state, (-1, 0))):
            ax.hist(values, bins=24, range=(low, 1), density=True, color=f"C{n}")
            ax.set(yticks=[], xticks=[low, 1])
            ax.spines["left"].set_visible(False)
        column[0].set_title(title)
    axes[0, 0].set_ylabel("unit")
    axes[1, 0].set_ylabel("slope")
    return fig


histograms(states, [f"{scale}: {share:.0f} %" for scale, share in zip(scales, saturated)])

# %% [markdown]
# **Figure.** What the units put out (above) and their slopes (below), with the standard deviation of the weights and the share of saturated units. In the last column nearly all slopes are zero: dead derivatives.

# %%
claims.measure("saturation-grows", (np.diff(saturated) < 0).sum())

# %%
claims.measure("saturated-units-are-flat", states[-1][1].mean())

# %% [markdown]
# And so, the lecture says, the field turned away. That is a reading of history and cannot be measured:

# %%
claims.quote("ignored-for-decades")

# %% [markdown]
# ## From MLP to CNNs
#
# ### The representation is learned
#
# Why did some people hold on to such a machine? Because it answers the question of this chapter. It is trained *end to end*: one algorithm finds what to look at and what to decide. To see what its hidden layers are worth, freeze them and put a fresh linear classifier, a *probe*, on top of each [@alain2016]. If a layer makes a better representation of an animal than pixels are, its probe is right more often than a probe on pixels.

# %%
herd, strangers = pasture.dataset(4000, "train"), pasture.dataset(1000, "test")


PROBES = [(3072, 10, 0.01), (64, 4, 0.02), (64, 4, 0.02)]  # inputs, epochs, learning rate


def probes(seed):
    torch.manual_seed(seed)
    net, correct = MLP(3072, 64, 64, 10), []
    recipe = train.Recipe(10, lr=0.02, batch=128, schedule="linear", seed=seed)
    train.fit(net, herd, recipe)
    for depth, (width, epochs, rate) in enumerate(PROBES):
        frozen = [part for layer in net.layers[:depth] for part in (layer, nn.ReLU())]
        probe = nn.Sequential(nn.Flatten(), *frozen, nn.Linear(width, 10))
        probe[:-1].requires_grad_(False)
        history = train.fit(probe, herd, replace(recipe, epochs=epochs, lr=rate))
        score = train.evaluate(probe, strangers, history.statistics)
        correct.append(100 * score.accuracy)
    return correct

# %% alt="One rising curve with a band: right answers of a linear classifier on pixels, on the first hidden layer and on the second."
correct = np.array(parallel.map(probes, range(3)))
below = "hidden layers below the linear classifier"
plots.curves({"probe": correct}, below, "right answers, %", x=range(3))

# %% [markdown]
# **Figure.** Ten species of animals in pictures of 32 × 32, three networks, mean and range. Guessing is right in a tenth of the cases.

# %%
claims.measure("learned-representation", (correct[:, 2] - correct[:, 0]).mean())

# %%
claims.measure("probe-rises-with-depth", (np.diff(correct.mean(axis=0)) < 0).sum())

# %% [markdown]
# ### Why is this problematic?
#
# Then what is wrong with it for pictures? Its inputs are *pixels*, and each pixel has a weight of its own. Lay a digit on a larger sheet, always in the middle, and train an MLP on it. In the test, move the digit.

# %%
def placed(digits, right=0, down=0):
    images = np.zeros((len(digits), 1, 16, 16), np.uint8)
    images[:, :, 4 + down:12 + down, 4 + right:12 + right] = digits.images
    return replace(digits, images=images)

# %% alt="A handwritten six of eight by eight pixels on a black sheet of sixteen by sixteen: in the middle, and one to four pixels further right."
moved = [placed(seen, by).images[6] for by in range(5)]
plots.images(moved, ["in the middle", *(f"{by} to the right" for by in range(1, 5))])

# %% [markdown]
# **Figure.** To us the same digit five times.
#
# Beside it learns a small convolutional network (CNN). Chapter 7 takes it apart. It is enough to know that its weights belong to a window of 3 × 3 pixels that slides over the image, and that in the end it asks of each feature only *how strong is it where it is strongest?*

# %%
builders = {
    "MLP": lambda: MLP(256, 128, 128, 10),
    "CNN": lambda: nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1),
        nn.Flatten(), nn.Linear(32, 10))}
sizes = {name: sum(p.numel() for p in build().parameters())
         for name, build in builders.items()}
print(*(f"{name}: {size:,} parameters" for name, size in sizes.items()), sep="\n")
claims.measure("shift-with-fewer-weights", sizes["CNN"] / sizes["MLP"])

# %%
ways = [(1, 0), (-1, 0), (0, 1), (0, -1)]


def shifted_errors(build, seed):
    torch.manual_seed(seed)
    net, recipe = build(), train.Recipe(12, schedule="linear", seed=seed)
    statistics = train.fit(net, placed(seen), recipe).statistics
    right = [[train.evaluate(net, placed(unseen, by * x, by * y), statistics).accuracy
              for x, y in ways] for by in range(5)]
    return 100 * (1 - np.mean(right, axis=1))


rows = parallel.grid(lambda name, seed: shifted_errors(builders[name], seed), builders, range(3))
errors = dict(zip(builders, np.array(rows)))

# %% alt="Two curves of the errors against the shift of the digit from 0 to 4 pixels. Both begin near zero. The MLP's rises to half at one pixel and to ninety percent at two. The CNN's stays low and is higher at odd shifts than at even ones."
plots.curves(errors, "shift in the test, pixels", "errors, %", x=range(5))

# %% [markdown]
# **Figure.** Trained in the middle, tested elsewhere; three networks each, four directions. Two pixels turn an MLP that reads well into one that guesses, for what it learned about one pixel says nothing about its neighbour. The CNN's errors go up and down with odd and even shifts because it halves the picture on the way: an odd shift cuts the digit into other pairs of pixels.

# %%
at_two = {name: values[:, 2].mean() for name, values in errors.items()}
claims.measure("shift-breaks-mlp", at_two["CNN"] / at_two["MLP"])

# %% [markdown]
# One could show the MLP every digit in every place. Exercise 4 does, and it helps, at the cost of learning the same thing again for each place. The better way is to build into the network what we know of pictures: that a thing stays the same thing when it moves. That is chapter 7.
#
# ## The claims, measured
#
# The equation [(6.1)](#equation-1), its gradient and the promises hold to the last digits. So do four of the five troubles: dense layers are too large for photographs, small sets are learned by heart, sigmoids starve the first layers, and large weights saturate tanh. The fifth, that overfitting means failing on new data, is too strong: a network can make no error in training and still generalize, or not, by what its labels were. And the chain rule alone is not to blame for gradients that vanish.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. How many parameters? ★
#
# **Predict before you run.** An MLP for the pictures of the pasture has layers of 3072, 64, 64 and 10 units. How many parameters has it, and which layer holds most of them? How many would it have for the same pictures at 224 × 224?

# %% [markdown] tags=["hint"]
# **Hint.** A layer with $n$ inputs and $m$ outputs has $n \cdot m$ weights and $m$ biases. The 3072 are $3 \cdot 32 \cdot 32$.

# %% [markdown] tags=["solution"]
# **Solution.** $3072 \cdot 64 + 64 = 196{,}672$, then $64 \cdot 64 + 64 = 4160$ and $64 \cdot 10 + 10 = 650$: together 201,482, almost all in the first. At 224 × 224 the first layer alone has $150{,}528 \cdot 64 + 64 = 9{,}633{,}856$, and the others are as before: 9,638,666.

# %% tags=["solution", "nbval-check-output"]
for inputs in (3 * 32 * 32, 3 * 224 * 224):
    layers = pairwise([inputs, 64, 64, 10])
    print(f"{sum(n * m + m for n, m in layers):,}")

# %% [markdown]
# ### Exercise 2. The other bend ★★
#
# **Program it.** Put tanh in the place of the rectifier. First write its gradient, `tanh_backward(dy, x)`, without that of the package, and run `check(tanh_backward)`. Then change two lines of `gradient`, and check all of it numerically, as above.

# %% [markdown] tags=["hint"]
# **Hint.** The slope of tanh is $1 - \tanh^2 x$; one of the figures shows it. What is done with the gradient that arrives?

# %% [markdown] tags=["hint"]
# **Hint.** The two lines of `gradient` are `h = …` and `da = …`. For the numerical check, write a function that returns the loss and one that returns the gradients, of the four weights.

# %% [markdown] tags=["solution"]
# **Solution.** The slope is large only where the sum is near zero, and a gradient that arrives is multiplied by it.

# %% tags=["solution", "nbval-check-output"]
def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


check(tanh_backward)

# %% tags=["solution"]
def tanh_gradient(weights, x, labels):
    w1, b1, w2, b2 = weights
    a = ref.linear(x, w1, b1)
    h = ref.tanh(a)
    scores = ref.linear(h, w2, b2)

    dscores = ref.cross_entropy_backward(1.0, scores, labels)
    dh, dw2, db2 = ref.linear_backward(dscores, h, w2, b2)
    da = tanh_backward(dh, a)
    dx, dw1, db1 = ref.linear_backward(da, x, w1, b1)
    return ref.cross_entropy(scores, labels), (dw1, db1, dw2, db2)

# %% tags=["solution", "nbval-check-output"]
def tanh_loss(*weights):
    return tanh_gradient(weights, pixels, seen.labels)[0]


def tanh_loss_backward(dy, *weights):
    return tuple(dy * g for g in tanh_gradient(weights, pixels, seen.labels)[1])


print(max(gradient_errors(tanh_loss, tanh_loss_backward, *weights)) < 1e-7)

# %% [markdown]
# ### Exercise 3. A start at zero ★
#
# **Predict before you run.** What happens if *all* weights start at zero, in a network with ReLU, and in one with tanh?

# %% [markdown] tags=["hint"]
# **Hint.** What do the hidden units put out? And what does `dw2` depend on?

# %% [markdown] tags=["solution"]
# **Solution.** Nothing but the last biases ever learns. The hidden units put out zero, so `dw2` is zero; `w2` is zero, so `dh` is zero, and with it all that lies below. Equal weights that are not zero are hardly better: all units of a layer get equal gradients and stay equal for ever. The random start is there to break the tie.

# %% tags=["solution", "nbval-check-output"]
nothing = [np.zeros_like(w) for w in weights]
for name, gradients in {"ReLU": gradient, "tanh": tanh_gradient}.items():
    moved = [bool(g.any()) for g in gradients(nothing, pixels, seen.labels)[1]]
    print(f"{name}: dw1, db1, dw2, db2 other than zero: {moved}")

# %% [markdown]
# ### Exercise 4. Digits that were moved ★★
#
# **Program it.** Show the MLP moved digits in training. First write `moved(pictures, steps)`, which moves each picture of an array (n, H, W) by its own `steps[n]`, whole pixels down and across (up and to the left if negative), with black coming in; run `check(moved)`. A `Recipe` with `pad=2` does this for you, by up to two pixels each time a picture is seen. Does that mend the curve of the shifts?

# %% [markdown] tags=["hint"]
# **Hint.** `np.pad` puts a black frame around all pictures, as wide as the largest step. A moved picture is a window in the framed one: a picture that moves down is a window that moves up.

# %% [markdown] tags=["hint"]
# **Hint.** In `shifted_errors`, only one call changes.

# %% [markdown] tags=["solution"]
# **Solution.** A frame, and a window for each picture:

# %% tags=["solution", "nbval-check-output"]
def moved(pictures, steps):
    far, (height, width) = np.abs(steps).max(), pictures.shape[1:]
    framed = np.pad(pictures, ((0, 0), (far, far), (far, far)))
    return np.stack([one[far - i:far - i + height, far - j:far - j + width]
                     for one, (i, j) in zip(framed, steps)])


check(moved)

# %% [markdown] tags=["solution"]
# Then, in `shifted_errors`, write `train.Recipe(12, schedule="linear", seed=seed, pad=2)`. The MLP now survives up to two pixels, makes several times the errors it used to make in the middle, and still falls beyond: what it was not shown it does not know. The CNN gains too, since it has now seen odd shifts.

# %% [markdown]
# ### Exercise 5. Without the pooling ★★
#
# **Predict, then program it.** Take the pooling, `nn.MaxPool2d(2)`, out of the CNN. What becomes of the ups and downs? And if it stays, but looks at *every* window of 2 × 2 pixels in place of every second, `nn.MaxPool2d(2, stride=1)`? Write that pooling in NumPy, `pool_everywhere(maps)`, from (N, C, H, W) to (N, C, H − 1, W − 1), and run `check(pool_everywhere)`.

# %% [markdown] tags=["hint"]
# **Hint.** By how many of its own pixels does a halved map move when the picture moves by one pixel? And when it moves by two?

# %% [markdown] tags=["hint"]
# **Hint.** The upper left pixels of all windows are `maps[:, :, :-1, :-1]`. `np.maximum` compares two arrays.

# %% [markdown] tags=["solution"]
# **Solution.** They vanish in both: without the halving, all shifts are alike, until the digit nears the border. So it was not the maximum but the halving. It costs four times the work in the second convolution.

# %% tags=["solution", "nbval-check-output"]
def pool_everywhere(maps):
    across = np.maximum(maps[:, :, :, :-1], maps[:, :, :, 1:])
    return np.maximum(across[:, :, :-1], across[:, :, 1:])


check(pool_everywhere)

# %% [markdown]
# ## What you can do now
#
# - Write the equation of an MLP, say what each array in it is, and why it needs a bend.
# - Compute its gradient by hand, operator by operator, and check it.
# - Train it with nothing but NumPy, and say why a few examples at a time are enough.
# - Recognise five troubles in a network of your own, and say which of them are fate and which are a bad start.
# - Say why a network for pictures should not read pixels as an MLP does.
#
# ## Sources
#
# The lecture's slides "Connectionism: The Multilayer Perceptron", "MLP problems" and "From MLP to CNNs". XOR as a limit of single-layer networks is due to Minsky and Papert [@minsky1969]. The pictures of animals are rendered by [the pasture](00_pasture.ipynb).
