# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Convolution and im2col
#
# A cat's ear is an ear wherever it appears in a photograph. A multilayer perceptron (MLP) cannot know that: each of its units has one weight for every number in the picture, and what it learns about the upper left corner says nothing about the lower right. How can a layer learn a thing once and see it everywhere? And how does a computer work out such a layer quickly, when what it does best is to multiply matrices?
#
# The answers are *convolution* and *im2col*. Here is the photograph, and what the old way costs.

# %% tags=["nbval-check-output"]
import inspect
import statistics
import timeit

import numpy as np
import torch
from IPython.display import Markdown

from dtwin import claims, data, plots, ref, twin
from dtwin.gradcheck import gradient_errors

cat = data.photographs()["chelsea"].images / 255
print("one colour photograph:", cat.shape)
print(f"weights of one unit of an MLP that looks at it: {cat.size:,}")

# %% [markdown]
# The four numbers are the photograph's *shape*, in the order that all arrays in this course have: how many images, how many channels (red, green, blue), height, width.
#
# ## From MLP to CNNs
#
# A convolutional network (CNN) gives a unit a small window instead of the whole image, and moves it. The weights of the window, its *kernel*, stay the same wherever it lies: they are **shared** across the image.[^fukushima] Take an image of three by three pixels and a kernel of two by two. Multiply what lies under the window by the kernel, add up, and write down the sum.

# %% tags=["nbval-check-output"]
x = np.array([[3, 1, 4],
              [1, 5, 9],
              [2, 6, 5]])
w = np.array([[1, 0],
              [2, -1]])
print("upper left: ", 3 * 1 + 1 * 0 + 1 * 2 + 5 * -1)
print("upper right:", 1 * 1 + 4 * 0 + 5 * 2 + 9 * -1)

# %% [markdown]
# The window fits in four places. The four sums, in their places, are the *feature map*.

# %% alt="Three matrices in a row. The image of three by three numbers, a star, the kernel of two by two numbers, an equals sign, and the feature map of two by two numbers: 0 and 2 above, minus 1 and 12 below."
y = np.array([[(x[i:i + 2, j:j + 2] * w).sum() for j in range(2)] for i in range(2)])
plots.matrices([x, w, y], labels=["image", "kernel", "feature map"], between=["∗", "="])

# %% [markdown]
# **Figure.** Each number of the feature map is one window of the image, weighed by the one kernel. Blue is positive, orange negative.
#
# > [!note]
# > Mathematicians turn the kernel upside down before they slide it, and call what we do *cross-correlation*. Networks learn their kernels, so it makes no difference to them, and the whole field says convolution. So do we.
#
# ### Seen on a photograph
#
# A colour image has depth $d = 3$, and so has each kernel that looks at it: it weighs all channels of its window and returns one number. Several kernels, stacked, give as many feature maps. Here are five of 7 × 7 × 3, written by hand from one round bump.

# %% tags=["nbval-check-output"]
r = np.arange(-3, 4)
bump = np.exp(-(r[:, None] ** 2 + r ** 2) / 8)
bump /= bump.sum()
point = (r[:, None] == 0) & (r == 0)
grey, warm = np.full(3, 1 / 3), np.array([1, -0.5, -0.5])
flat = [bump, 3 * point - 2 * bump, bump * r, bump * r[:, None]]
kernels = np.stack([np.multiply.outer(grey, k) for k in flat] + [np.multiply.outer(warm, bump)])
face = cat[:, :, 30:230, 90:390]
maps = ref.conv2d(face, kernels, padding=3)
print("kernels", kernels.shape, " image", face.shape, " feature maps", maps.shape)

# %% alt="Six pictures of the face of a ginger cat: the photograph in colour, then five feature maps. The first is a soft grey copy, the second a crisp one. The third shows upright edges and whiskers in blue and orange, the fourth level edges such as the upper lids of the eyes, and in the last one the fur and nose are blue where the eyes are not."
names = ["photograph", "blur", "sharpen", "brighter to the right", "brighter downwards", "redder than grey"]
plots.images([face[0], *maps[0]], names, columns=3, signed=[False] * 3 + [True] * 3)

# %% [markdown]
# **Figure.** One layer with five kernels turns three channels into five feature maps. In the signed maps below, blue is positive, orange negative, and the page's own colour is zero. Whiskers answer to one kernel and eyelids to another.
#
# ### Shift the image, and the map shifts
#
# Shared weights have a consequence that can be tested to the last digit: moving the cat moves its feature maps and changes nothing else. For the test the image is wrapped around, so that nothing falls off its border.

# %%
def wrapped(x, stride=1):
    return ref.conv2d(np.pad(x, ((0, 0), (0, 0), (3, 3), (3, 3)), mode="wrap"), kernels, stride=stride)


def shift(x, rows, columns):
    return np.roll(x, (rows, columns), axis=(2, 3))


whole = wrapped(face)
claims.measure("convolution-commutes-with-shift", np.abs(wrapped(shift(face, 20, -31)) - shift(whole, 20, -31)).max())

# %% [markdown]
# Two habits of real networks break it. Padding with zeros makes the border a place unlike others.[^kayhan] A *stride* of two, which keeps only every second window, leaves shifts by an even number of pixels exact and no other.[^azulay]

# %% tags=["nbval-check-output"]
moved = ref.conv2d(shift(face, 20, -31), kernels, padding=3)
changed = (np.abs(moved - shift(maps, 20, -31)) > 1e-12).any(axis=1).mean()
half = wrapped(face, stride=2)
print("zero padding, share of places that change:", round(changed, 3))
print("stride 2, image moved by 2, map by 1, same:", np.allclose(wrapped(shift(face, 0, 2), 2), shift(half, 0, 1)))
print("stride 2, image moved by 1, map by 0 or 1, same:",
      any(np.allclose(wrapped(shift(face, 0, 1), 2), shift(half, 0, by)) for by in (0, 1)))

# %% [markdown]
# ### How many parameters?
#
# A kernel of size $u \times v$ has $u \cdot v \cdot d$ weights, since it is as deep as its input. A layer with $d'$ feature maps has $d'$ kernels and one bias for each map:
#
# $$\text{parameters} = u \cdot v \cdot d \cdot d' + d'.$$
#
# > [!note]
# > **Erratum.** The slide has $u \cdot v \cdot d' + d'$, and one kernel tensor of $u \times v \times d'$: the input depth $d$ is missing. AlexNet's third layer settles it. Its authors write that it has 384 kernels of size 3 × 3 × 256.[^krizhevsky]

# %%
weight, bias = np.zeros((384, 256, 3, 3)), np.zeros(384)
assert ref.conv2d(np.zeros((1, 256, 13, 13)), weight, bias, padding=1).shape == (1, 384, 13, 13)
claims.measure("conv3-parameters", weight.size + bias.size)

# %% [markdown]
# Without the depth the count is wrong in every layer. AlexNet was trained on two graphics cards and lets three of its layers see only the half of the maps that lies on the same card: these have $g = 2$ *groups*, and their kernels are only $d/g$ deep.

# %% tags=["nbval-check-output"]
alexnet = {"conv1": (11, 3, 1, 96, 55), "conv2": (5, 96, 2, 256, 27), "conv3": (3, 256, 1, 384, 13),
           "conv4": (3, 384, 2, 384, 13), "conv5": (3, 384, 2, 256, 13)}  # u, d, groups, d', size of the map
slide, parameters, activations = {}, {}, {}
print("           kernels           slide   parameters   activations")
for name, (u, d, g, maps_out, side) in alexnet.items():
    slide[name] = u * u * maps_out + maps_out
    parameters[name] = u * u * (d // g) * maps_out + maps_out
    activations[name] = side * side * maps_out
    print(f"{name}  {maps_out:3} of {u:2} x {u:2} x {d // g:3}  {slide[name]:8,}  {parameters[name]:10,}  {activations[name]:11,}")

# %%
claims.measure("alexnet-conv-parameters", sum(parameters.values()))

# %% alt="Two bar charts over the five convolutions of AlexNet. Parameters: few in conv1, most in conv3. Activations: by far the most in conv1, then falling to conv5."
plots.bars({"parameters": list(parameters.values()), "activations": list(activations.values())}, list(alexnet))

# %% [markdown]
# **Figure.** Parameters and activations pull in opposite directions. Early layers have few weights and large maps; later ones have many weights and small maps.
#
# An *activation* is one number of a feature map. Weight sharing makes parameters few but not activations: these grow with the image, and all have to be kept until the backward pass.

# %%
conv1 = ref.conv2d(np.zeros((1, 3, 227, 227)), np.zeros((96, 3, 11, 11)), stride=4)
claims.measure("conv1-activations", conv1.size)

# %%
vgg = ref.conv2d(np.zeros((1, 3, 224, 224)), np.zeros((64, 3, 3, 3)), padding=1)
claims.measure("vgg-first-block-activations", vgg.size)

# %% [markdown]
# ### How large are the maps?
#
# The window of width $u$ starts at the left edge of an image $w$ wide, widened by $p$ zeros on each side, and moves in steps of $s$ as long as it fits. It takes its first place and then one more for each step:
#
# $$w' = \left\lfloor \frac{w + 2p - u}{s} \right\rfloor + 1,\quad\text{and the same for the height.}$$

# %% tags=["nbval-check-output"]
print(" w  u  s  p   map")
for side, u, s, p in [(8, 3, 1, 1), (8, 3, 1, 0), (8, 3, 2, 1), (8, 5, 1, 2), (8, 2, 2, 0), (227, 11, 4, 0)]:
    made = ref.conv2d(np.zeros((1, 1, side, side)), np.zeros((1, 1, u, u)), stride=s, padding=p)
    print(f"{side:3} {u:2} {s:2} {p:2}   {made.shape[2]} x {made.shape[3]}")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide turns $w \times h \times d$ into $w \times h \times d'$ without a condition. The size stays the same when $s = 1$ and $p = (u - 1)/2$, called *same* padding. Is that the only way? We try every setting up to 16 pixels in which the kernel is smaller than the image and the padding smaller than the kernel, so that every window sees at least one pixel.

# %%
settings = [(side, u, s, p) for side in range(2, 17) for u in range(1, side) for s in range(1, 5) for p in range(u)]
kept = [ref.im2col(np.zeros((1, 1, side, side)), u, s, p).shape[2] == side * side for side, u, s, p in settings]
same = [s == 1 and 2 * p == u - 1 for side, u, s, p in settings]
claims.measure("same-size-needs-stride-one", sum(a != b for a, b in zip(kept, same)))

# %% [markdown]
# The condition on the padding is needed. Four pixels, kernel 3, stride 2 and padding 3 give four windows again, but the outermost ones see nothing except zeros.
#
# ## Convolution in plain loops
#
# The definition, for a batch of images, in the package's own words: for each image, each kernel and each place, one patch, one product, one sum. (`groups` are those of AlexNet; otherwise there is one.)

# %%
def source(function):
    return Markdown(f"```python\n{inspect.getsource(function)}```")


source(ref.conv2d_loops)

# %% [markdown]
# [`ref.conv2d_loops`][dtwin.ref.conv2d_loops] wants arrays of four dimensions, also from our tiny case, and gives the numbers we found by hand.

# %% tags=["nbval-check-output"]
x4, w4 = x[None, None].astype(float), w[None, None].astype(float)
print(ref.conv2d_loops(x4, w4)[0, 0])

# %% [markdown]
# ## Image to column (im2col)
#
# The loops spend their time on going round, not on multiplying. The remedy is to *copy first*: write the pixels under each window into a column, side by side, and write each kernel as a row.[^chellapilla] Row times column is what a window asks for, so one product of matrices does them all.

# %% alt="The image of three by three numbers four times, each time with another window of two by two marked in its own colour. Below each image the four numbers of the window stand in a column of that colour. At the left the kernel stands as a row of four numbers; row times column gives the numbers 0, 2, minus 1 and 12, which are folded into the feature map of two by two."
plots.im2col(x, w)

# %% [markdown]
# **Figure.** One colour, one window. Follow it downwards: from the image into its column, through the product with the kernel's row, into its place in the feature map. The 5 in the middle lies under all four windows and is copied four times.
#
# [`ref.im2col`][dtwin.ref.im2col] builds the columns and `@` is NumPy's matrix product.

# %% tags=["nbval-check-output"]
columns = ref.im2col(x4, 2)
print(columns[0])
print("kernel row times columns:", (w4.reshape(1, -1) @ columns)[0, 0])

# %% [markdown]
# In general, with $d$ channels, $d'$ kernels and an image that has $n$ windows,
#
# $$\underbrace{Y}_{d' \times n} = \underbrace{W}_{d' \times uvd}\; \underbrace{X}_{uvd \times n} + b .$$
#
# [`ref.conv2d`][dtwin.ref.conv2d] is this formula, image by image and group by group:

# %%
source(ref.conv2d)

# %% [markdown]
# It must agree with the definition. We compare them on a piece of the photograph, with 16 random kernels and biases.

# %%
rng = np.random.default_rng(7)
patch = cat[:, :, 100:132, 150:182]
weight, bias = rng.normal(size=(16, 3, 3, 3)), rng.normal(size=16)
product = ref.conv2d(patch, weight, bias, padding=1)
loops = ref.conv2d_loops(patch, weight, bias, padding=1)
claims.measure("im2col-equals-loops", np.abs(product - loops).max())

# %% [markdown]
# ## The gradient, and back from columns to the image
#
# To learn, we need the *gradient*: how the loss changes with each weight and each pixel. For a product $Y = WX$ it is two more products, one for each factor, with $dY$ the gradient that arrives from above:
#
# $$dW = dY\,X^\top, \qquad dX = W^\top dY .$$
#
# Now $dX$ is a matrix of columns, and the image has to get its gradient out of it. A pixel that was copied into several columns influenced the loss along several ways, and its gradient is their **sum**. That is [`ref.col2im`][dtwin.ref.col2im]: put each column back under its window, and *add* where windows overlap. Put back columns of ones, and it counts them.

# %% alt="A five by five matrix of counts. The corners hold 1, the middles of the edges 3, and the centre 9."
counts = ref.col2im(np.ones((1, 9, 9)), (5, 5), kernel_size=3)
plots.matrices([counts[0, 0]], labels=["windows that see each pixel"])

# %% [markdown]
# **Figure.** A 3 × 3 kernel on 5 × 5 pixels: a corner lies under one window, the centre under all nine. So many terms does a pixel's gradient have.
#
# Is [`ref.conv2d_backward`][dtwin.ref.conv2d_backward] right? Ask the definition of the derivative: move all weights a little along a random direction, forwards and backwards, and see how much the output changes. Beside it stands a gradient with a small mistake, which *averages* over the windows of a pixel instead of adding.

# %% tags=["nbval-check-output"]
def averaging(dy, x, weight):
    dx, dweight, _ = ref.conv2d_backward(dy, x, weight)
    return dx / counts, dweight


small, kernel = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(4, 1, 3, 3))
right = gradient_errors(ref.conv2d, ref.conv2d_backward, small, kernel)
wrong = gradient_errors(ref.conv2d, averaging, small, kernel)
print("relative error of dx and dweight below 1e-7:", [error < 1e-7 for error in right])
print("of the one that averages:                   ", [error < 1e-7 for error in wrong])

# %% [markdown]
# ## The twin
#
# Each operator of `ref` has a twin of the same name in PyTorch, written without a look at it, with gradients from PyTorch's own automatic differentiation. [`twin.conv2d`][dtwin.twin.conv2d] never saw our formula. If both agree, both are right, or wrong in the same way by accident.

# %% tags=["nbval-check-output"]
dy = rng.normal(size=product.shape)
tensors = [torch.tensor(a, requires_grad=True) for a in (patch, weight, bias)]
out = twin.conv2d(*tensors, padding=1)
out.backward(torch.tensor(dy))
print("outputs agree to 1e-12:", np.abs(out.detach().numpy() - product).max() < 1e-12)
for name, tensor, ours in zip(["dx", "dweight", "dbias"], tensors, ref.conv2d_backward(dy, patch, weight, bias, padding=1)):
    print(f"{name} agrees to 1e-12:", np.abs(tensor.grad.numpy() - ours).max() / np.abs(ours).max() < 1e-12)

# %% [markdown]
# ## What is the link to MLPs?
#
# A layer of an MLP multiplies the image, laid out as one long vector, by a matrix. Convolution is linear too, so it must have such a matrix. To see it, give the layer images with a single lit pixel: each answers with one column of the matrix. And to see which weight sits where, take the numbers 1 to 9 as the kernel.

# %% alt="Left, a kernel of three by three cells in nine colours, named w1 to w9. Right, a matrix of 64 by 64, empty but for nine thin diagonal stripes in the colours of the kernel, in three bands of three; the stripes have gaps where the window hangs over the border."
pixels = np.eye(64).reshape(64, 1, 8, 8)
numbers = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
layer = ref.conv2d(pixels, numbers, padding=1).reshape(64, 64).T.astype(int)
plots.tied(layer, kernel=(3, 3))

# %% [markdown]
# **Figure.** The matrix of a 3 × 3 convolution on 8 × 8 pixels. Each row is one place of the window and each colour one weight of the kernel, again and again down its diagonal. Where there is no colour there is no connection.
#
# So a convolution **is** a layer of an MLP, held to two promises: most of its weights are zero (*sparse*), and the others are copies of a few (*tied*). In the rows whose window does not touch the border, $u \cdot v \cdot d$ of the $w \cdot h \cdot d$ entries are left.

# %%
inside = np.pad(np.ones((6, 6), bool), 1).ravel()
claims.measure("conv-matrix-density", (layer[inside] > 0).mean())

# %% [markdown]
# Fill in real weights by looking each entry up, run handwritten digits through both layers, and compare. The gradient of the matrix has an entry for every copy; adding up the entries of one colour must give the gradient of that weight.[^lecun]

# %%
digits = data.digits("train").images[:32] / 255
weight = rng.normal(size=(1, 1, 3, 3))
dense = np.append(0, weight)[layer]
flat, dy = digits.reshape(32, 64), rng.normal(size=(32, 64))
ddense = ref.linear_backward(dy, flat, dense)[1]
tied = np.bincount(layer.ravel(), ddense.ravel())[1:]
dweight = ref.conv2d_backward(dy.reshape(32, 1, 8, 8), digits, weight, padding=1)[1]
outputs = np.abs(ref.linear(flat, dense) - ref.conv2d(digits, weight, padding=1).reshape(32, 64)).max()
claims.measure("conv-is-tied-linear", max(outputs, np.abs(tied - dweight.ravel()).max()))

# %% [markdown]
# ## What im2col costs, and what it wins
#
# It costs memory. With same padding and stride 1 there is a window around every pixel, so a 3 × 3 kernel makes nine numbers out of one.

# %%
claims.measure("im2col-memory", ref.im2col(patch, 3, padding=1).size / patch.size)

# %% [markdown]
# It wins time, all the same: the processor reads long rows of memory in order and multiplies, which is what it is built for.[^goto] We time the three forms of the same layer in this very run.

# %% alt="Three horizontal bars of milliseconds. The bar of the plain loops is long; those of im2col and of PyTorch are hardly visible beside it."
weight = rng.normal(size=(16, 3, 3, 3))
tensors = [torch.tensor(a) for a in (patch, weight)]
runs = {"plain loops": lambda: ref.conv2d_loops(patch, weight, padding=1),
        "im2col": lambda: ref.conv2d(patch, weight, padding=1),
        "PyTorch": lambda: twin.conv2d(*tensors, padding=1)}
seconds = {name: statistics.median(timeit.repeat(run, number=1, repeat=7)) for name, run in runs.items()}
plots.bars({"milliseconds, median of seven": [1000 * s for s in seconds.values()]}, list(seconds), form="{:,.2f}")

# %% [markdown]
# **Figure.** The same numbers from the same input, three ways. PyTorch is the twin; libraries today keep the idea of im2col but build the matrix in small tiles, in fast memory, and never have the whole of it.[^chetlur]

# %%
claims.measure("im2col-speedup", seconds["plain loops"] / seconds["im2col"])

# %% [markdown]
# ## A small network that reads digits
#
# All parts are there; let them learn. The network has 16 kernels, a rectifier, pooling (the largest of each 2 × 2 numbers, so that the maps get smaller), and one linear layer that turns what is left into ten scores. Here it is forwards, and below it backwards: **backpropagation is the forward pass read upwards**, each operator answered by its gradient.

# %%
def loss_and_gradients(weights, x, labels):
    w1, b1, w2, b2 = weights
    a = ref.conv2d(x, w1, b1, padding=1)
    h = ref.relu(a)
    p = ref.max_pool2d(h, 2)
    scores = ref.linear(p.reshape(len(x), -1), w2, b2)
    loss = ref.cross_entropy(scores, labels)

    dscores = ref.cross_entropy_backward(1.0, scores, labels)
    dp, dw2, db2 = ref.linear_backward(dscores, p.reshape(len(x), -1), w2, b2)
    dh = ref.max_pool2d_backward(dp.reshape(p.shape), h, 2)
    da = ref.relu_backward(dh, a)
    _, dw1, db1 = ref.conv2d_backward(da, x, w1, b1, padding=1)
    return loss, scores, [dw1, db1, dw2, db2]

# %% [markdown]
# Scikit-learn carries handwritten digits of 8 × 8 pixels.[^digits] We learn from one part of them and test on the other, which the network never sees.

# %% tags=["nbval-check-output"]
train, test = data.digits("train"), data.digits("test")


def start(rng):
    return [rng.normal(0, np.sqrt(2 / 9), (16, 1, 3, 3)), np.zeros(16),
            rng.normal(0, np.sqrt(2 / 256), (10, 256)), np.zeros(10)]


print(train, test, sep="\n")
print("parameters:", sum(a.size for a in start(np.random.default_rng(0))))

# %% [markdown]
# Learning is *gradient descent*: take 16 images, work out the gradient, move every weight a little against it, and repeat. The step shrinks from epoch to epoch, an *epoch* being one walk through all training images.

# %%
def fit(seed, epochs=8, rate=0.3):
    rng = np.random.default_rng(seed)
    weights, correct = start(rng), []
    for epoch in range(epochs):
        for batch in np.array_split(rng.permutation(len(train)), len(train) // 16):
            gradients = loss_and_gradients(weights, train.images[batch] / 255, train.labels[batch])[2]
            weights = [w - rate * (1 - epoch / epochs) * g for w, g in zip(weights, gradients)]
        answers = [loss_and_gradients(weights, s.images / 255, s.labels)[1].argmax(1) for s in (train, test)]
        correct.append([100 * (a == s.labels).mean() for a, s in zip(answers, (train, test))])
    return weights, answers[1], np.array(correct)


fits = [fit(seed) for seed in range(5)]
accuracy = np.array([correct[-1, 1] for _, _, correct in fits])
print("test accuracy of five networks, in percent:", accuracy.round(1))

# %% alt="Two curves over eight epochs, training and test accuracy in percent, each with a narrow band over five seeds. Both rise steeply in the first two epochs and flatten; training ends a little above test."
history = np.stack([correct for _, _, correct in fits])
plots.curves({"training": history[:, :, 0], "test": history[:, :, 1]}, "epoch", "correct, %")

# %% [markdown]
# **Figure.** Five networks that differ only in their random start and in the order of images: mean and range. The gap between the curves is what was learned by heart.

# %% tags=["nbval-check-output"]
print("above 95 % on images never seen, all five:", (accuracy > 95).all())

# %% [markdown]
# What has it learned? The kernels were noise at the start. Now they are detectors, and nobody wrote them.

# %% alt="Sixteen small squares of three by three cells in blue and orange, the learned kernels. In many of them one side is blue and the other orange, along a row, a column or a diagonal."
weights, answers, _ = fits[0]
plots.images(weights[0], columns=8, signed=True)

# %% [markdown]
# **Figure.** The sixteen kernels of the first network, each on its own scale. Where one side is blue and the other orange, the kernel answers to an edge of that direction: kin of the ones we wrote by hand for the cat.

# %% alt="Six digits of eight by eight grey pixels that the network gets wrong, each with its true class and the network's answer above it. Most are written so oddly that a person would hesitate too."
wrong = np.flatnonzero(answers != test.labels)[:6]
said = [f"a {test.labels[i]}, read as {answers[i]}" for i in wrong]
plots.images(test.images[wrong], said, columns=6)

# %% [markdown]
# **Figure.** Mistakes of the first network. Ask yourself what you would have said.
#
# ## The claims, measured
#
# Each row above holds a claim of the lecture against this run, and the ledger collects them all. Convolution commutes with shifts; it is a product of matrices, many times faster than loops and paid for in memory; it is a sparse, tied layer of an MLP. Two statements needed mending: the parameter count lacked the depth of the input, and maps keep the image's size only under a condition.
#
# ## Exercises
#
# **1. Predict before you run.** A photograph of 64 × 64 in colour goes through 32 kernels of 5 × 5 with stride 2 and padding 2. What is the shape of the maps? How many parameters has the layer, and how many rows and columns its matrix of patches? Write it down, then ask `ref`.
#
# <details markdown="1"><summary>Solution</summary>
#
# $\lfloor (64 + 4 - 5)/2 \rfloor + 1 = 32$, so 32 maps of 32 × 32. Parameters $5 \cdot 5 \cdot 3 \cdot 32 + 32 = 2432$. A column holds $5 \cdot 5 \cdot 3 = 75$ numbers and there are $32 \cdot 32 = 1024$ columns.
#
# ```python
# image, weight = np.zeros((1, 3, 64, 64)), np.zeros((32, 3, 5, 5))
# print(ref.conv2d(image, weight, stride=2, padding=2).shape)
# print(weight.size + 32, ref.im2col(image, 5, stride=2, padding=2).shape)
# ```
#
# </details>
#
# **2. Program it.** Write `im2col` for one channel without any loop over windows: make two arrays of indices, for the row and for the column of every number in the matrix, and take them all from the image at once. Check it against `ref.im2col`.
#
# <details markdown="1"><summary>Solution</summary>
#
# Number `k` of a patch lies `k // u` rows and `k % u` columns from the patch's corner; window `n` has its corner at row `n // across` and column `n % across`. Adding a column of the first to a row of the second gives all pairs.
#
# ```python
# def columns_by_index(image, u):
#     down, across = image.shape[0] - u + 1, image.shape[1] - u + 1
#     k, n = np.arange(u * u)[:, None], np.arange(down * across)
#     return image[k // u + n // across, k % u + n % across]
#
# image = cat[0, 0, :20, :30]
# print(np.array_equal(columns_by_index(image, 3), ref.im2col(image[None, None], 3)[0]))
# ```
#
# </details>
#
# **3. Predict, then program it.** Is `col2im(im2col(x))` the image again? If not, what is missing, and how do you mend it in one line?
#
# <details markdown="1"><summary>Solution</summary>
#
# Every pixel comes back as often as it was copied: the result is the image times the counts of the figure above. Divide by them.
#
# ```python
# back = ref.col2im(ref.im2col(small, 3), (5, 5), kernel_size=3)
# print(np.allclose(back, small), np.allclose(back / counts, small))
# ```
#
# </details>
#
# **4. Think.** Keep the windows of AlexNet's third layer but *untie* the weights, so that each place of its 13 × 13 maps has its own kernels and biases. How many parameters would it have? What would you gain, and what lose?
#
# <details markdown="1"><summary>Solution</summary>
#
# $13 \cdot 13$ times as many: $169 \cdot 885{,}120 = 149{,}585{,}280$, more than twice all of AlexNet. Such a layer, called *locally connected*, can look for eyes above and mouths below, which helps where all pictures are aligned, as in passport photographs. It has to learn everything anew at every place, from as many times fewer examples.
#
# </details>
#
# ## What you can do now
#
# - Work out a convolution by hand, and say how large its maps are and how many parameters it has.
# - Write it as one product of matrices, and say what that costs and wins.
# - Take its gradient, check it numerically, and see a wrong one fail.
# - Explain to an owner of an MLP what a CNN is: the same layer with most weights zero and the rest shared.
# - Train a small network with nothing but NumPy.
#
# ## Sources
#
# The lecture's slides "Connectionism: from MLP to CNNs" and "Image to column operation (im2col)". V. Dumoulin and F. Visin draw every setting of stride and padding in *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, 2016.
#
# [^fukushima]: K. Fukushima, Neocognitron, *Biological Cybernetics* 36, 193–202, 1980, has shared weights in a network of layers; Y. LeCun and others, cited below, train them by backpropagation.
# [^kayhan]: O. S. Kayhan and J. C. van Gemert, On Translation Invariance in CNNs: Convolutional Layers Can Exploit Absolute Spatial Location, *CVPR*, 2020.
# [^azulay]: A. Azulay and Y. Weiss, Why do deep convolutional networks generalize so poorly to small image transformations?, *Journal of Machine Learning Research* 20 (184), 2019.
# [^krizhevsky]: A. Krizhevsky, I. Sutskever and G. E. Hinton, ImageNet Classification with Deep Convolutional Neural Networks, *NIPS*, 2012, section 3.5.
# [^chellapilla]: K. Chellapilla, S. Puri and P. Simard, High Performance Convolutional Neural Networks for Document Processing, *International Workshop on Frontiers in Handwriting Recognition*, 2006.
# [^lecun]: Y. LeCun and others, Backpropagation Applied to Handwritten Zip Code Recognition, *Neural Computation* 1 (4), 541–551, 1989.
# [^goto]: K. Goto and R. A. van de Geijn, Anatomy of High-Performance Matrix Multiplication, *ACM Transactions on Mathematical Software* 34 (3), 2008.
# [^chetlur]: S. Chetlur and others, cuDNN: Efficient Primitives for Deep Learning, arXiv:1410.0759, 2014.
# [^digits]: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
