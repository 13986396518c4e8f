# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="What would you like to tell apart, and what will your network look at?"
# # A laboratory
#
# Thirteen chapters asked what makes a cow a cow. This one asks *you* for a question. Is it a cow or a sheep? Is this leaf ill? Which of my two cats is in the photograph? You will collect pictures, build a network, train it, and then do what is done too seldom: find out what it looks at, and write that down.
#
# Everything below runs as it stands, with a question of ours. Run it once, then put your own under step 1 and run it again. After each step a few lines say whether the ground is firm enough for the next.

# %%
import base64
import copy
import dataclasses
import html
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from IPython.display import HTML, Markdown

from dtwin import check, claims, cost, data, explain, gradcheck, parallel, plots
from dtwin import ref, train, twin
from dtwin.data import loader, pasture

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(1)  # the networks of this laboratory run no faster on two

# %% [markdown]
# ## Step 1: a question, and pictures that answer it
#
# The pasture has ten species; name two or more in `ANSWERS`. For pictures of your own set the variable `DTWIN_DATASET` to a folder with `train/<answer>/` and `test/<answer>/` in it before you start ([the data page](../data.md) shows how), and `ANSWERS` comes from the folder's names.
#
# Ours is a question for a child. But there are fewer than a thousand pictures to learn it from, of animals in any coat, on any ground, seen from any side.

# %%
QUESTION = "Is it a cow or a sheep?"
ANSWERS = ("cow", "sheep")


def mine(split):
    every = data.dataset(split)
    if every.name != "pasture":
        return every
    names = np.array(every.classes)[every.labels]
    chosen, names = every[np.isin(names, ANSWERS)], names[np.isin(names, ANSWERS)]
    labels = np.array([ANSWERS.index(name) for name in names])
    return dataclasses.replace(chosen, labels=labels, classes=ANSWERS)


pictures, unseen = mine("train"), mine("test")
names = pictures.classes

# %% alt="Two rows of eight small pictures of cows and sheep, each with its name above it, on meadow, sand, straw and snow, from all sides, some half hidden behind a fence or a bush."
plots.images(pictures.images[:16], [names[k] for k in pictures.labels[:16]], columns=8)

# %% [markdown]
# **Figure.** What the network will learn from. Could *you* answer each of these? Where you cannot, no network should be asked to.
#
# Before anything is trained, three questions about the pictures. Are there enough of each answer? Is one answer so common that saying it always would look clever? And is any picture among those to learn from *and* those to be tested on? The last one is the commonest mistake of all, and it makes every result look better.

# %% tags=["nbval-check-output"]
steps = []


def step(sentence, holds):
    steps.append((sentence, bool(holds)))
    print("yes:" if holds else "NO: ", sentence)


sets = pictures, unseen
counts = np.array([np.bincount(part.labels, minlength=len(names)) for part in sets])
learned, asked = ({picture.tobytes() for picture in part.images} for part in sets)
step("at least 50 pictures of each answer to learn from", counts[0].min() >= 50)
step("at least 50 pictures of each answer to be tested on", counts[1].min() >= 50)
even = (counts.max(1) < 3 * counts.min(1)).all()
step("no answer is three times as common as another", even)
step("no picture is in both sets", not learned & asked)

# %% [markdown]
# ## Step 2: what costs nothing
#
# A number means little alone. Two answers cost no learning at all: always say what is commonest, and say what the most similar picture shows, pixel by pixel, as in [chapter 1](01_the_question.ipynb). A network has to beat both.

# %%
def flat(part):
    return part.images.reshape(len(part), -1).astype(np.float32)


a, b = flat(pictures), flat(unseen)
squared = (b**2).sum(1)[:, None] - 2 * b @ a.T + (a**2).sum(1)
commonest = (unseen.labels == counts[0].argmax()).mean()
nearest = (pictures.labels[squared.argmin(1)] == unseen.labels).mean()
print(f"always {names[counts[0].argmax()]!r}: {commonest:.1%} right; "
      f"nearest in pixels: {nearest:.1%}")

# %% [markdown]
# ## Step 3: the operators, by hand
#
# A network is a chain of functions whose slopes are known. The shortest chain that deserves the name: convolution, ReLU, mean of each map, linear layer. With the operators of `dtwin.ref` it is one line forwards, and the same line read backwards for the gradient:
#
# $$x \;\to\; a = w_1 * x \;\to\; h = \max(a, 0) \;\to\; m = \text{mean}(h) \;\to\; s = w_2\, m. \tag{14.1}$$

# %% tags=["nbval-check-output"]
def tiny(x, w1, w2):
    return ref.linear(ref.global_avg_pool(ref.relu(ref.conv2d(x, w1, padding=1))), w2)


def tiny_backward(ds, x, w1, w2):
    a = ref.conv2d(x, w1, padding=1)
    h = ref.relu(a)
    dm, dw2 = ref.linear_backward(ds, ref.global_avg_pool(h), w2)[:2]
    da = ref.relu_backward(ref.global_avg_pool_backward(dm, h), a)
    dx, dw1 = ref.conv2d_backward(da, x, w1, padding=1)[:2]
    return dx, dw1, dw2


rng = np.random.default_rng(0)
two = pictures.images[:2] / 255
w1, w2 = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=(len(names), 4))
errors = gradcheck.gradient_errors(tiny, tiny_backward, two, w1, w2)
step("the gradient of the network written by hand is its slope", max(errors) < 1e-6)

# %% [markdown]
# All that follows is [(14.1)](#equation-1), with more layers. Change one line of `tiny_backward`, forget the ReLU, say, and the check above turns to NO.
#
# ## Step 4: choose, without looking at the test
#
# Which network? Try some, and let pictures decide that none of them has learned from. Those cannot be the test pictures: who picks the best of many on the test set has learned from it too, and its number is no longer a promise. So a quarter of the *training* pictures is held back, the **validation set**.

# %%
held = np.arange(len(pictures)) % 4 == 0
recipe = train.Recipe(epochs=10, lr=0.05, batch=32, schedule="one-cycle",
                      pad=2, flip=True)
candidates = {
    "MLP": lambda: twin.nets.MLP(3 * 32 * 32, 64, len(names)),
    "small AlexNet": lambda: twin.nets.SmallAlexNet(classes=len(names), batch_norm=True),
    "small ResNet": lambda: twin.nets.ResNet((1, 1, 1), 8, len(names), shortcut="A")}


def trained(name, learn, watch, seed):
    torch.manual_seed(seed)
    net = candidates[name]()
    return net, train.fit(net, learn, dataclasses.replace(recipe, seed=seed), watch)


def tried(name, seed):
    return trained(name, pictures[~held], pictures[held], seed)[1].test_accuracy


tries = dict(zip(candidates, parallel.grid(tried, candidates, range(3))))

# %% alt="Three curves of right answers in percent on the validation pictures over ten epochs, each with a band over three seeds: the small AlexNet rises far above the others; the small ResNet begins lowest and ends level with the MLP."
plots.curves({name: 100 * np.array(runs) for name, runs in tries.items()},
             "epoch", "right on validation pictures, %")

# %% [markdown]
# **Figure.** Mean and range over three seeds. Where bands overlap, the pictures do not decide between the networks, and the cheaper one may be taken with a good conscience.

# %%
price = {name: cost.total(make(), (3, 32, 32)) for name, make in candidates.items()}
final = {name: np.mean([run[-1] for run in runs]) for name, runs in tries.items()}
head = ["network | parameters | millions of multiply-adds | validation", "--|--:|--:|--:"]
rows = [f"{name} | {net.parameters:,} | {net.multiply_adds / 1e6:.1f} | {final[name]:.1%}"
        for name, net in price.items()]
Markdown("\n".join(head + rows))

# %% [markdown]
# An MLP has no feature maps, and nothing for Grad-CAM to show. So the choice is between the other two.

# %%
choice = max(("small AlexNet", "small ResNet"), key=final.get)
print("chosen on the validation pictures:", choice)

# %% [markdown]
# ## Step 5: train it, and test it once
#
# Now all training pictures are learned from, three times over with other seeds, and the test pictures are looked at for the first time. With $n$ of them, a share $p$ of right answers is known only to about $\pm 2\sqrt{p(1-p)/n}$, whatever was done with the seeds.

# %%
runs = parallel.map(partial(trained, choice, pictures, unseen), range(3))
scores = np.array([history.test_accuracy[-1] for _, history in runs])
net, history = runs[0]
right = scores.mean()
blur = 2 * np.sqrt(right * (1 - right) / len(unseen))
print(f"{right:.1%} right, from {scores.min():.1%} to {scores.max():.1%} over seeds; "
      f"with {len(unseen)} pictures give or take {blur:.1%}")

# %% tags=["nbval-check-output"]
step("the network beats what costs nothing by more than chance",
     right - blur > max(commonest, nearest))

# %% [markdown]
# Do the operators that ran do what we think? The small ResNet has a twin, a forward pass in NumPy from the same weights. (If it was not chosen, it is trained here for this check alone.)

# %% tags=["nbval-check-output"]
here = choice == "small ResNet"
residual, _ = (net, None) if here else trained("small ResNet", pictures, None, 0)
residual = copy.deepcopy(residual).double()
pixels, labels = loader.on_device(unseen[:16], device)
x, _ = next(loader.batches(pixels, labels, 16, history.statistics))
state = {name: v.cpu().double().numpy() for name, v in residual.state_dict().items()}
by_hand = ref.nets.resnet(x.cpu().double().numpy(), state, (1, 1, 1), "A")
with torch.no_grad():
    by_torch = residual(x.double()).cpu().numpy()
step("NumPy and PyTorch say the same of the small ResNet",
     np.abs(by_hand - by_torch).max() < 1e-9)

# %% [markdown]
# ## Step 6: what does it look at?
#
# Right for which reason? Chapter 12 had two instruments that go together with any network: *Grad-CAM* marks where the last feature maps speak for the answer, and *occlusion* covers one square of the picture after the other and marks where that hurts most. Look at pictures the network gets right, and longer at those it gets wrong.

# %%
layer = {"small AlexNet": "norms.3", "small ResNet": "blocks.2"}[choice]
pixels, labels = loader.on_device(unseen, device)
x, _ = next(loader.batches(pixels, labels, len(unseen), history.statistics))
with torch.no_grad():
    said = net(x).argmax(1).cpu().numpy()
found = {"Grad-CAM": explain.grad_cam(net, x, layer),
         "occlusion": explain.occlusion(net, x, size=8, stride=4)}
maps = {name: explain.resize(each, x.shape[2:]).cpu().numpy()
        for name, each in found.items()}

# %% alt="Two rows of six small pictures over which a map glows, by Grad-CAM above and by occlusion below: three animals that were named rightly, and three that were named wrongly, with what was said and what they are. By occlusion the light lies on the animals; by Grad-CAM it also lies beside them."
good = said == unseen.labels
shown = [*np.flatnonzero(good)[:3], *np.flatnonzero(~good)[:3]]
titles = [names[said[n]] + ("" if good[n] else f", is {names[unseen.labels[n]]}")
          for n in shown]
overlay = plots.overlays(np.concatenate([unseen.images[shown]] * 2),
                         np.concatenate([each[shown] for each in maps.values()]),
                         titles + [""] * len(shown), columns=len(shown))
overlay

# %% [markdown]
# **Figure.** Where the evidence for the answer lies, above by Grad-CAM, below by occlusion: three right answers, then three wrong ones.
#
# A few pictures persuade too easily. The pasture knows where each animal is, so that the light can be *weighed*: which share of it lies on the animal, and which share would lie there by chance, if it were spread evenly?

# %%
own = pictures.name != "pasture"
scenes = [] if own else [s for s in pasture.scenes(1000, "test") if s.species in ANSWERS]
finding = "Your pictures come without masks: look at more of them, and judge by eye."
if not own:
    masks = torch.tensor(np.stack([one.mask for one in pasture.pictures(scenes)]))
    chance = masks.float().mean().item()
    on_it = {name: explain.energy(torch.tensor(each), masks).mean().item()
             for name, each in maps.items()}
    shares = " and ".join(f"{share:.0%} of the light of {k}" for k, share in on_it.items())
    finding = f"The animal fills {chance:.0%} of the picture; on it lies {shares}."
print(finding)

# %% [markdown]
# The instruments need not agree, and then one has to know how they work. Grad-CAM gives each feature map *one* weight, the mean of its gradient over all places. That is right for a network that ends in a mean over places, as the small ResNet does. A network with fully connected layers, such as the small AlexNet, has other weights at each place, and their mean may say little. Occlusion asks the network itself, and is slow.
#
# Even that is no proof: a light on the animal may mean its coat, its outline, or its shadow's edge. The sharpest question is the one that a *counterfactual* asks: change one cause and nothing else, and see whether the answer changes. In the pasture that is possible, picture by picture.

# %%
def changed(fields):
    """Percent of answers that change when each scene gets causes of its neighbour."""
    pairs = zip(scenes, scenes[1:] + scenes[:1])
    other = [dataclasses.replace(a, **{field: getattr(b, field) for field in fields})
             for a, b in pairs]
    images = dataclasses.replace(unseen, images=pasture.images(other))
    answers = train.outputs(net, images, history.statistics).argmax(1).numpy()
    return 100 * (answers != said).mean()


causes = {"ground": ["ground"], "sky": ["sky"], "light": ["sun_azimuth", "sun_elevation"],
          "coat": ["coat", "colours"], "pose": ["graze", "look", "step", "stride"],
          "view": ["azimuth", "elevation"], "species": ["species"]}
shares = {} if own else {name: changed(fields) for name, fields in causes.items()}

# %% alt="Seven horizontal bars, the percentage of answers that change when one cause is exchanged: few for sky and pose; more for ground, light, coat and view; most for the species."
shown = shares or {"no scenes": 0}
plots.bars({"answers changed, %": list(shown.values())}, list(shown), form="{:.0f}")

# %% [markdown]
# **Figure.** Each scene got one cause of its neighbour and kept all others. Half of the neighbours are of the other species; there the answer *should* change. Everywhere else a change is a reason that has nothing to do with the question.

# %% tags=["nbval-check-output"]
step("by one instrument at least, more light lies on the animal than by chance",
     own or max(on_it.values()) > chance)
step("its answers hang on the species more than on anything else",
     own or max(shares, key=shares.get) == "species")

# %% [markdown]
# ## Step 7: write it down
#
# The last step is yours. In a sentence or two: what does the network look at, how do you know, and for which pictures would you *not* trust it? The notebook puts your words beside the numbers, on one page that can be sent to somebody.

# %%
MY_WORDS = (
    "Covering the animal hurts most, and exchanging the species changes more answers than "
    "anything else. But view, light, coat and ground change some as well: I would not trust "
    "it under a sun, with a coat or in a field that it has not seen.")

# %%
facts = {"Pictures": f"{len(pictures)} to learn from, {len(unseen)} to be tested on",
         "Answers": ", ".join(names),
         "Network": f"{choice}, {price[choice].parameters:,} parameters",
         "Right": f"{right:.1%} (over seeds {scores.min():.1%} to {scores.max():.1%})",
         "Costs nothing": f"commonest {commonest:.1%}, nearest picture {nearest:.1%}",
         "Looks at": finding,
         "Changed by": ", ".join(f"{k} {share:.0f} %" for k, share in shares.items())}
lines = "".join(f"<dt>{k}</dt><dd>{html.escape(text)}</dd>" for k, text in facts.items())
checks = "".join(f"<li>{'yes' if ok else 'NO'}: {html.escape(text)}</li>"
                 for text, ok in steps)
report = (f"<h3>{html.escape(QUESTION)}</h3><p>{html.escape(MY_WORDS)}</p>"
          f"<dl>{lines}</dl><ul>{checks}</ul>")
HTML(report)

# %% tags=["nbval-check-output"]
place = Path(tempfile.mkdtemp()) / "report.html"  # put a place of your own here
image = base64.b64encode(overlay.light).decode()
head = ("<!doctype html><html lang='en'><meta charset='utf-8'><title>Report</title>"
        "<style>body { max-width: 45em; margin: 3em auto; font: 17px/1.5 serif }</style>")
figure = (f'<img src="data:{overlay.mime};base64,{image}" width="100%" '
          'alt="Maps of Grad-CAM and of occlusion over six pictures">')
place.write_text(head + report + figure, "utf-8")
print(f"written: {place.name}, with {place.read_text('utf-8').count('<img')} figure")

# %% [markdown]
# ## The claims, measured
#
# The lecture ends with its bibliography and a link to a laboratory. The link needs an account elsewhere and may be gone tomorrow; this page needs neither. The bibliography can be checked against what the slides cite.

# %%
cited = {"Cabral 2013", "Canziani 2016", "Fischler 1973", "GO-Gulf 2017", "He 2016",
         "Ioffe 2015", "Krizhevsky 2012", "Marr 1982", "Roberts 1963", "Selvaraju 2017",
         "Smeulders 2000", "Srivastava 2014", "Zeiler 2014", "Zhang 2016"}
listed = {"Canziani 2016", "Fischler 1973", "He 2016", "Ioffe 2015", "Krizhevsky 2012",
          "Marr 1982", "Roberts 1963", "Selvaraju 2017", "Smeulders 2000",
          "Srivastava 2014", "Zeiler 2014", "Zhang 2016"}
print("cited and not listed:", ", ".join(sorted(cited - listed)))
claims.measure("bibliography-is-complete", len(cited - listed))

# %% [markdown]
# > [!note]
# > **Erratum.** Two works that the slides cite are missing from their bibliography: Cabral and others 2013, on the slide about a picture and a thousand words, and the infographic by GO-Gulf, 2017, on the slide about the content crash.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1. False labels ★★
#
# **Predict before you run.** One label in five of the training pictures is drawn anew, at random. What becomes of the training accuracy, and of the test accuracy? Write both down, then run step 5.

# %% [markdown] tags=["hint"]
# **Hint.** How many of the labels that were drawn anew are *wrong*? And how often does a network meet a picture exactly as it was, if each time it is moved and mirrored?

# %% [markdown] tags=["solution"]
# **Solution.** With two answers, half of the redrawn labels are right by luck, so that a tenth is wrong. Ten epochs with pictures that are moved and mirrored are too few to learn the false ones by heart: the training accuracy stays below nine tenths. The test accuracy falls by less, for the false labels pull in no common direction.
#
# ```python
# rng = np.random.default_rng(1)
# false = rng.random(len(pictures)) < 0.2
# labels = np.where(false, rng.integers(len(names), size=len(pictures)), pictures.labels)
# _, history = trained(choice, dataclasses.replace(pictures, labels=labels), unseen, 0)
# print(history.accuracy[-1], history.test_accuracy[-1])
# ```

# %% [markdown]
# ### Exercise 2. A question beside the animal ★★★
#
# **Program it.** Make a question whose answer is *not* in the animal: pictures of one species, and the answer is on which side of the camera the sun stands. Azimuths are angles in degrees, and grow to the camera's right. Write `sun_on_the_right(sun, camera)`, which says of two arrays of azimuths where the sun stands to the right of the camera, less than half a turn away, and run `check(sun_on_the_right)`. Can a network learn the question, and where does it look?

# %% [markdown] tags=["hint"]
# **Hint.** A sun at 10° stands to the right of a camera at 350°. `% 360` brings an angle to between 0 and 360.

# %% [markdown] tags=["hint"]
# **Hint.** `pasture.scenes(n, split, species="cow", ground="sand")` draws the scenes, and their `sun_azimuth` and `azimuth` say where sun and camera are. One part of the recipe makes this question impossible. Which?

# %% [markdown] tags=["solution"]
# **Solution.** The difference counts, without its full turns:

# %% tags=["solution", "nbval-check-output"]
def sun_on_the_right(sun, camera):
    return (sun - camera) % 360 < 180


check(sun_on_the_right)

# %% [markdown] tags=["solution"]
# A network can learn it. When we tried, nineteen answers of twenty were right, but with the recipe as it stands hardly more than half: a mirrored picture has the sun on the other side, and its label does not know. So set `flip=False` first. The map lies on the shadow on the ground and on the lit edge of the body, which is where the answer is.
#
# ```python
# def by_sun(split, n):
#     scenes = pasture.scenes(n, split, species="cow", ground="sand")
#     sun, camera = np.array([(s.sun_azimuth, s.azimuth) for s in scenes]).T
#     return dataclasses.replace(pictures, name="sun", split=split,
#                                images=pasture.images(scenes), classes=("left", "right"),
#                                labels=sun_on_the_right(sun, camera).astype(int))
#
# recipe = dataclasses.replace(recipe, flip=False)
# net, history = trained("small ResNet", by_sun("train", 1000), by_sun("test", 300), 0)
# print(history.test_accuracy[-1])
# ```

# %% [markdown]
# ### Exercise 3. The share of the light ★
#
# **Program it.** Write `energy(maps, masks)` of step 6 in NumPy: the share of each map's positive part that lies inside its mask, both of shape (N, H, W). What should it say of a map that is nowhere positive? Let such a map count as an even one, with the same light at every pixel, and run `check(energy)`.

# %% [markdown] tags=["hint"]
# **Hint.** `np.maximum(maps, 0)` is the light. Both sums run over the last two axes.

# %% [markdown] tags=["hint"]
# **Hint.** `light.any((1, 2))` says which maps have light at all. The others can be given some.

# %% [markdown] tags=["solution"]
# **Solution.** The dark maps are set to 1 before the light is weighed:

# %% tags=["solution", "nbval-check-output"]
def energy(maps, masks):
    light = np.maximum(maps, 0)
    light[~light.any((1, 2))] = 1
    return (light * masks).sum((1, 2)) / light.sum((1, 2))


check(energy)

# %% tags=["solution", "nbval-check-output"]
two_maps = np.array([[[3.0, -1], [1, 0]], [[0, 0], [0, 0]]])
energy(two_maps, np.array([[[True, True], [False, False]]] * 2))

# %% [markdown] tags=["solution"]
# Three quarters, and a half. A map without light has no share of it: to call that 0 would punish the map, and to call it 1 would praise it. An even map knows nothing about the animal either, and scores what chance would.

# %% [markdown]
# ### Exercise 4. What no network can tell ★★
#
# **Think.** Name a question that your pictures cannot answer, however good the network: one whose answer always comes together with something else. Which single picture, if you had it, would tell the two apart?

# %% [markdown] tags=["solution"]
# **Solution.** Cows only on meadow, from chapter 12, is the pattern: *cow* and *meadow* are one and the same to any network that sees nothing else. The picture to ask for is the exception, a cow on sand. If no such picture can be had, neither can the answer.

# %% [markdown]
# ## What you can do now
#
# - Turn a question into pictures, and find out whether they can answer it.
# - Choose a network without deceiving yourself, and say how sure its score is.
# - Weigh where a network looks, and change one cause at a time to see what its answers hang on.
# - Write down, with numbers, what a network is good for and where you would not trust it.
#
# And what makes a cow a cow? You have seen six answers, from edges and solids to words in a bag and maps that light up. None of them is the child's. But each can now be asked, in your own pasture, what it takes a cow to be.
#
# ## Sources
#
# The lecture's slides "Bibliography" and "Laboratory". The pictures are rendered by `dtwin.data.pasture`, or are your own.
