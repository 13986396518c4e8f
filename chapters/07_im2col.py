# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="How can a layer learn a thing once and see it everywhere?"
# # Convolution and im2col
#
# A cat's ear is an ear wherever it appears in a photograph. A multilayer perceptron (MLP) cannot know that: each of its units has one weight for every number in the picture, and what it learns about the upper left corner says nothing about the lower right. How can a layer learn a thing once and see it everywhere? And how is such a layer worked out quickly, when what a computer does best is to multiply matrices?
#
# The answers are *convolution* and *im2col*. First the photograph, and what the old way costs.

# %% tags=["nbval-check-output"]
import base64
import inspect
import io
import timeit

import numpy as np
import torch
from IPython.display import Markdown
from matplotlib.image import imsave
from matplotlib.patches import Rectangle
from tqdm import tqdm

from dtwin import check, claims, data, plots, receptive, ref, twin
from dtwin.data import pasture
from dtwin.gradcheck import gradient_errors

cat = data.photographs()["chelsea"].images / 255
print("shape of the photograph:", cat.shape)
print(f"weights of one unit of an MLP that looks at it: {cat.size:,}")

# %% [markdown]
# The *shape* says how many images, how many channels (red, green, blue), height and width, in this order throughout the course.
#
# ## From MLP to CNNs
#
# A convolutional network (CNN) gives a unit a small window instead of the whole image, and moves it. The weights of the window, its *kernel*, stay the same wherever it lies: they are **shared** [@fukushima1980]. Take an image of 3 × 3 pixels and a kernel of 2 × 2. Multiply what lies under the window by the kernel, add up, write down the sum. The window fits in four places, and the four sums in their places are the *feature map*.

# %% tags=["nbval-check-output"]
x = np.array([[3, 1, 4], [1, 5, 9], [2, 6, 5]])
w = np.array([[1, 0], [2, -1]])
print("upper left: ", 3 * 1 + 1 * 0 + 1 * 2 + 5 * -1)
print("upper right:", 1 * 1 + 4 * 0 + 5 * 2 + 9 * -1)

# %% alt="Three matrices in a row: the image of three by three numbers, a star, the kernel of two by two numbers, an equals sign, and the feature map of two by two numbers, 0 and 2 above, minus 1 and 12 below."
y = np.array([[(x[i:i + 2, j:j + 2] * w).sum() for j in range(2)] for i in range(2)])
plots.matrices([x, w, y], labels=["image", "kernel", "feature map"], between=["∗", "="])

# %% [markdown]
# **Figure.** Each number of the feature map is one window of the image, weighed by the one kernel. Blue is positive, orange negative.
#
# > [!note]
# > Mathematicians turn the kernel by half a turn before they slide it, and call what we do *cross-correlation*. A network learns its kernels, so to it the two are the same, and the field says convolution. So do we.
#
# A colour image has depth $d = 3$, and so has each kernel that looks at it: it weighs all channels of its window and returns one number. Several kernels, stacked, give as many feature maps. Here are five of 7 × 7 × 3, made by hand from one round bump.

# %% tags=["nbval-check-output"]
r = np.arange(-3, 4)
bump = np.exp(-(r[:, None] ** 2 + r ** 2) / 8)
bump /= bump.sum()
point = (r[:, None] == 0) & (r == 0)
grey, reddish = np.full(3, 1 / 3), np.array([1, -0.5, -0.5])
by_hand = [(grey, bump), (grey, 3 * point - 2 * bump),
           (grey, bump * r), (grey, bump * r[:, None]), (reddish, bump)]
kernels = np.stack([np.multiply.outer(colour, form) for colour, form in by_hand])
face = cat[:, :, 30:230, 90:390]
maps = ref.conv2d(face, kernels, padding=3)
print("kernels", kernels.shape, " image", face.shape, " feature maps", maps.shape)

# %% alt="Six pictures of the face of a ginger cat: the photograph in colour, then five feature maps. The first is a soft grey copy, the second a crisp one. The third shows upright edges in blue and orange, the fourth level edges such as the eyelids, and in the last one fur and nose are blue where the eyes are pale."
names = ["photograph", "blur", "sharpen",
         "brighter to the right", "brighter downwards", "redder than grey"]
sheet = plots.images([face[0], *maps[0]], names, columns=3,
                     signed=[False] * 3 + [True] * 3)
slope = np.outer([1, 2, 1], [-1, 0, 1])
small = {"sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "blur": np.full((3, 3), 1),
         "brighter to the right": slope, "brighter downwards": slope.T}
plots.moving("kernel", sheet, kernels=small,
             photograph=face.mean((0, 1))[::2, ::2].round(2))

# %% [markdown]
# **Figure.** One layer with five kernels turns three channels into five feature maps. In the lower row blue is positive, orange negative, and the colour of the page is zero. On the site you can write a kernel of your own.
#
# ### Shift the image, and the map shifts
#
# Shared weights have a consequence that can be tested to the last digit: moving the cat moves its feature maps and changes nothing else. For the test the image is wrapped around, so that nothing falls off its border. Here it moves by 31 pixels. Two habits of real networks break the rule, as the first two lines below show: padding with zeros makes the border a place unlike others [@kayhan2020], and with a *stride* of 2, which keeps every second window, a map cannot move by half of 31 [@azulay2019].

# %%
def zeros(x):
    return ref.conv2d(x, kernels, padding=3)


def wrapped(x, stride=1):
    x = np.pad(x, ((0, 0), (0, 0), (3, 3), (3, 3)), mode="wrap")
    return ref.conv2d(x, kernels, stride=stride)


def broken(layer, by=31, **options):
    before, after = layer(np.roll(face, 31, axis=3), **options), layer(face, **options)
    return np.abs(before - np.roll(after, by, axis=3)).max()


print(f"padding with zeros: off by up to {broken(zeros):.2f}")
print(f"stride of 2:        off by up to {broken(wrapped, by=16, stride=2):.2f}")
claims.measure("convolution-commutes-with-shift", broken(wrapped))

# %% [markdown]
# ### How many parameters?
#
# A kernel of size $u \times v$ has $u \cdot v \cdot d$ weights, for it is as deep as its input. A layer with $d'$ feature maps has $d'$ kernels, and one bias for each map:
#
# $$\text{parameters} = u \cdot v \cdot d \cdot d' + d'. \tag{7.1}$$
#
# > [!note]
# > **Erratum.** The slide has $u \cdot v \cdot d' + d'$ and one tensor of $u \times v \times d'$: the depth $d$ of the input is missing. AlexNet's third layer settles it, for its authors give it "384 kernels of size 3 × 3 × 256" [@krizhevsky2012, section 3.5].

# %%
weight, bias = np.zeros((384, 256, 3, 3)), np.zeros(384)
third = ref.conv2d(np.zeros((1, 256, 13, 13)), weight, bias, padding=1)
print("feature maps", third.shape)
claims.measure("conv3-parameters", weight.size + bias.size)

# %% [markdown]
# AlexNet was trained on two graphics cards, and three of its layers see only those maps that lie on the same card. They have $g = 2$ *groups*, and kernels that are $d/g$ deep. An *activation* is one number of a feature map.

# %% tags=["nbval-check-output"]
# u, d, g, d', side of the map
alexnet = [(11, 3, 1, 96, 55), (5, 96, 2, 256, 27), (3, 256, 1, 384, 13),
           (3, 384, 2, 384, 13), (3, 384, 2, 256, 13)]
parameters = [u * u * (d // g) * maps + maps for u, d, g, maps, side in alexnet]
activations = [side * side * maps for u, d, g, maps, side in alexnet]
slide = sum(u * u * maps + maps for u, d, g, maps, side in alexnet)
print(f"all five layers by the slide's formula: {slide:,}")

# %%
claims.measure("alexnet-conv-parameters", sum(parameters))

# %% alt="Two bar charts over the five convolutions of AlexNet. Parameters: few in conv1, most in conv3. Activations: by far the most in conv1, then falling to conv5."
layers = [f"conv{n}" for n in range(1, 6)]
plots.bars({"parameters": parameters, "activations": activations}, layers)

# %% [markdown]
# **Figure.** Early layers have few parameters and large maps; later ones have many parameters and small maps.
#
# Sharing makes parameters few, but not activations. They grow with the image, and a network that learns has to keep them all until the backward pass.

# %%
conv1 = ref.conv2d(np.zeros((1, 3, 227, 227)), np.zeros((96, 3, 11, 11)), stride=4)
claims.measure("conv1-activations", conv1.size)

# %%
vgg = ref.conv2d(np.zeros((1, 3, 224, 224)), np.zeros((64, 3, 3, 3)), padding=1)
claims.measure("vgg-first-block-activations", vgg.size)

# %% [markdown]
# ### How large are the maps?
#
# An image $w$ wide is widened by a padding of $p$ zeros on each side. The window, $u$ wide, starts at the left and moves in steps of $s$, the stride, as long as it fits; the height goes the same way:
#
# $$w' = \left\lfloor \frac{w + 2p - u}{s} \right\rfloor + 1. \tag{7.2}$$

# %% tags=["nbval-check-output"]
def map_side(side, u, s, p):
    image, kernel = np.zeros((1, 1, side, side)), np.zeros((1, 1, u, u))
    return ref.conv2d(image, kernel, stride=s, padding=p).shape[3]


cases = [(8, 3, 1, 0), (8, 3, 1, 1), (8, 5, 1, 2), (8, 3, 2, 1),
         (227, 11, 4, 0), (4, 3, 2, 3)]
for side, u, s, p in cases:
    print(f"w {side:3}, u {u:2}, s {s}, p {p}:  w' {map_side(side, u, s, p):2}")

# %% [markdown]
# > [!note]
# > **Erratum.** The slide turns $w \times h \times d$ into $w \times h \times d'$ without a condition. It needs stride 1 and $p = (u - 1)/2$, called *same* padding. The line before the last is AlexNet's first layer. Its paper says 224 pixels [@krizhevsky2012, section 3.5]; 55 windows need 227, or 224 with a padding of 2 (chapter 8).
#
# Is that the only way to keep the size? The last line shows another, but its outer windows see nothing except zeros. So let the padding be smaller than the kernel, and the kernel smaller than the image: then every window sees a pixel. We try all such settings up to 16 pixels, and count those that break the rule.

# %%
settings = [(side, u, s, p) for side in range(2, 17) for u in range(1, side)
            for s in range(1, 5) for p in range(u)]
kept = [map_side(side, u, s, p) == side for side, u, s, p in settings]
same = [s == 1 and p == (u - 1) / 2 for side, u, s, p in settings]
print(f"{len(settings):,} settings, {sum(kept)} of them keep the size")
claims.measure("same-size-needs-stride-one", sum(a != b for a, b in zip(kept, same)))

# %% [markdown]
# ### How much does a unit see?
#
# A unit of the first layer sees the pixels under its window and nothing else. A unit of the second layer sees a window of the first layer's map, and through it all that those units see: two layers of 3 × 3 see 5 × 5 pixels. The pixels that a unit can see are its *receptive field*. Let the field be $r$ pixels wide at one layer, and let the fields of neighbours lie $j$ pixels apart, the *jump*; of the picture itself $r = j = 1$. The next layer, with windows $u$ wide and a stride of $s$, has
#
# $$r' = r + (u - 1)\, j, \qquad j' = s\, j .$$
#
# Pooling has windows and strides as well, and counts. Here are the first layers of AlexNet, and then the last of some networks of the chapters to come.

# %% tags=["nbval-check-output"]
names = {"AlexNet": 224, "VGG-19": 224, "ResNet-18": 224, "ResNet-34": 224,
         "ResNet-20": 32, "ResNet-56": 32, "Plain-20": 32}
with torch.device("meta"):  # shapes alone, no numbers
    built = {n: getattr(twin.nets, n.lower().replace("-", ""))() for n in names}
stacks = {n: receptive.layers(built[n], (3, side, side)) for n, side in names.items()}
tops = {f"AlexNet, {layer.name}": stacks["AlexNet"][:n + 1]
        for n, layer in enumerate(stacks["AlexNet"][:4])}
for name, layers in {**tops, **stacks}.items():
    r, j, _ = receptive.field(layers)
    print(f"{name:16} {layers[-1].units:3} units a side, r {r:3}, j {j:2}")

# %% alt="A black and white cow on a meadow, three times, with squares of growing size around its middle. AlexNet: a few squares, the last nearly as large as the picture. VGG-19: many, close together at first, the last as large as the picture. ResNet-34: the squares lie close all the way, and most are larger than the picture."
@plots.figure
def fields(image, stacks):
    fig, axes = plots.canvas(2.5, 1, len(stacks))
    for ax, (name, layers) in zip(axes, stacks.items()):
        ax.imshow(image.transpose(1, 2, 0))
        for n, layer in enumerate(layers, 1):
            r, j, first = receptive.field(layers[:n])
            corner = first + layer.units // 2 * j - 0.5
            ax.add_patch(Rectangle((corner, corner), r, r, fc="none", ec="white"))
        ax.set(title=name, xticks=[], yticks=[])
    return fig


file, cow = io.BytesIO(), pasture.render(pasture.Scene(size=224)).image
imsave(file, cow.transpose(1, 2, 0), format="png")
png = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
nets = {name: {"side": side, "layers": [layer._asdict() for layer in stacks[name]]}
        for name, side in names.items()}
still = fields(cow, {name: stacks[name] for name in ("AlexNet", "VGG-19", "ResNet-34")})
plots.moving("receptive", still, picture=png, nets=nets)

# %% [markdown]
# **Figure.** What the unit in the middle sees, from layer to layer. Small windows see much, if there are enough of them. On the site you can choose the network, the layer and the unit.
#
# ## Convolution in plain loops
#
# The definition in the package's own words is [`ref.conv2d_loops`][dtwin.ref.conv2d_loops]: for each image, each kernel and each place, take one patch, multiply, add up. (`groups` are those of AlexNet; otherwise there is one.)

# %% tags=["slide"]
x4, w4 = x[None, None].astype(float), w[None, None].astype(float)
print("the tiny case:", ref.conv2d_loops(x4, w4).ravel())
Markdown(f"```python\n{inspect.getsource(ref.conv2d_loops)}```")

# %% [markdown]
# ## Image to column (im2col)
#
# The loops spend their time on going round, not on multiplying. The remedy is to *copy first*: write the pixels under each window into a column, side by side, and each kernel into a row [@chellapilla2006]. Row times column is what a window asks for, so one product of matrices does them all.

# %% alt="The image of three by three numbers four times, each time with another window of two by two marked in its own colour. Below each image the four numbers of the window stand in a column of that colour. At the left the kernel stands as a row of four numbers; row times column gives 0, 2, minus 1 and 12, which are folded into the feature map of two by two."
plots.moving("im2col", plots.im2col(x, w), image=np.stack([x, x.T]),
             weight=np.array([[w, -w], [w.T, w]]))

# %% [markdown]
# **Figure.** One colour, one window. Follow it downwards: from the image into its column, through the product with the kernel's row, into its place in the feature map. The 5 in the middle lies under all four windows and is copied four times.

# %% tags=["nbval-check-output"]
print(ref.im2col(x4, 2)[0])
print("kernel row times columns:", w4.reshape(1, 4) @ ref.im2col(x4, 2)[0])

# %% [markdown]
# [`ref.im2col`][dtwin.ref.im2col] gives these columns, and `@` is NumPy's product of matrices. With $d$ channels, $d'$ kernels and $n$ windows it reads
#
# $$\underbrace{Y}_{d' \times n} = \underbrace{W}_{d' \times uvd}\; \underbrace{X}_{uvd \times n} + b ,$$
#
# and [`ref.conv2d`][dtwin.ref.conv2d] is that formula, block by block: some images at a time, or some rows of one. It must agree with the definition, here on a piece of the photograph.

# %% tags=["slide"]
Markdown(f"```python\n{inspect.getsource(ref.conv2d)}```")

# %%
rng = np.random.default_rng(7)
patch = cat[:, :, 100:132, 150:182]
weight, bias = rng.normal(size=(16, 3, 3, 3)), rng.normal(size=16)
product = ref.conv2d(patch, weight, bias, padding=1)
loops = ref.conv2d_loops(patch, weight, bias, padding=1)
claims.measure("im2col-equals-loops", np.abs(product - loops).max())

# %% [markdown]
# ## The gradient, and columns to image
#
# To learn we need the *gradient*: how the loss changes with each weight and each pixel. For a product $Y = WX$ it is two more products, in which $dY$ is the gradient that arrives from above; the bias of a map gets the sum of its row of $dY$.
#
# $$dW = dY\,X^\top, \qquad dX = W^\top dY .$$
#
# Now $dX$ has the form of columns, and the image must get its gradient out of them. A pixel that was copied into several columns changes the loss along several ways, so its gradient is their **sum**. This is [`ref.col2im`][dtwin.ref.col2im]: it puts each column back under its window and *adds* where windows overlap. Columns of ones make it count.

# %% alt="A five by five matrix of counts, darker where larger. The corners hold 1, the middles of the edges 3, and the centre 9."
counts = ref.col2im(np.ones((1, 9, 9)), (5, 5), kernel_size=3)
plots.matrices([counts[0, 0]], labels=["windows over each pixel"])

# %% [markdown]
# **Figure.** A 3 × 3 kernel on 5 × 5 pixels: a corner lies under one window, the centre under nine. Its gradient has as many terms.
#
# Is [`ref.conv2d_backward`][dtwin.ref.conv2d_backward] right? Ask the definition of the derivative: move the weights a little, forwards and backwards, and see how much the output changes. Beside it stands a backward pass with a mistake, which *averages* over the windows of a pixel.

# %% tags=["nbval-check-output"]
def averaging(dy, x, weight):
    dx, dweight, _ = ref.conv2d_backward(dy, x, weight)
    return dx / counts, dweight


images, kernel = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(4, 1, 3, 3))
for backward in (ref.conv2d_backward, averaging):
    dx, dweight = gradient_errors(ref.conv2d, backward, images, kernel)
    right = {"dx": dx < 1e-7, "dweight": dweight < 1e-7}
    print(f"{backward.__name__:16} is right in {right}")

# %% [markdown]
# ## The twin
#
# Every operator of `ref` has a twin of the same name in PyTorch, with PyTorch's own gradients. [`twin.conv2d`][dtwin.twin.conv2d] shares no line with ours, so their agreement is evidence for both.

# %% tags=["nbval-check-output", "slide"]
dy = rng.normal(size=product.shape)
tensors = [torch.tensor(a, requires_grad=True) for a in (patch, weight, bias)]
out = twin.conv2d(*tensors, padding=1)
theirs = [out, *torch.autograd.grad(out, tensors, torch.tensor(dy))]
ours = [product, *ref.conv2d_backward(dy, patch, weight, bias, padding=1)]
for name, a, b in zip(["output", "dx", "dweight", "dbias"], ours, theirs):
    difference = np.abs(a - b.detach().numpy()).max() / np.abs(a).max()
    print(f"{name:8} relative difference below 1e-12: {difference < 1e-12}")

# %% [markdown]
# ## What is the link to MLPs?
#
# A layer of an MLP multiplies the image, laid out as one long vector, by a matrix. Convolution is linear too, so it must have such a matrix. To see it, show the layer images with a single lit pixel: each answer is one column. To see which weight sits where, take the numbers 1 to 9 as the kernel.

# %% alt="Left, a kernel of three by three cells in nine colours, w1 to w9. Right, a matrix of 64 by 64, empty but for nine thin diagonal stripes in the colours of the kernel, in three bands of three; the stripes have gaps where the window hangs over the border."
pixels = np.eye(64).reshape(64, 1, 8, 8)
numbers = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
layer = ref.conv2d(pixels, numbers, padding=1).reshape(64, 64).T.astype(int)
plots.tied(layer, kernel=(3, 3))

# %% [markdown]
# **Figure.** The matrix of a 3 × 3 convolution on 8 × 8 pixels. A row is one place of the window, a colour is one weight of the kernel, again and again down its diagonal. No colour, no connection.
#
# So a convolution **is** a layer of an MLP that keeps two promises: most weights are zero (*sparse*), and the others are copies of a few (*tied*). A row whose window stays inside the image has $u \cdot v \cdot d$ weights among its $w \cdot h \cdot d$ entries.

# %%
inside = np.pad(np.ones((6, 6), bool), 1).ravel()
claims.measure("conv-matrix-density", (layer[inside] > 0).mean())

# %% [markdown]
# Now fill in real weights, each entry by its number, and send handwritten digits through both layers. The gradient of the matrix has one entry for every copy. Added up colour by colour, they must be the gradient of the kernel [@lecun1989].

# %%
digits, dy = data.digits("train").images[:32] / 255, rng.normal(size=(32, 1, 8, 8))
kernel = rng.normal(size=(1, 1, 3, 3))
dense, flat = np.append(0, kernel)[layer], digits.reshape(32, 64)
outputs = ref.linear(flat, dense) - ref.conv2d(digits, kernel, padding=1).reshape(32, 64)
_, ddense, _ = ref.linear_backward(dy.reshape(32, 64), flat, dense)
_, dkernel, _ = ref.conv2d_backward(dy, digits, kernel, padding=1)
gradients = np.bincount(layer.ravel(), ddense.ravel())[1:] - dkernel.ravel()
claims.measure("conv-is-tied-linear", max(np.abs(outputs).max(), np.abs(gradients).max()))

# %% [markdown]
# ## What im2col costs, and what it wins
#
# It costs memory. Same padding and stride 1 give every pixel a window of its own, and every window has its column: a $k \times k$ kernel makes $k^2$ numbers out of one.

# %%
claims.measure("im2col-memory", ref.im2col(patch, 3, padding=1).size / patch.size)

# %% [markdown]
# It wins time nevertheless: multiplying long rows by long columns is what processors are built for, and libraries have been tuned for it for decades [@goto2008]. Here are three forms of one layer, timed in this run.

# %% alt="Three horizontal bars of milliseconds. The bar of the plain loops is long; those of im2col and of PyTorch are hardly visible beside it."
torch.set_num_threads(1)  # to wait for a busy second core costs more than it brings
tensors = [torch.tensor(a) for a in (patch, weight, bias)]
forms = {"plain loops": lambda: ref.conv2d_loops(patch, weight, bias, padding=1),
         "im2col": lambda: ref.conv2d(patch, weight, bias, padding=1),
         "PyTorch": lambda: twin.conv2d(*tensors, padding=1)}
seconds = [np.median(timeit.repeat(form, number=1, repeat=9)) for form in forms.values()]
milliseconds = {"milliseconds, median of nine": [1000 * s for s in seconds]}
plots.bars(milliseconds, list(forms), form="{:,.2f}")

# %% [markdown]
# **Figure.** The same numbers from the same input, three ways. Today's libraries keep the idea of im2col, but build its matrix in small tiles in fast memory and never have the whole of it [@chetlur2014].

# %%
claims.measure("im2col-speedup", seconds[0] / seconds[1])

# %% [markdown]
# ## A small network that reads digits
#
# All parts are there; let them learn. The network has 16 kernels, a rectifier (negative numbers become 0), pooling (of each 2 × 2 numbers the largest) and a linear layer that turns what is left into ten scores. Read it downwards, then upwards: **backpropagation is the forward pass read upwards**, each operator answered by its gradient.

# %% tags=["slide-code"]
def learn(weights, x, labels):
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
    dx, dw1, db1 = ref.conv2d_backward(da, x, w1, b1, padding=1)
    return loss, scores, [dw1, db1, dw2, db2]

# %% [markdown]
# The digits are handwritten, 8 × 8 pixels each [@alpaydin1998]. The network learns from one part and is tested on the other, which it never sees. Learning is *gradient descent*: take 16 images, work out the gradient, move every weight a little against it, repeat. One walk through all training images is an *epoch*, and the steps get smaller from one to the next.

# %%
train, test = data.digits("train"), data.digits("test")


def fit(seed, epochs=6):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, np.sqrt(2 / 9), (16, 1, 3, 3)), np.zeros(16),
               rng.normal(0, np.sqrt(2 / 256), (10, 256)), np.zeros(10)]
    correct = []
    for epoch in range(epochs):
        rate = 0.3 * (1 - epoch / epochs)
        for i in np.array_split(rng.permutation(len(train)), len(train) // 16):
            _, _, gradients = learn(weights, train.images[i] / 255, train.labels[i])
            weights = [w - rate * g for w, g in zip(weights, gradients)]
        for part in (train, test):
            answers = learn(weights, part.images / 255, part.labels)[1].argmax(axis=1)
            correct.append(100 * (answers == part.labels).mean())
    return weights[0], answers, np.reshape(correct, (epochs, 2))

# %% alt="Two curves over six epochs, training and test accuracy in percent, each with a band over the seeds. Both rise steeply in the first two epochs and flatten; training ends a little above test."
fits = [fit(seed) for seed in tqdm(range(3), desc="networks")]
history = np.stack([correct for _, _, correct in fits])
curves = {"training": history[:, :, 0], "test": history[:, :, 1]}
plots.curves(curves, "epoch", "right answers, %")

# %% [markdown]
# **Figure.** Three networks that differ in their random start and in the order of the images: mean and range. The gap between the curves was learned by heart.

# %% tags=["nbval-check-output"]
print("above 95 % on images never seen, all three:", (history[:, -1, 1] > 95).all())

# %% [markdown]
# The kernels were noise at the start. Now they look for something, and nobody told them for what.

# %% alt="Sixteen small squares of three by three cells in blue and orange, the learned kernels. In many of them one side is blue and the other orange, along a row, a column or a diagonal."
learned, answers, _ = fits[0]
plots.images(learned, columns=8, signed=True)

# %% [markdown]
# **Figure.** The kernels of the first network, each on its own scale. Where one side is blue and the other orange, the kernel answers to an edge, as two of ours did on the cat.

# %% alt="Six digits of eight by eight grey pixels that the network gets wrong, each with its true class and the network's answer above it."
wrong = np.flatnonzero(answers != test.labels)[:6]
labels = [f"a {test.labels[i]}, read as {answers[i]}" for i in wrong]
plots.images(test.images[wrong], labels)

# %% [markdown]
# **Figure.** Mistakes of the first network. What would you have said?
#
# ## The claims, measured
#
# Each row above holds a claim of the lecture against this run, and the ledger collects them. Convolution commutes with shifts; it is a product of matrices, dear in memory and quick in time; it is a sparse and tied layer of an MLP. Two statements needed mending: the parameter count lacked the depth of the input, and maps keep the size of the image only under a condition.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. Sizes, without a computer ★
#
# **Predict before you run.** A colour photograph of 64 × 64 goes through 32 kernels of 5 × 5 with stride 2 and padding 2. What is the shape of the maps, how many parameters has the layer, and what is the shape of its columns?

# %% [markdown] tags=["hint"]
# **Hint.** [(7.2)](#equation-2) says how wide the maps are. A column holds all numbers under one window; how many windows are there?

# %% [markdown] tags=["solution"]
# **Solution.** $\lfloor (64 + 4 - 5)/2 \rfloor + 1 = 32$, so 32 maps of 32 × 32. By [(7.1)](#equation-1) there are $5 \cdot 5 \cdot 3 \cdot 32 + 32 = 2432$ parameters, and $32 \cdot 32 = 1024$ columns of $5 \cdot 5 \cdot 3 = 75$ numbers.

# %% tags=["solution", "nbval-check-output"]
photograph, weight, bias = np.zeros((1, 3, 64, 64)), np.zeros((32, 3, 5, 5)), np.zeros(32)
print("maps", ref.conv2d(photograph, weight, bias, stride=2, padding=2).shape)
print("parameters", weight.size + bias.size)
print("columns", ref.im2col(photograph, 5, stride=2, padding=2).shape)

# %% [markdown]
# ### Exercise 2. Columns without a loop ★★
#
# **Program it.** Write `columns_by_index(image, u)`, which returns the columns of one channel, an array of $u \cdot u$ rows, without a loop: make two arrays of indices, one for the row and one for the column of every number in the result, and take them all from the image at once. Then run `check(columns_by_index)`.

# %% [markdown] tags=["hint"]
# **Hint.** Number `k` of a patch lies `k // u` rows and `k % u` columns from the corner of the patch. Where is the corner of window `n`?

# %% [markdown] tags=["hint"]
# **Hint.** `across = image.shape[1] - u + 1` windows fit side by side, so window `n` has its corner at row `n // across` and column `n % across`.

# %% [markdown] tags=["hint"]
# **Hint.** A column of numbers `k` plus a row of numbers `n` makes all pairs: `np.arange(u * u)[:, None]` and `np.arange(down * across)`.

# %% [markdown] tags=["solution"]
# **Solution.** The row of a number is the row of its place in the patch plus the row of the window's corner, and so it goes with the columns.

# %% tags=["solution", "nbval-check-output"]
def columns_by_index(image, u):
    down, across = image.shape[0] - u + 1, image.shape[1] - u + 1
    k, n = np.arange(u * u)[:, None], np.arange(down * across)
    return image[k // u + n // across, k % u + n % across]


check(columns_by_index)

# %% [markdown]
# ### Exercise 3. There and back ★
#
# **Predict, then program it.** Is `col2im(im2col(x))` the image again? If not, write `col2im_mean(cols, output_size, kernel_size)`, which gives it back, and run `check(col2im_mean)`.

# %% [markdown] tags=["hint"]
# **Hint.** Every pixel comes back as often as it was copied. A figure of this chapter counts how often that is.

# %% [markdown] tags=["hint"]
# **Hint.** Columns of ones make `col2im` count.

# %% [markdown] tags=["solution"]
# **Solution.** No: each pixel comes back as often as it lay under a window. Count that, and divide.

# %% tags=["solution", "nbval-check-output"]
def col2im_mean(cols, output_size, kernel_size):
    counts = ref.col2im(np.ones_like(cols), output_size, kernel_size)
    return ref.col2im(cols, output_size, kernel_size) / counts


check(col2im_mean)

# %% [markdown]
# ### Exercise 4. A kernel with holes ★★
#
# **Program it.** A *dilated* kernel sees far with few weights: they lie `dilation` pixels apart, and what is between them is not looked at. Write `dilated_conv2d(x, weight, dilation)`, with stride 1 and no padding, by means of `ref.conv2d`, and run `check(dilated_conv2d)`. How large is the window of a 3 × 3 kernel with dilation 4?

# %% [markdown] tags=["hint"]
# **Hint.** A weight that is zero does not look. So the dilated kernel is an ordinary, larger one.

# %% [markdown] tags=["hint"]
# **Hint.** Between $k$ weights lie $k - 1$ gaps: the large kernel has $\text{dilation} \cdot (k - 1) + 1$ numbers a side. Slices with a step, `[::dilation]`, put the weights into it.

# %% [markdown] tags=["solution"]
# **Solution.** The window is 9 pixels wide, and looks at 9 of its 81 pixels. That the zeros are multiplied too is a waste which a library saves.

# %% tags=["solution", "nbval-check-output"]
def dilated_conv2d(x, weight, dilation):
    out, channels, height, width = weight.shape
    sides = dilation * (height - 1) + 1, dilation * (width - 1) + 1
    holes = np.zeros((out, channels, *sides))
    holes[:, :, ::dilation, ::dilation] = weight
    return ref.conv2d(x, holes)


check(dilated_conv2d)

# %% [markdown]
# ### Exercise 5. A layer untied ★
#
# **Think.** *Untie* AlexNet's third layer, so that each place of its 13 × 13 maps has kernels and biases of its own. How many parameters has it then, what can it do that it could not, and what has it lost?

# %% [markdown] tags=["solution"]
# **Solution.** $169 \cdot 885{,}120 = 149{,}585{,}280$, more than twice all of AlexNet. Such a *locally connected* layer can look for eyes above and mouths below, which helps where pictures are aligned, as in passports. But it learns every place anew, each from its own pixels alone.

# %% [markdown]
# ## What you can do now
#
# - Work out a convolution by hand, and say how large its maps are and how many parameters it has.
# - Write it as one product of matrices, and say what that costs and wins.
# - Take its gradient, check it numerically, and catch a wrong one.
# - Explain to a friend of MLPs what a CNN is: the same layer, most weights zero, the rest shared.
# - Train a small network with nothing but NumPy.
#
# ## Sources
#
# The lecture's slides "Connectionism: from MLP to CNNs" and "Image to column operation (im2col)". The cat is Chelsea, photographed by Stefan van der Walt (CC0), from scikit-image. Every setting of stride and padding is drawn by Dumoulin and Visin [@dumoulin2016].
