# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="What did a million labels buy?"
# # Discussion: what is a label worth?
#
# Every network of this course learned from *labels*: somebody looked at a picture and wrote down *cow*. For ImageNet, people did this more than a million times. What did all that work buy? And if a network gets every label of its training set right, has it understood something, or has it learned a list by heart?
#
# This chapter weighs the labels in bits, replaces them by nonsense and sees what happens, and then asks what the networks that come out of it cost.

# %% tags=["nbval-check-output"]
import lzma
import timeit
from dataclasses import replace
from functools import partial
from itertools import permutations
from time import thread_time

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from dtwin import check, claims, cost, data, parallel, plots, ref, train, twin
from dtwin.twin.nets import MLP

torch.set_num_threads(1)  # nets as small as these run no faster on two
device = "cuda" if torch.cuda.is_available() else "cpu"
herd = "cow cow cow horse horse horse".split()
print("ways to label six pictures with two names:", 2 ** 6)
print("ways to shuffle three cows and three horses:", len(set(permutations(herd))))

# %% [markdown]
# ## Discussion: The burden of supervision
#
# ### How many bits?
#
# Six pictures, each of a cow or of a horse, can be labelled in $2^6 = 64$ ways. Whoever wants to tell somebody which of the 64 it is must answer six questions with yes or no: the labels hold six *bits*. With $C$ names in place of two, and $n$ pictures,
#
# $$\text{bits} = \log_2 C^{\,n} = n \log_2 C, \tag{13.1}$$
#
# if all names are equally probable. A *shuffle* holds a little less, for it keeps the number of cows: the second line says 20 ways, which are 4.3 bits. Exercise 2 works that out for ImageNet. The slide asks what 1.5 million labels of a thousand names are worth.

# %%
def counted(name):
    with torch.device("meta"):
        return cost.total(getattr(twin.nets, name)(), (3, 224, 224))


labels, weights = 1_281_167 * np.log2(1000), 32 * counted("alexnet").parameters
print(f"labels of ILSVRC-2012: {labels / 1e6:.1f} Mbit; "
      f"weights of AlexNet: {weights / 1e6:.0f} Mbit, {weights / labels:.0f} times that")
claims.measure("label-bits-of-the-slide", 1.5e6 * np.log2(1000) / 1e6)

# %% [markdown]
# > [!note]
# > **Erratum.** The training set of the challenge, ILSVRC-2012, has 1,281,167 labels (a number recalled here, not looked up), not 1.5 million. And a shuffled list of true labels holds marginally less than labels drawn from a hat, as the horses show.
#
# Is that much? Hold it against what has to store it: the weights of AlexNet, 32 bits each. Nothing in the *size* of AlexNet keeps it from learning its labels as a list.
#
# Labels drawn from a hat cannot, on average, be written in fewer bits, by any code. A compressor shows it, from its side: it finds no pattern, and needs somewhat more than the bits above. The same labels *sorted* nearly vanish. What can be compressed is what has a rule.

# %%
hat = np.random.default_rng(0).integers(0, 1000, 1_281_167).astype("<u2")
drawn, ordered = (8 * len(lzma.compress(a.tobytes())) / (len(hat) * np.log2(1000))
                  for a in (hat, np.sort(hat)))
print(f"sorted: {ordered:.4f} of n log C")
claims.measure("random-labels-do-not-compress", drawn)

# %% [markdown]
# ### Labels from a hat
#
# True labels should be different, for there is a rule behind them, in the pictures. A network that finds the rule needs no list. In 2016 Zhang and others asked what happens if there is no rule to find [@zhang2017]. They trained networks for CIFAR-10, a set of photographs of ten classes, on labels that they had drawn at random, and changed nothing else. (Chapter 6 did so once, in passing; here is the whole of it.) All four networks could hold a list, for they have more parameters than there are pictures, 50,000.

# %%
claims.quote("zhang-on-cifar10")

# %%
claims.quote("zhang-parameter-counts")

# %% [markdown]
# Now the experiment itself, on a scale for two cores: 1,000 handwritten digits of 8 × 8 pixels to learn from, 797 to be tested on, and an MLP with two hidden layers of 256 units. Besides the labels, the pixels can be spoiled: *shuffled* in the same way in all pictures, in another way in each (*random pixels*), or replaced by *Gaussian noise* of the same mean and variance.

# %% alt="Twelve small pictures: three handwritten digits, then the same three with their pixels scattered in one way, scattered in three ways, and replaced by grey noise."
digits, others = data.digits("train"), data.digits("test")
pictures, names = (np.concatenate(pair) for pair in
                   ((digits.images, others.images), (digits.labels, others.labels)))
seen, unseen = (replace(digits, images=pictures[part], labels=names[part])
                for part in (slice(1000), slice(1000, None)))
x = (pictures.reshape(-1, 64) - pictures.mean()) / pictures.std()
order = np.random.default_rng(13).permutation(64)
SPOIL = {"shuffled pixels": lambda x, rng: x[:, order],
         "random pixels": lambda x, rng: rng.permuted(x, axis=1),
         "Gaussian noise": lambda x, rng: rng.standard_normal(x.shape)}
rng = np.random.default_rng(0)
rows = {"true pixels": x[:3]} | {name: spoil(x[:3], rng) for name, spoil in SPOIL.items()}
plots.images([row[k].reshape(8, 8) / 4 + 0.4 for row in rows.values() for k in range(3)],
             [name if k == 0 else "" for name in rows for k in range(3)], columns=6)

# %% [markdown]
# **Figure.** Three digits, and what is done to them. An MLP does not know which pixels are neighbours, so to it the shuffled ones are as good as the true ones. Random pixels keep only how much ink there was, and noise keeps nothing.
#
# The network learns until it gets through all its examples without an error, and then it stops. Nothing is tuned to the case: learning rate, momentum and batch are the same for all.

# %%
def learn(x, y, seed, limit=150):
    torch.manual_seed(seed)
    net, errors = MLP(64, 256, 256, 10).to(device), [100.0]
    sgd = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    x, y = (torch.tensor(a, device=device) for a in (np.float32(x), y))
    while errors[-1] > 0 and len(errors) <= limit:
        wrong = 0
        for i in torch.randperm(len(x)).split(64):
            scores = net(x[i])
            sgd.zero_grad()
            twin.cross_entropy(scores, y[i]).backward()
            sgd.step()
            wrong += (scores.argmax(1) != y[i]).sum().item()
        errors.append(100 * wrong / len(x))
    return net, errors[1:]


def scores_of(net, x):
    with torch.no_grad():
        return net(torch.tensor(np.float32(x), device=device)).cpu()

# %% [markdown]
# A *corrupted* label is replaced by one from the hat, with probability 0, ¼, ½, ¾ or 1.

# %% tags=["nbval-check-output"]
def experiment(seed, share=0.0, spoil=lambda x, rng: x):
    rng = np.random.default_rng(seed)
    shown = spoil(x, rng)
    drawn, hat = rng.random(1000) < share, rng.integers(0, 10, 1000)
    net, errors = learn(shown[:1000], np.where(drawn, hat, names[:1000]), seed)
    answers = scores_of(net, shown[1000:]).argmax(1).numpy()
    return errors, 100 * (answers != names[1000:]).mean()


shares = [0, 0.25, 0.5, 0.75, 1]
cases = {**{share: {"share": share} for share in shares},
         **{name: {"spoil": spoil} for name, spoil in SPOIL.items()}}
rows = parallel.grid(lambda name, seed: experiment(seed, **cases[name]), cases, range(3))
runs = dict(zip(cases, rows))
last = [errors[-1] for run in runs.values() for errors, _ in run]
print(f"{len(last)} networks, without an error in the end: {last.count(0)}")

# %% alt="Five curves of the training errors over the epochs, with bands. Those of true labels, shuffled pixels, random pixels and Gaussian noise fall to zero within twenty epochs. That of random labels stays near ninety percent at first, falls slowly, and reaches zero after about fifty."
longest = max(len(errors) for errors, _ in runs[1])
padded = {name: [errors + [0.0] * (longest - len(errors)) for errors, _ in run]
          for name, run in runs.items()}
learning = {"random labels": padded[1], "true labels": padded[0],
            **{name: padded[name] for name in SPOIL}}
plots.curves(learning, "epoch", "training errors, %")

# %% [markdown]
# **Figure.** (a) Learning curves: three networks each, mean and range. All end at zero, whatever they are given. Two pairs lie on each other: true and shuffled pixels, to an MLP the same thing, and random pixels and noise. Random labels on real digits take by far the longest.

# %%
claims.measure("every-hat-is-learned", max(last))

# %% [markdown]
# Noise with labels that mean nothing is learned *faster* than real digits with random labels. Real digits of a class look alike, and to give two that are alike different names, the network must look for what they differ in. Any two pictures of noise are far apart.

# %%
epochs = {name: np.array([len(curve) for curve, _ in run]) for name, run in runs.items()}
in_order = (epochs[0] < epochs["Gaussian noise"]) & (epochs["Gaussian noise"] < epochs[1])
claims.measure("true-labels-are-learned-first", (~in_order).sum())

# %% [markdown]
# ### Convergence slowdown
#
# How much longer does it take to learn labels of which a part is nonsense?

# %% alt="One curve with a band of the epochs until nothing is wrong, against the share of corrupted labels. It rises steeply from about ten to about fifty between no corruption and a quarter, and then stays level."
slowdown = {"epochs": np.array([epochs[share] for share in shares]).T}
percent = [100 * share for share in shares]
plots.curves(slowdown, "corrupted labels, %", "epochs until no error", x=percent)

# %% [markdown]
# **Figure.** (b) Convergence slowdown. Nonsense makes learning several times as long, but not endless, and a quarter of it costs about as much as nothing but nonsense: the hard part is the list, however long.

# %%
claims.measure("random-labels-are-slower", epochs[1].mean() / epochs[0].mean())

# %% [markdown]
# ### Generalisation error growth
#
# On digits never seen, the two kinds of learning come apart.

# %% alt="Two curves against the share of corrupted labels. The training error lies at zero throughout. The test error rises from about five percent in a nearly straight line to ninety."
tested = np.array([[error for _, error in runs[share]] for share in shares]).T
ends = np.array([[errors[-1] for errors, _ in runs[share]] for share in shares]).T
both = {"test": tested, "training": ends}
plots.curves(both, "corrupted labels, %", "errors, %", x=percent)

# %% [markdown]
# **Figure.** (c) Growth of the generalisation error. At every share the training error says the same, zero. It cannot tell a network that reads from one that recites.
#
# > [!note]
# > **Erratum.** The slide shows Zhang's three figures below a sentence about ImageNet. They are of CIFAR-10. On ImageNet, random labels were learned to 95.20 %, not to the last.

# %%
mean = tested.mean(axis=0)
claims.measure("error-grows-with-corruption", (np.diff(mean) < 0).sum())

# %%
claims.measure("error-is-linear-in-corruption", np.corrcoef(shares, mean)[0, 1] ** 2)

# %%
claims.measure("corruption-ends-in-guessing", mean[-1])

# %% [markdown]
# Nothing else can be expected of labels without a rule. But note what the network did on the way: at a corruption of one half it has learned every wrong label by heart, and still reads most digits. Memory and understanding live in the same weights.
#
# ### Are the regularisers the reason?
#
# Why does a network that *could* learn a list by heart generalise from true labels? The answer of the textbooks was that *regularisers* forbid the list: weight decay keeps weights small, dropout (chapter 11) switches units off, and moved pictures make more examples of each. Take them away, one after the other, says Zhang, and little happens.

# %%
claims.quote("regularisers-on-cifar10")

# %% alt="Horizontal bars of right answers on test digits, all a little below ninety-five percent: none, weight decay, dropout, shifts by a pixel."
def taught(seed, build=lambda: MLP(64, 256, 256, 10), **options):
    torch.manual_seed(seed)
    settings = {"epochs": 12, "schedule": "linear", "weight_decay": 0.0, "seed": seed}
    net, recipe = build(), train.Recipe(**settings | options)
    statistics = train.fit(net, seen, recipe).statistics
    return 100 * train.evaluate(net, unseen, statistics).accuracy


def dropping():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Dropout(),
                         nn.Linear(256, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 10))


ways = {"none": {}, "weight decay": {"weight_decay": 5e-4},
        "dropout": {"build": dropping}, "shifts by a pixel": {"pad": 1}}
rows = parallel.grid(lambda way, seed: taught(seed, **way), ways.values(), range(3))
right = [np.mean(row) for row in rows]
plots.bars({"right on test digits, %": right}, list(ways), form="{:.1f}")

# %% [markdown]
# **Figure.** Means of three networks after twelve epochs, which are few for shifts: they make the task harder, and pay later. The regularisers are a detail: nearly all of the reading is there without any.

# %%
claims.measure("regularisers-are-a-detail", np.ptp(right))

# %% [markdown]
# So neither the number of parameters nor the regularisers explain generalisation. What does is still being argued about. What is left is the data, in which there is a rule, and gradient descent, which among all the solutions tends to find simple ones first [@arpit2017].
#
# ### What labels are worth to a network
#
# There is a fairer price of a label than the $\log_2 C$ of [(13.1)](#equation-1): what does it cost somebody who *has the pictures* and a network? Let two people train the same network on the labels that both know, and let one send the next labels in a code in which a label of probability $p$ takes $-\log_2 p$ bits. What the network expects is cheap. Then both learn the new labels as well, and so on: an idea of Rissanen's, tried on networks by Blier and Ollivier [@blier2018].

# %%
def sent(labels, seed):
    stops = [10, 30, 100, 300, 1000]
    bits = stops[0] * np.log2(10)  # the first ten labels go in the plain code
    for known, more in zip(stops, stops[1:]):
        net, _ = learn(x[:known], labels[:known], seed)
        expected = scores_of(net, x[known:more]).double().log_softmax(1)
        bits -= expected[range(more - known), labels[known:more]].sum().item() / np.log(2)
    return bits


hats = [np.random.default_rng(seed).integers(0, 10, 1000) for seed in range(3)]
prices = [1000 * np.log2(10)]
for lists in (3 * [names[:1000]], hats):
    prices.append(np.mean(parallel.map(sent, lists, range(3))))

# %% alt="Three horizontal bars of bits for a thousand labels. Without a network 3,322. With a network, true labels take a small part of that, and random labels more than twice as much."
kinds = ["without a network", "true labels", "random labels"]
plots.bars({"bits for 1,000 labels": prices}, kinds)

# %% [markdown]
# **Figure.** Given the pictures, most of what the true labels say is known before they arrive; the early ones carry the price. Random labels can only be dearer than in the plain code, for a network that expects something where there is nothing to expect pays for every disappointment.
#
# This is the answer to the slide's question. As a list, labels are worth $\log_2 C$ bits each. To somebody who sees the pictures, the first of them are worth a lot, and every later one less. The burden of supervision is that people have to be paid the same for each.
#
# ### How much can a network memorise?
#
# Learning by heart has a limit as well. Give networks with one hidden layer, of three widths, ever more points of pure noise with random labels, and see what share they get right after 600 steps. Stop where 99 % are right.

# %%
def memorised(hidden, seed, ratio, steps=600):
    torch.manual_seed(seed)
    net = MLP(64, hidden, 10).to(device)
    points = int(ratio * sum(p.numel() for p in net.parameters()))
    x, y = torch.randn(points, 64).to(device), torch.randint(10, (points,)).to(device)
    adam = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(steps):
        scores = net(x)
        right = 100 * (scores.argmax(1) == y).double().mean().item()
        if right >= 99:
            break
        adam.zero_grad()
        twin.cross_entropy(scores, y).backward()
        adam.step()
    return right

# %% alt="Three curves that nearly lie on each other: labels learned in percent against labels per weight. They stay at 99 up to about half a label per weight and then fall to about two thirds at one."
widths, ratios = [12, 18, 24], [0.3, 0.45, 0.65, 1.0]
learned = {f"{75 * h + 10:,} weights": np.array(
    parallel.grid(partial(memorised, h), range(3), ratios)) for h in widths}
plots.curves(learned, "labels per weight", "labels learned, %", x=ratios)

# %% [markdown]
# **Figure.** Three networks of each width, mean and range. Against *labels per weight* the curves of small and large networks fall together: capacity is counted in weights.

# %%
capacity = [max(r for r, right in zip(ratios, values.mean(axis=0)) if right >= 99)
            for values in learned.values()]
claims.measure("labels-per-weight", min(capacity))

# %%
claims.measure("capacity-grows-with-weights", max(capacity) / min(capacity))

# %% [markdown]
# This is what gradient descent found in 600 steps; the networks may hold more. At half a label for each weight, AlexNet has room for many times the labels of ImageNet, as its bits said.
#
# ## Discussion: The state-of-the-art
#
# What do networks cost, and what does the cost buy? Canziani and others drew the networks of 2016 in one plane: accuracy against operations, with circles as large as the networks [@canziani2016]. Here is their picture, continued. Accuracies are those that torchvision publishes for its weights, one crop, top-1 [@torchvision]. Parameters and multiply-adds of the networks that this course builds are counted by [`cost.total`][dtwin.cost.total]; the others' are torchvision's.

# %%
OURS = {"alexnet": 56.52, "vgg19": 72.38, "resnet18": 69.76, "resnet34": 73.31,
        "resnet50": 76.13, "resnet101": 77.37, "resnet152": 78.31}  # top-1 accuracy, %
OTHERS = {"GoogLeNet": (69.78, 6.62e6, 1.50), "MobileNetV2": (71.88, 3.50e6, 0.30),
          "EfficientNet-B0": (77.69, 5.29e6, 0.39), "Swin-T": (81.47, 28.29e6, 4.49),
          "ViT-B/16": (81.07, 86.57e6, 17.56), "ConvNeXt-T": (82.52, 28.59e6, 4.46),
          "ConvNeXt-L": (84.41, 197.77e6, 34.36)}
ours = {name: counted(name) for name in OURS}
rows = {name: (OURS[name], net.parameters, net.multiply_adds / 1e9, "C0")
        for name, net in ours.items()}
rows |= {name: (*row, "C1" if name in ("Swin-T", "ViT-B/16") else "C2")
         for name, row in OTHERS.items()}
rows["resnet50, trained anew"] = 80.86, *rows["resnet50"][1:]
for name, (_, size, work, _) in rows.items():
    print(f"{name:22} {size / 1e6:6.1f} M parameters {work:6.2f} G multiply-adds")

# %% alt="A plane of accuracy against multiply-adds, logarithmic from 0.3 to 34 billion, with a circle for each network. AlexNet is low on the left, VGG-19 large and far right at 72 percent. The ResNets rise from 70 to 78 between them. Above lie the networks of later years, from MobileNetV2 on the far left to ConvNeXt-L at 84 percent on the far right. An arrow rises from ResNet-50 to the same network trained in a newer way."
@plots.figure
def ball_chart(rows, to_the_left):
    fig, ax = plots.canvas(4.8)
    for name, (accuracy, parameters, operations, colour) in rows.items():
        radius = (parameters / 2e5 / np.pi) ** 0.5
        way = -1 if name in to_the_left else 1
        ax.scatter(operations, accuracy, parameters / 2e5, color=colour, alpha=0.3, lw=0)
        ax.plot(operations, accuracy, ".", color=colour)
        ax.annotate(name, (operations, accuracy), (way * (radius + 4), 0), fontsize=8.5,
                    textcoords="offset points", ha="right" if way < 0 else "left",
                    va="center", color=colour)
    arrow = {"arrowstyle": "->", "color": "C0"}
    ax.annotate("", (4.09, 80.5), (4.09, 76.7), arrowprops=arrow)
    ax.set(xscale="log", xlim=(0.2, 150), ylim=(54, 87), ylabel="right answers, %",
           xlabel="billions of multiply-adds for one picture")
    ax.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    return fig


ball_chart(rows, {"GoogLeNet", "ConvNeXt-T", "resnet50, trained anew"})

# %% [markdown]
# **Figure.** Right answers on ImageNet against work; the area of a circle is the number of parameters. Blue: counted here; green: other convolutional networks; orange: networks of attention, of which more below. Two ways lead out of 2016: to the left (as good, for less) and upwards. The arrow leads to the same ResNet-50 with torchvision's second weights: not one parameter more, only a longer and better training. (torchvision's AlexNet is a later plan by the same author, with 61.1 million parameters; counted here is that of 2012.)
#
# *Information density* is what Canziani calls accuracy divided by parameters: what a parameter contributes. The largest networks in his picture use theirs worst, for AlexNet and VGG keep nearly all of them in dense layers at the end, which GoogLeNet and its heirs replaced by an average over the feature maps.

# %%
published = {"AlexNet": 56.5 / 61.1, "VGG-16": 71.6 / 138.4, "GoogLeNet": 69.8 / 6.6}
found = published["GoogLeNet"] / np.array([published["AlexNet"], published["VGG-16"]])
claims.measure("information-density", 100 * np.abs(found / [10, 20] - 1).max())

# %% [markdown]
# ### Do operations tell the time?
#
# An operation is not a second. Here are fourteen random stacks of 3 × 3 convolutions, timed by their processor time on one core, one picture at a time.

# %%
def stack(rng):
    widths = [3] + [16 * int(rng.integers(1, 7))] * int(rng.integers(2, 9))
    return nn.Sequential(*(layer for a, b in zip(widths, widths[1:])
                           for layer in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())))


def seconds(net, picture, rounds):
    with torch.inference_mode():
        return min(timeit.repeat(lambda: net(picture), timer=thread_time, number=1,
                                 repeat=rounds))


rng, picture = np.random.default_rng(13), torch.randn(1, 3, 32, 32)
stacks = [stack(rng) for _ in range(14)]
work = [cost.total(net, (3, 32, 32)).multiply_adds for net in stacks]
time = np.min([[seconds(net, picture, 3) for net in stacks] for _ in range(8)], axis=0)
claims.measure("operations-predict-time", np.corrcoef(work, time)[0, 1] ** 2)

# %% [markdown]
# Now the real ones, at the size they were made for. Their weights are zero: a clock does not ask what is multiplied.

# %% alt="Two panels of horizontal bars for seven networks. Images per second: AlexNet by far the most, then the ResNets in falling order of depth, VGG-19 fewest. Billions of multiply-adds per second: similar for the ResNets and VGG-19, lower for AlexNet."
def zeroed(name):
    with torch.device("meta"):
        net = getattr(twin.nets, name)()
    net = net.to_empty(device="cpu").eval()
    for tensor in net.state_dict().values():
        tensor.zero_()
    return net


picture = torch.randn(1, 3, 224, 224)
took = np.array([seconds(zeroed(name), picture, 2) for name in tqdm(OURS)])
speed = [net.multiply_adds / 1e9 for net in ours.values()] / took
plots.bars({"images a second": 1 / took, "G multiply-adds a second": speed}, list(OURS),
           form="{:.1f}")

# %% [markdown]
# **Figure.** One core of the machine that made this page. If operations told the time exactly, the bars on the right would be equal. AlexNet falls out: its dense layers fetch each weight from memory for a single multiplication, and the core waits for the memory. More pictures at once would share each fetch.
#
# And accuracy against time? Take one small CNN for our digits, in six widths.

# %% alt="A rising curve with a band of right answers against time. It climbs steeply at the left, where networks are narrow, and is flat at the right."
def narrow(k):
    return nn.Sequential(
        nn.Conv2d(1, k, 3, padding=1), nn.ReLU(),
        nn.Conv2d(k, k, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(k, k, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(k, 10))


sizes, batch = [2, 4, 6, 8, 12, 16], torch.randn(500, 1, 8, 8)
reached = np.array(parallel.grid(
    lambda seed, k: taught(seed, lambda: narrow(k), epochs=8), range(3), sizes))
each = 1e6 / 500 * np.array([seconds(narrow(k), batch, 20) for k in sizes])
plots.curves({"CNN": reached}, "microseconds for a picture", "right answers, %", x=each)

# %% [markdown]
# **Figure.** Six widths, three networks each, mean and range. The first microseconds buy nearly everything. (The narrowest guess; somewhat wider ones now and then do not get going either, hence the broad band.) Which curve fits better, a line or a hyperbola $a - b/t$? *Akaike's criterion* (AIC) compares fits by their squared errors; lower is better.

# %%
def aic(t, y):
    residual = y - np.polyval(np.polyfit(t, y, 1), t)
    return len(t) * np.log((residual ** 2).mean()) + 2 * 2


y = reached.mean(axis=0)
claims.measure("accuracy-against-time-is-a-hyperbola", aic(1 / each, y) - aic(each, y))

# %% [markdown]
# Canziani measured one thing more that we cannot, the electric power of a small board. And the lecture says that we have come a long way in a few years. One number for how far is the time to train a network for CIFAR-10 to 94 %. Part of the gain is faster cards, and part is what people learned about training.

# %%
claims.quote("power-is-flat")

# %%
claims.quote("time-to-94-percent")

# %% [markdown]
# ## Discussion: CNNs and the way forward
#
# The slide of this name shows a picture and no words. It was shown on 27 November 2020. What came next had already begun, and both lines of it are answers to this chapter. (The dates and figures of this section are recalled.)
#
# **Attention** asks whether the network must be told that neighbours matter. A picture is cut into patches. Each makes a *query* $q$, a *key* $k$ and a *value* $v$, and takes the average of all values, weighed by how well its query fits their keys:
#
# $$y_i = \sum_j \operatorname{softmax}_j\!\left(\frac{q_i \cdot k_j}{\sqrt{d}}\right) v_j . \tag{13.2}$$
#
# A convolution looks at a fixed window; here the picture itself decides where to look. In a network, queries and keys are learned. Take the mean colour of the patch, without its brightness and normalised, for both, and one can see already what [(13.2)](#equation-2) does.

# %% alt="A ginger cat's face and three maps of coarse squares. That of a patch of its left eye is bright on that eye and on the other one, that of the nose on nose and fur, that of the background on the background, and on the glints in the eyes."
cat = data.photographs()["chelsea"].images[0, :, 30:230, 90:390] / 255
patches = cat.reshape(3, 20, 10, 30, 10).mean(axis=(2, 4)).reshape(3, 600).T
keys = patches - patches.mean(axis=1, keepdims=True)  # the colour without its brightness
keys = 0.7 * (keys - keys.mean(axis=0)) / keys.std(axis=0)
attention = ref.softmax(keys @ keys.T / np.sqrt(3)).reshape(600, 20, 30)
plots.images([cat, *(m / m.max() for m in attention[[245, 493, 88]])],
             ["photograph", "left eye", "nose", "behind"], columns=2)

# %% [markdown]
# **Figure.** Where three patches look. One eye finds the other, half a picture away, in a single step; a stack of 3 × 3 windows would need many layers for that.
#
# **Self-supervision** asks whether people must give the labels at all. The picture sets its own task: to say what stood in a patch that was covered, or which two crops come from one photograph. What is learned there is then read out with few labels. The figure of prices says why this can work: to somebody who knows the pictures, most labels say nothing new.
#
# In order: attention was enough for translation in June 2017. Features learned without labels came close to those learned with them in MoCo (November 2019) and SimCLR (February 2020). The Vision Transformer of October 2020 did without convolutions, and with 300 million labelled pictures. CLIP (February 2021) read 400 million pictures with the words that stood beside them. DINO (April 2021) and masked autoencoders (November 2021) brought attention and self-supervision together. And in January 2022 ConvNeXt gave a plain convolutional network all the new habits of training and design, and it was as good as attention. How much of each success is the operator and how much the recipe and the data is as open as Zhang's question.

# %%
claims.quote("the-way-forward")

# %% [markdown]
# ## The claims, measured
#
# On the digits Zhang's observations hold in kind: everything is learned to the last label, nonsense later than sense (here by a factor of five, in the paper of two or three), and what is worth anything shows only on new pictures. Regularisers change that by a few points, up or down. Of Canziani's plane, the part that needs no power meter holds too: operations tell the time where memory does not, accuracy is a hyperbola of it, and parameters say little about either.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. Seen through the hat? ★★
#
# **Predict before you run.** A quarter of the labels is corrupted. Train, and count errors on the *training* digits against their **true** labels. Will the network have seen through the hat?

# %% [markdown] tags=["hint"]
# **Hint.** A network without training error gives every training picture the label that it was given. How many of those are not the true ones, if the hat may return the right label by luck?

# %% [markdown] tags=["solution"]
# **Solution.** No. It has no training error, so it repeats every wrong label: its errors are the corrupted labels themselves, less the tenth of them that the hat got right by chance, or about 22.5 %. Stopped after a few epochs, it makes far fewer: count them with `learn(x[:1000], y, seed, limit=4)`.

# %% [markdown]
# ### Exercise 2. The bits of a shuffled list ★★
#
# **Program it.** Write `shuffle_bits(counts)`, the bits of a shuffled list in which name $c$ stands `counts[c]` times: the logarithm, to base 2, of $n! / \prod_c n_c!$. Three cows and three horses must give 4.32. Run `check(shuffle_bits)`. How many are 1,281 of each of a thousand names?

# %% [markdown] tags=["hint"]
# **Hint.** Factorials of millions are too large to write down, but the logarithm of a quotient is a difference.

# %% [markdown] tags=["hint"]
# **Hint.** `math.lgamma(n + 1)` is the natural logarithm of $n!$, for any $n$.

# %% [markdown] tags=["solution"]
# **Solution.** The logarithms of all factorials, and one division:

# %% tags=["solution", "nbval-check-output"]
from math import lgamma, log


def shuffle_bits(counts):
    return (lgamma(sum(counts) + 1) - sum(lgamma(n + 1) for n in counts)) / log(2)


check(shuffle_bits)

# %% tags=["solution", "nbval-check-output"]
bits, drawn = shuffle_bits([1281] * 1000), 1_281_000 * np.log2(1000)
print(f"{shuffle_bits([3, 3]):.2f} bits, and {bits / 1e6:.2f} million")
print(f"less than if each were drawn for itself: {1 - bits / drawn:.2%}")

# %% [markdown]
# ### Exercise 3. Labellers who disagree ★★
#
# **Think.** Your own labellers agree with each other on 95 % of the pictures. What does figure (c) say of a network trained on their labels to no training error, and what of its test error on *their* labels?

# %% [markdown] tags=["solution"]
# **Solution.** If their slips are random, it costs the network few points in truth: near no corruption the curve rises by less than the corruption. But tested on labels of the same kind, even a perfect reader is called wrong on each slip. The two must not be confused, and a test set deserves better labels than a training set.

# %% [markdown]
# ## What you can do now
#
# - Say what a set of labels holds in bits, and what it is worth to somebody who has the pictures.
# - Test a network of your own with labels from a hat, and say what a training error of zero proves.
# - Compare networks by operations, parameters and time, and put a date on attention and self-supervision, and say which question each of them answers.
#
# ## Sources
#
# The lecture's slides "Discussion: The burden of supervision", "The state-of-the-art" and "CNNs and the way forward". Attention is by Vaswani and others [@vaswani2017], and for pictures by Dosovitskiy and others [@dosovitskiy2021]; ConvNeXt is by Liu and others [@liu2022]. The digits are those of chapter 6; the cat is Chelsea, photographed by Stefan van der Walt (CC0), from scikit-image.
