# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] question="Would a picture survive being cut into patches and thrown into a bag?"
# # Bags of features
#
# Shuffle the words of a page about cows. "Milk", "pasture", "horn", "calf": you still know what it was about, although not one sentence is left. Would a *picture* survive that? Cut a cow into small patches, throw them into a bag, count what is in it. It sounds absurd, and yet it and its refinements were the best way to tell a cow from a horse for almost ten years, until 2012 [@csurka2004].
#
# This chapter builds that recipe whole, lets you see every stage of it, and measures what it can do. First a sentence.

# %%
import inspect
import time
from collections import Counter
from functools import cache, partial

import numpy as np
import scipy
from IPython.display import Markdown
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from dtwin import check, claims, data, parallel, plots
from dtwin.data import pasture
from dtwin.vision import bags
from dtwin.vision.descriptors import dense_sift, gradient_directions, keypoint_sift

# %% tags=["nbval-check-output"]
counts = Counter("grass cow grass sun grass cow".split())
print("the bag:", [f"{counts[word]} x {word}" for word in ("cow", "grass", "sun")])

# %% [markdown]
# ## Historical context: Bags of Features
#
# A picture has no words. The recipe makes some, in three steps: **first** describe small patches of the picture by numbers, **then** count which of a few typical patches they resemble, **then** hand the counts to a machine that learns. The middle step on a tiny case, by hand: six patches, each described by two numbers, and three typical ones, the *visual words*.

# %% tags=["nbval-check-output"]
patches = np.array([[0, 1], [1, 0], [4, 5], [5, 4], [5, 5], [9, 1]], float)
typical = np.array([[0, 0], [5, 5], [9, 0]], float)
squared = ((patches[:, None] - typical) ** 2).sum(2)
nearest = squared.argmin(1)
histogram = np.bincount(nearest, minlength=3)
print("nearest word of each patch:", nearest, " histogram:", histogram)

# %% alt="Four small matrices in a row: six patches of two numbers each, the squared distances of each patch to three words, a matrix with a single one in each row where the distance is least, and its column sums, 2, 3 and 1."
plots.matrices([patches, squared, np.eye(3)[nearest], histogram],
               ["patches", "squared distances", "nearest word", "histogram"],
               between="→→→")

# %% [markdown]
# **Figure.** Each patch votes for the word it is nearest to. The votes are the bag, and their order is forgotten.
#
# ## First: describe fiducial points
#
# Which patches, and which numbers? Lowe's SIFT (1999, 2004) answers both [@lowe2004]. It looks for *key points*, dots that stand out from their surroundings at some scale, and takes the direction in which the picture brightens there as "up". So the same dot is found again when the photograph is turned or enlarged.

# %% alt="The photograph of a cat's face with dozens of circles on it, on the eyes, the nose, the nostrils, the stripes of the fur and the spots of the background. Each has a line from its middle to its rim that shows a direction."
@plots.figure
def circles(photo, places, scales, directions):
    fig, ax = plots.canvas(4.4)
    ax.imshow(photo.transpose(1, 2, 0))
    turns, away = np.r_[0, np.linspace(0, 2 * np.pi, 40)], np.r_[0, np.ones(40)]
    for (row, column), radius, angle in zip(places, 3 * scales, directions):
        x = column + radius * away * np.sin(angle + turns)
        y = row + radius * away * np.cos(angle + turns)
        ax.plot(x, y, color="#10131a", lw=2.4)
        ax.plot(x, y, color="#7de3ff", lw=1.1)
    ax.set(xlim=(0, photo.shape[2]), ylim=(photo.shape[1], 0))
    plots.blank(ax)
    return fig


cat = data.photographs()["chelsea"].images[0]
found, places, scales, directions = keypoint_sift(cat)
some = (scales > 5) & (scales < 30)
circles(cat, places[some], scales[some], directions[some])

# %% [markdown]
# **Figure.** The larger ones of the key points that SIFT finds. The radius grows with the scale, the line is the direction.
#
# Around each point SIFT lays a grid of 4 × 4 cells, and in each cell it adds up the gradients by their direction, in eight bins. With $m(p)$ the strength of the gradient at pixel $p$ and $\theta(p)$ its direction, cell $c$ and direction $b$ get
#
# $$d_{cb} = \sum_{p} w_c(p)\, m(p) \cdot \max\bigl(0,\, 1 - |\theta(p) - \theta_b| / 45^\circ\bigr),$$
#
# where $w_c$ fades from the middle of the cell outwards, and angles are taken the short way round. These $4 \cdot 4 \cdot 8 = 128$ numbers, scaled to length 1, are the *descriptor*.

# %% tags=["nbval-check-output"]
grey = cat.mean(0)[None] / 255
eye = grey[:, 80:144, 146:210]
descriptor = dense_sift(eye, patch=64, cells=4)[0][0, 0]
print("a patch of", eye[0].shape, "pixels becomes", descriptor.size, "numbers")

# %% alt="Three pictures of the cat's left eye. First the patch in grey; second the strength of its gradient, bright along the rim of the eye and the slit of the pupil; third a grid of four by four cells over the faded patch, in each a star of eight rays whose lengths show how much gradient points that way."
@plots.figure
def stars(patch, strength, descriptor, cells):
    fig, axes = plots.canvas(2.5, 1, 3)
    titles = "a patch", "strength of the gradient", "its descriptor"
    for ax, picture, title in zip(axes, (patch, strength, patch), titles):
        ax.imshow(picture, alpha=0.25 if ax is axes[2] else 1)
        ax.set_title(title)
        plots.blank(ax)
    side = len(patch) / cells
    rays = descriptor.reshape(cells, cells, 8) / descriptor.max() * side / 2
    for (i, j, b), ray in np.ndenumerate(rays):
        x, y, angle = (j + 0.5) * side, (i + 0.5) * side, b * np.pi / 4
        axes[2].plot([x, x + ray * np.cos(angle)], [y, y + ray * np.sin(angle)], "C1")
    for line in side * np.arange(1, cells):
        axes[2].axvline(line, color=plots.theme().muted, lw=0.6)
        axes[2].axhline(line, color=plots.theme().muted, lw=0.6)
    return fig


stars(eye[0], gradient_directions(eye)[0].sum(0), descriptor, cells=4)

# %% [markdown]
# **Figure.** What is left of the eye: where gradients are and which way they point, coarsely. A ray points to where the picture gets brighter.
#
# Why gradients and not pixels? Adding light changes no gradient, and more contrast changes all by one factor, which the scaling takes out again. A patch moved by two pixels keeps most of its gradients in their cells. How alike are two patches before and after (1 is equal), by their pixels, centred and scaled, and by their descriptors?

# %% tags=["nbval-check-output"]
def likeness(a, b):
    return (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)


def centred(patch):
    return patch - patch.mean()


changed = {"half the contrast, more light": eye / 2 + 0.4,
           "lit from the left": eye * np.linspace(1, 0.4, 64),
           "moved by two pixels": grey[:, 82:146, 148:212]}
for change, patch in changed.items():
    pixels = likeness(centred(eye), centred(patch))
    sift = likeness(descriptor, dense_sift(patch, patch=64, cells=4)[0][0, 0])
    print(f"{change:30} pixels {pixels:.2f}, descriptors {sift:.2f}")

# %% [markdown]
# Small pictures have few key points. The remedy of those years was simple: leave out the search, and describe a patch at *every* place of a grid, upright and at one scale. This is *dense* SIFT, and for recognition it proved better even on large pictures [@nowak2006]. The function [`dense_sift`][dtwin.vision.descriptors.dense_sift] does so for thousands of pictures at a time. A patch of 8 pixels has no room for 4 × 4 cells, so it gets 2 × 2, and 32 numbers.

# %% tags=["nbval-check-output"]
train, test = pasture.dataset(4000, "train"), pasture.dataset(1000, "test")
points = [len(keypoint_sift(image)[0]) for image in train.images[:100]]
dense, grid = dense_sift(train.images[:1000])
print("a picture of 32 x 32 has fewer than 20 key points:", np.median(points) < 20)
print("dense descriptors (pictures, places, numbers):", dense.shape)

# %% [markdown]
# ## Then: encode them
#
# A thousand pictures give 169,000 descriptors. *k-means* finds the typical ones: start with $k$ of them, give each descriptor to the nearest, move each of the $k$ to the middle of what it was given, repeat. The $k$ middles are the **codebook**, its entries the visual words. What do they look like? A word is a list of 32 numbers, but the patches that are nearest to it can be averaged.

# %% alt="Thirty-two small grey squares in two rows, the average patches of the words: soft edges, light above and dark below or the other way round, upright and slanted edges, bars, corners, and some that are nearly flat."
codebook = bags.codebook(dense, 32)
nearest = bags.hard(dense[:400], codebook).argmax(2)
corners = (grid - 3.5).astype(int)
grey = train.images[:400].mean(1) / 255
cut = np.stack([grey[:, i:i + 8, j:j + 8] for i, j in corners], 1)
looks = np.stack([cut[nearest == word].mean(0) for word in range(32)])
looks -= looks.mean((1, 2), keepdims=True)
plots.images([0.5 + look / np.ptp(look) for look in looks], columns=16)

# %% [markdown]
# **Figure.** The 32 visual words of the pasture, each as the average of its patches, with its contrast turned up. Nobody drew them; they are what pictures of animals are made of at this size. Most are pieces of an edge.
#
# Now a picture can be written in words, and read again by laying down the average patch of each word. The bag keeps less than that: it forgets the places too.

# %% alt="Three rows of five small grey pictures. Above a cow, a horse, a deer, a giraffe and an elephant. In the middle the same, blurred, with dark bodies and necks that can still be made out. Below, the same patches thrown to random places: grey noise in which no animal is left."
def laid_down(places, words):
    total, times = np.zeros((32, 32)), np.zeros((32, 32))
    for (i, j), word in zip(places, words):
        total[i:i + 8, j:j + 8] += looks[word]
        times[i:i + 8, j:j + 8] += 1
    return np.clip(0.5 + 6 * total / times, 0, 1)


rng = np.random.default_rng(0)
five = [np.flatnonzero(train.labels[:400] == label)[2] for label in (0, 1, 5, 7, 8)]
in_words = [laid_down(corners, nearest[n]) for n in five]
in_the_bag = [laid_down(corners, rng.permutation(nearest[n])) for n in five]
labels = [train.classes[train.labels[n]] for n in five]
plots.images([*grey[five], *in_words, *in_the_bag],
             [*labels, *["in words"] * 5, *["in the bag"] * 5], columns=5)

# %% [markdown]
# **Figure.** Five animals; the same in words; the same words at other places. To a bag the second row and the third are equal.
#
# That is a *hard* assignment: one vote for one word. A patch that lies between two words has to take sides. A *soft* assignment shares the vote: word $w_k$ gets $e^{-\beta\,|d - w_k|^2}$ of descriptor $d$, divided by the sum over all words [@gemert2008]. It says more, for it keeps how near a patch came to each word, and a little noise moves it less.

# %% alt="Two rows of bars over 32 words, the histograms of one cow. The hard one is ragged, with a few high bars and many empty words; the soft one has the same peaks, and some votes almost everywhere."
@plots.figure
def two_bags(bags):
    fig, axes = plots.canvas(2.4, len(bags), 1, sharex=True)
    for n, (ax, (name, bag)) in enumerate(zip(axes, bags.items())):
        ax.bar(np.arange(len(bag)), bag, color=f"C{n}")
        ax.set(yticks=[], xticks=[0, len(bag) - 1])
        ax.set_title(name, loc="left")
    axes[-1].set_xlabel("visual word")
    return fig


clean = train.images[:300] / 255
noisy = np.clip(clean + rng.normal(0, 0.01, clean.shape), 0, 1)
forms, cow = {"hard": bags.hard, "soft": bags.soft}, {}
for name, form in forms.items():
    one, two = (bags.encode(x, codebook, assign=form) for x in (clean, noisy))
    changed, cow[name] = 50 * np.abs(one - two).sum(1).mean(), one[five[0]]
    print(f"{name}: a little noise changes {changed:.1f} % of the votes")
two_bags(cow)

# %% [markdown]
# **Figure.** The bag of the cow above. The noise has a standard deviation of a hundredth of white.
#
# ## This was a "cat"
#
# From descriptors to histograms it is a few lines, in the package's own words. (`members` says which places count; so far all do.)

# %%
sources = map(inspect.getsource, (bags.hard, bags.histograms))
Markdown("\n".join(f"```python\n{source}```" for source in sources))

# %% [markdown]
# The first exam is handwritten digits, 8 × 8 pixels enlarged three times. The machine that learns is a *support vector machine* (SVM), which draws a boundary between classes with the widest margin it can; a later section looks inside. Histograms are compared by their $\chi^2$ distance as a rule, $\sum_k (a_k - b_k)^2 / (a_k + b_k)$, in which a difference counts for more where both counts are small; a *map* that stretches the counts lets a linear SVM do so [@vedaldi2010]. The one knob of the SVM, $C$, is chosen by *cross-validation*: learn on four fifths of the training set, test on the last, five times. It hardly matters here, and we leave it at 1.

# %% tags=["nbval-check-output"]
def enlarged(digits):
    return scipy.ndimage.zoom(digits.images[:, 0] / 255, (1, 3, 3), order=1)


def linear(C=1):
    return LinearSVC(C=C, random_state=0, max_iter=20_000)


chi2 = AdditiveChi2Sampler(sample_steps=2)
digits, exam = data.digits("train"), data.digits("test")
big, big_exam = enlarged(digits), enlarged(exam)
words = bags.codebook(dense_sift(big)[0], 32)
search = GridSearchCV(linear(), {"C": [0.01, 0.1, 1, 10]}, cv=5)
search.fit(chi2.fit_transform(bags.encode(big, words)), digits.labels)
right = dict(zip(search.param_grid["C"], search.cv_results_["mean_test_score"]))
apart = 100 * np.ptp([right[C] for C in (0.1, 1, 10)])
print("from C = 0.1 to 10 the accuracy changes by less than 2 %:", apart < 2)

# %% [markdown]
# The codebook begins with a draw of lots. So five codebooks are tried, and since no try waits for another, [`parallel.map`][dtwin.parallel.map] works at as many at once as the computer has cores.

# %%
def wrong(pictures, labels, exam, exam_labels, seed):
    """Percent wrong with 1, 2 and 3 levels, and the answers with 1."""
    words = bags.codebook(dense_sift(pictures[:500])[0], 32, seed)
    bag, exam_bag = (bags.encode(x, words, levels=3) for x in (pictures, exam))
    said = []
    for width in (32, 5 * 32, 21 * 32):  # coarse levels come first
        machine = linear().fit(chi2.fit_transform(bag[:, :width]), labels)
        said.append(machine.predict(chi2.transform(exam_bag[:, :width])))
    return 100 * (np.array(said) != exam_labels).mean(1), said[0]


tries = parallel.map(partial(wrong, big, digits.labels, big_exam, exam.labels), range(5))
aligned = np.array([errors for errors, _ in tries])
claims.measure("bag-reads-digits", aligned[:, 0].mean())

# %% [markdown]
# A few percent wrong, for a reader that does not know where anything is. Which digits does it mix up?

# %% alt="Six pictures of digits that the bag got wrong, each named with what it is and what it was read as."
mistakes = [(n, exam.labels[n], said[n]) for _, said in tries
            for n in np.flatnonzero(said != exam.labels)]
pairs = Counter((true, said) for _, true, said in mistakes).most_common(6)
shown = [next(n for n, *pair in mistakes if tuple(pair) == wanted) for wanted, _ in pairs]
plots.images(np.clip(big_exam[shown], 0, 1),
             [f"{a} read as {b},\n{times} times" for (a, b), times in pairs], columns=6)

# %% [markdown]
# **Figure.** The most confused pairs, out of five codebooks and 360 digits. Many such pairs are made of the same strokes at other places, and places are what a bag has lost.
#
# ### Three levels of a spatial pyramid
#
# So give a little of the place back. Lazebnik, Schmid and Ponce cut the picture into 2 × 2 and again into 4 × 4 cells, and take a histogram of each: $1 + 4 + 16 = 21$ bags [@lazebnik2006].

# %% tags=["nbval-check-output"]
nine = big_exam[exam.labels == 9][1]
cells = bags.encode(nine[None], words, levels=3).reshape(21, 32)
print("bags and words:", cells.shape)

# %% alt="The digit 9 three times: whole, cut into two by two cells, and cut into four by four. Below each its histograms of words, one for each cell, at the place of the cell: many are empty where the picture is dark."
@plots.figure
def pyramid(picture, histograms):
    fig, axes = plots.canvas(4.4, 2, 3)
    for level, (above, below) in enumerate(axes.T):
        n, across = len(picture), 2**level
        above.imshow(picture)
        for line in np.arange(1, across) * n / across - 0.5:
            above.axvline(line, color="C4")
            above.axhline(line, color="C4")
        above.set_title(f"level {level}: {across**2} {'cells' if level else 'cell'}")
        for i, j in np.ndindex(across, across):
            cell = histograms[level][i * across + j] / histograms[level].max()
            below.vlines(j * 36 + np.arange(32), -i, -i + 0.85 * cell, color="C0")
            below.plot([j * 36, j * 36 + 31], [-i, -i], color=plots.theme().faint)
        plots.blank(above)
        below.set_axis_off()
    return fig


pyramid(nine, np.split(cells, [1, 5]))

# %% [markdown]
# **Figure.** One bag, four bags, sixteen bags of the same nine.
#
# Two pictures match in a cell as far as their histograms overlap, $\sum_k \min(a_k, b_k)$. The *pyramid match kernel* adds this up over all cells, and lets a match at a fine level count for more than one at a coarse level $l$, for it is more exact. With $L$ the finest:
#
# $$K(a, b) = \frac{1}{2^L} \sum_k \min(a^0_k, b^0_k) + \sum_{l=1}^{L} \frac{1}{2^{L-l+1}} \sum_{\text{cells of } l} \sum_k \min(a^l_k, b^l_k) .$$
#
# An SVM can work with such a *kernel*, a table of how alike every two pictures are, instead of with the histograms themselves. With and without one:

# %% alt="Horizontal bars of percent wrong on digits for three levels of the pyramid, in three panels: a linear SVM on the histograms, a linear one after the chi-squared map, and one with the intersection kernel. In each the bars get much shorter from one level to three."
def dot(a, b):
    return a @ b.T


def answers(kernel, a, labels, b, C=10):
    machine = SVC(C=C, kernel="precomputed").fit(kernel(a, a), labels)
    return machine.predict(kernel(b, a))


kernels = {"no kernel": lambda a, b: 100 * dot(a, b),  # small numbers need a larger C
           "χ² map": lambda a, b: dot(*map(chi2.fit_transform, (a, b))),
           "intersection kernel": bags.intersection}
panels = {f"{name}, % wrong": [] for name in kernels}
for levels in (1, 2, 3):
    weights = np.repeat(bags.level_weights(levels), 32)
    a, b = (weights * bags.encode(x, words, levels) for x in (big, big_exam))
    for kernel, panel in zip(kernels.values(), panels.values()):
        panel.append(100 * (answers(kernel, a, digits.labels, b) != exam.labels).mean())
plots.bars(panels, ["1 level", "2 levels", "3 levels"], form="{:.1f}")

# %% [markdown]
# **Figure.** The pyramid helps every SVM. The published gains are of the same kind: on 15 kinds of scenes from 72.2 to 81.1 % right with 200 words (recalled).
#
# Over the five codebooks:

# %%
one, two, three = aligned.mean(0)
claims.measure("pyramid-on-aligned-pictures", three / one)

# %% [markdown]
# But does a pyramid know about digits, or only that each of them fills the middle of its picture? The test: put the same digits anywhere on a canvas twice as wide.

# %% alt="Eight dark squares, in each a handwritten digit at another place."
def scattered(pictures, seed):
    canvas, chance = np.zeros((len(pictures), 48, 48)), np.random.default_rng(seed)
    for n, (i, j) in enumerate(chance.integers(0, 25, (len(pictures), 2))):
        canvas[n, i:i + 24, j:j + 24] = pictures[n]
    return canvas


plots.images(np.clip(scattered(big[:8], 0), 0, 1), columns=8)

# %% [markdown]
# **Figure.** The same digits, adrift.

# %% alt="Two curves of percent wrong over one to three levels, with bands over five codebooks. The curve of the aligned digits falls from about four to about one; that of the scattered ones falls from about ten to about seven."
def wrong_adrift(seed):
    moved, moved_exam = scattered(big, seed), scattered(big_exam, 100 + seed)
    return wrong(moved, digits.labels, moved_exam, exam.labels, seed)[0]


adrift = np.array(parallel.map(wrong_adrift, range(5)))
errors = {"aligned": aligned, "adrift": adrift}
plots.curves(errors, "levels of the pyramid", "wrong, %")

# %% [markdown]
# **Figure.** Mean and range over five codebooks. A pyramid asks whether the same word is at the same place, which is worth most where things have a place.
#
# We expected no gain at all, and wrote down a band to that effect before we looked. It does not hold: about as many points are won as on aligned digits, though a quarter of the errors where it was two thirds. Cells still tell a little of what lies above what, and among 1437 digits adrift there are some that drifted the same way.

# %%
one, two, three = adrift.mean(0)
claims.measure("pyramid-on-scattered-pictures", one - three)

# %% [markdown]
# ### nS = 59
#
# The slide says "Histograms of LSD with 3 levels SP, nS = 59". SP is the spatial pyramid; what LSD and nS stand for could not be traced. One guess: 59 is the number of bins of *local binary patterns*, which compare a pixel with its eight neighbours [@ojala2002]. Of the 256 patterns of eight bits those that change between 0 and 1 at most twice on the way round are called uniform. They get a bin each, all others share one.

# %%
rings = (np.arange(256)[:, None] >> np.arange(8)) & 1
changes = (rings != np.roll(rings, 1, axis=1)).sum(1)
claims.measure("uniform-patterns", (changes <= 2).sum() + 1)

# %% [markdown]
# ### Fisher vectors
#
# > [!note]
# > **Erratum.** The slide takes bags of features for the state of the art of 2011. By then the best entries had left plain bags behind: the winner of ImageNet's competition of 2011 (25.8 % wrong) used *Fisher vectors* [@sanchez2011].
#
# A bag counts how many descriptors a word gets. A Fisher vector also notes *where they lie around it*: on which side, and how widely spread [@perronnin2010]. The codebook is a mixture of $k$ Gaussians with means $\mu_k$, standard deviations $\sigma_k$ and weights $\pi_k$; $\gamma_{pk}$ is the share of descriptor $d_p$ that Gaussian $k$ gets, of $P$ descriptors. For each number of the descriptor there are two entries a word:
#
# $$u_k = \frac{1}{P\sqrt{\pi_k}} \sum_p \gamma_{pk} \frac{d_p - \mu_k}{\sigma_k}, \qquad v_k = \frac{1}{P\sqrt{2\pi_k}} \sum_p \gamma_{pk} \biggl[\frac{(d_p - \mu_k)^2}{\sigma_k^2} - 1\biggr] .$$
#
# Then the sign and the square root of each entry are kept, and the whole is scaled to length 1. From 32 words and descriptors of 32 numbers that makes $2 \cdot 32 \cdot 32 = 2048$ numbers in place of 32. First by hand: one word, one number a patch.

# %% tags=["nbval-check-output"]
class Gaussian:
    """One word at 0 with standard deviation 1."""

    means_, covariances_, weights_ = np.zeros((1, 1)), np.ones((1, 1)), np.ones(1)

    def predict_proba(self, descriptors):
        return np.ones((len(descriptors), 1))


for patches in ([1, 1, 1, 1], [-1, 1, -1, 1], [-2, 2, -2, 2]):
    u, v = bags.fisher(np.reshape(patches, (1, 4, 1)).astype(float), Gaussian())[0]
    print(f"patches {patches!s:14}  bag [4]  Fisher vector [{u:.0f}, {v:.0f}]")

# %% [markdown]
# To the bag the three are equal. The vector sees that the first lie to one side and the last far out; the second lie as the Gaussian expects, and leave nothing to say. Now the pasture, with 32 words for both.

# %%
few, labels = train.images[:1500], train.labels[:1500]


def wrong_on_pasture(encoded):
    said = answers(dot, encoded(few), labels, encoded(test.images))
    return 100 * (said != test.labels).mean()


def both(seed):
    words, mixture = bags.codebook(dense, 32, seed), bags.mixture(dense, 32, seed)
    bag = wrong_on_pasture(lambda x: chi2.fit_transform(bags.encode(x, words)))
    return bag, wrong_on_pasture(lambda x: bags.encode_fisher(x, mixture))


pairs = np.array(parallel.map(both, range(3)))
for seed, (bag, vector) in enumerate(pairs):
    print(f"codebook {seed}: bag {bag:.1f} % wrong, Fisher vector {vector:.1f} %")
claims.measure("fisher-vector-beats-bag", (pairs[:, 0] - pairs[:, 1]).mean())

# %%
claims.quote("fisher-vectors-on-imagenet")

# %% [markdown]
# ## Now "learn"
#
# What does the SVM do? For a class against the others, with $y = \pm 1$ and features $x$, it looks for the weights $w$ that make
#
# $$\tfrac12 |w|^2 + C \sum_i \max(0,\, 1 - y_i\, w \cdot x_i)^2$$
#
# as small as possible: a wide margin, few pictures on its wrong side, and $C$ to weigh the two. This function is convex, a bowl. Wherever one starts to walk down, one arrives at the same place. A perceptron with a hidden layer (MLP) minimises something with many hollows. Two features and two classes make both visible.

# %%
two = np.flatnonzero((digits.labels == 1) | (digits.labels == 8))
flat = PCA(2, random_state=0).fit_transform(np.sqrt(bags.encode(big, codebook)[two]))
x = np.c_[flat / flat.std(0), np.ones(len(two))]
y = np.where(digits.labels[two] == 8, 1.0, -1.0)


def bowl(w, C=1):
    slack = np.maximum(0, 1 - y * (x @ w))
    return w @ w / 2 + C * slack @ slack, w - 2 * C * x.T @ (y * slack)


starts = [np.random.default_rng(seed).normal(0, 3, 3) for seed in range(5)]
ends = [scipy.optimize.minimize(bowl, w, jac=True, options={"gtol": 1e-8}).x
        for w in starts]
other = LinearSVC(dual=False, tol=1e-8, fit_intercept=False).fit(x, y).coef_[0]
objectives = np.array([bowl(w)[0] for w in [*ends, other]])
svm_spread = np.ptp(objectives) / objectives.min()
claims.measure("svm-has-one-optimum", svm_spread)

# %%
options = {"solver": "lbfgs", "alpha": 0.01, "max_iter": 20_000}
mlps = [MLPClassifier(8, random_state=seed, **options).fit(x, y) for seed in range(5)]
losses = np.array([mlp.loss_ for mlp in mlps])
mlp_spread = np.ptp(losses) / losses.min()
print(f"spread of the losses: {100 * mlp_spread:.0f} %")
claims.measure("mlp-has-many-optima", mlp_spread / max(svm_spread, 1e-12))

# %% alt="Two scatter plots of the same two clouds of points. Left, five straight boundaries that lie exactly on each other and look like one. Right, five bent boundaries that part from each other, most of all where there are no points."
@plots.figure
def boundaries(panels):
    fig, axes = plots.canvas(3.1, 1, 2, sharey=True)
    gx, gy = np.meshgrid(*(np.linspace(f.min(), f.max(), 200) for f in x[:, :2].T))
    at = np.c_[gx.ravel(), gy.ravel(), np.ones(gx.size)]
    for ax, (title, scores) in zip(axes, panels.items()):
        for sign, colour in ((1, "C0"), (-1, "C1")):
            ax.scatter(*x[y == sign, :2].T, s=7, color=colour, alpha=0.5, linewidths=0)
        for score in scores:
            heights = score(at).reshape(gx.shape)
            ax.contour(gx, gy, heights, [0], colors=plots.theme().ink, linewidths=1)
        ax.set_title(title)
        plots.blank(ax, plots.theme().faint)
    return fig


svm_scores = [lambda at, w=w: at @ w for w in ends]
mlp_scores = [lambda at, m=m: m.predict_proba(at)[:, 1] - 0.5 for m in mlps]
boundaries({"SVM, five starts": svm_scores, "MLP, five starts": mlp_scores})

# %% [markdown]
# **Figure.** Ones and eights, by the two directions in which their bags differ most. Left there are five boundaries too.
#
# > [!note]
# > **Erratum.** The slide has the optimal boundaries between all classes. Each *two-class* problem has its optimum, for these features and this $C$. How their answers are put together for ten classes (each against the rest, or each against each) is a rule of thumb, and nothing says that the whole is optimal.
#
# How long it runs is predictable, the slide says. For a linear one the time should grow in proportion to the number of pictures $n$, when the losses are averaged, which means $C \propto 1/n$ [@joachims2006]; for one with a kernel with about $n^2$, for at worst it compares every two. (The program here compares only those that it needs.)

# %% alt="Three curves of seconds over the number of pictures, both on logarithmic scales: the linear SVM with C over n rises least, the linear one with a fixed C more steeply, the one with a kernel most steeply of all."
bag = np.sqrt(bags.encode(train.images, codebook))
sizes = np.array([400, 800, 1600, 3200])
machines = {"linear, C ∝ 1/n": lambda n: linear(100 / n),
            "linear, C fixed": lambda n: linear(1),
            "Gaussian kernel": lambda n: SVC(C=100 / n)}


def seconds(machine, n):
    start = time.thread_time()
    machine(n).fit(bag[:n], train.labels[:n])
    return time.thread_time() - start


times, slopes = {}, {}
for name, machine in machines.items():
    repeats = 2 if "kernel" in name else 6
    runs = [[seconds(machine, n) for n in sizes] for _ in range(repeats)]
    times[name] = np.min(runs, axis=0)
    slopes[name] = np.polyfit(np.log(sizes), np.log(times[name]), 1)[0]
plots.curves(times, "pictures", "seconds", x=sizes, log="xy")

# %% [markdown]
# **Figure.** Time of the processor to fit ten classes. On such scales a power $n^p$ is a line of slope $p$.

# %%
claims.measure("linear-svm-time", slopes["linear, C ∝ 1/n"])

# %%
claims.measure("kernel-svm-time", slopes["Gaussian kernel"])

# %% [markdown]
# ## A recipe
#
# Handcrafted features, an encoding, an SVM. The learning has one knob, $C$ (with a Gaussian kernel two). And the rest? We count only those that we have met, start from one setting, and turn one knob at a time.

# %%
base = {"C": 1, "patch": 8, "step": 2, "cells": 2,
        "words": 32, "assign": "hard", "levels": 1}
knobs = {"C": [0.1, 1, 10, 100],
         "patch": [6, 8, 12], "step": [2, 4, 8], "cells": [1, 2, 4],
         "words": [16, 32, 64, 128], "assign": ["hard", "soft"], "levels": [1, 2, 3]}
print(len(knobs) - 1, "knobs of the representation, one of the SVM")

# %%
@cache
def described(**grid):
    return [dense_sift(images, **grid) for images in (few[:1000], test.images)]


def score(words, assign, levels, C, **grid):
    (found, places), (asked, _) = described(**grid)
    codebook = bags.codebook(found[:300], words)
    members = bags.pyramid(places, (32, 32), levels)
    a, b = (np.sqrt(bags.histograms(forms[assign](x, codebook), members))
            for x in (found, asked))
    return 100 * LinearSVC(C=C, dual=False).fit(a, labels[:1000]).score(b, test.labels)


scores = {knob: [score(**base | {knob: value}) for value in values]
          for knob, values in knobs.items()}
by_hand = sum((values for knob, values in scores.items() if knob != "C"), [])
claims.measure("representation-has-the-knobs", np.ptp(by_hand) / np.ptp(scores["C"]))

# %% alt="Seven rows of dots over the percentage of right answers. The dots of C lie close together; those of words and above all of levels spread far."
@plots.figure
def ranges(scores, start):
    fig, ax = plots.canvas(3.2)
    for row, (knob, right) in enumerate(scores.items()):
        colour, right = "C1" if knob == "C" else "C0", np.array(right)
        ax.plot([right.min(), right.max()], [row, row], color=colour, alpha=0.35, lw=5)
        ax.plot(right, np.full(len(right), row), "o", color=colour, ms=5)
        order = np.argsort(right)
        for near in np.split(order, np.flatnonzero(np.diff(right[order]) > 1) + 1):
            label = ", ".join(str(knobs[knob][n]) for n in sorted(near))
            ax.annotate(label, (right[near].mean(), row), (0, 6), fontsize=8,
                        textcoords="offset points", ha="center")
    ax.axvline(start, color=plots.theme().faint, zorder=0)
    ax.set(yticks=range(len(scores)), yticklabels=scores, ylim=(len(scores) - 0.5, -0.7))
    ax.set_xlabel("right answers on the pasture, %")
    ax.spines["left"].set_visible(False)
    return fig


ranges(scores, score(**base))

# %% [markdown]
# **Figure.** One knob a row, its values at the dots; the upright line is the start. Chance is 10 %. The learning's own knob is the first.

# Two of the knobs together, the size of the codebook and the levels:

# %% alt="Three curves of right answers over 16 to 128 words: one level, two levels, three levels. All rise with the words; more levels are better everywhere."
sizes, found = [16, 32, 64, 128], {"1 level": [], "2 levels": [], "3 levels": []}
for k in sizes:
    words = bags.codebook(dense, k)
    a, b = (np.sqrt(bags.encode(images, words, 3)) for images in (few, test.images))
    for row, width in zip(found.values(), (k, 5 * k, 21 * k)):
        said = answers(dot, a[:, :width], labels, b[:, :width])
        row.append(100 * (said == test.labels).mean())
plots.curves(found, "visual words", "right answers, %", x=sizes, log="x")

# %% [markdown]
# **Figure.** The pasture, 1500 pictures to learn from, 1000 to be tested on; a difference under 4 points may be chance.
#
# And with all that we have: how far do more pictures carry?

# %% alt="Three curves of right answers over 250 to 4000 training pictures: the plain bag of 32 words at the bottom, rising slowly; the soft pyramid of 128 words and the Fisher vector with two levels above it, close together and rising steadily."
sizes, mixture = [250, 500, 1000, 2000, 4000], bags.mixture(dense, 16)
words = bags.codebook(dense, 128)
recipes = {"bag, 32 words": lambda x: np.sqrt(bags.encode(x, codebook)),
           "soft pyramid, 128": lambda x: np.sqrt(bags.encode(x, words, 3, bags.soft)),
           "Fisher vector, 16": lambda x: bags.encode_fisher(x, mixture, levels=2)}
right, said = {}, {}
for name, encoded in recipes.items():
    a, b = encoded(train.images), encoded(test.images)
    among, across = dot(a, a), dot(b, a)
    for n in sizes:
        machine = SVC(C=10, kernel="precomputed")
        machine.fit(among[:n, :n], train.labels[:n])
        said[name] = machine.predict(across[:, :n])
        right.setdefault(name, []).append(100 * (said[name] == test.labels).mean())
plots.curves(right, "training pictures", "right answers, %", x=sizes, log="x")

# %% [markdown]
# **Figure.** The soft pyramid that was told the species of 250 pictures does as well as the plain bag that was told those of 4000 (the codebooks of both come from 1000 pictures without names): its representation is worth sixteen times the data.
#
# What becomes of the cow? The best of the three, in detail:

# %% alt="A table of ten by ten cells shaded by counts, species down and answers across. The diagonal is dark, darkest for sheep and rabbit, palest for cow, horse and camel. The largest counts beside it are pigs taken for cows and camels taken for horses."
@plots.figure
def confusion(true, said, names):
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (true, said), 1)
    fig, ax = plots.canvas(4.2)
    shades = plots.ramp(plots.theme().paper, plots.theme().series[0])
    ax.imshow(counts, cmap=shades, vmax=1.4 * counts.max(), aspect=0.55)
    for (i, j), count in np.ndenumerate(counts):
        ax.text(j, i, count or "", ha="center", va="center", fontsize=8.5)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.spines[:].set_visible(False)
    return fig


best = max(right, key=lambda name: right[name][-1])
print(f"{best}: {100 - right[best][-1]:.1f} % wrong")
confusion(test.labels, said[best], test.classes)

# %% [markdown]
# **Figure.** A row is what it was, a column what the recipe said. Cow, camel and dog are the hardest: a long body on four legs is what they share with most others.
#
# Faces are another world: two classes, faces and pieces of background, 200 pictures of 25 × 25 pixels. There are too few for a test set, so every picture is tested once, by a machine that learned from the four fifths without it.

# %% alt="Three horizontal bars of percent wrong on faces, for the bag, the pyramid and the Fisher vector: a few percent at most."
faces = data.faces()
patches = dense_sift(faces.images)[0]
words, mixture = bags.codebook(patches, 32), bags.mixture(patches, 16)
encodings = {"bag": np.sqrt(bags.encode(faces.images, words)),
             "pyramid": np.sqrt(bags.encode(faces.images, words, levels=3)),
             "Fisher vector": bags.encode_fisher(faces.images, mixture)}
missed = [100 * (1 - cross_val_score(linear(10), x, faces.labels, cv=5).mean())
          for x in encodings.values()]
plots.bars({"faces, % wrong in cross-validation": missed}, list(encodings), form="{:.1f}")

# %% [markdown]
# **Figure.** One picture is 0.5 %, so that the three hardly differ. Faces cut out and upright are an easy world: edges alone give them away.
#
# ## The claims, measured
#
# Most of what the lecture says of the recipe came out. Bags read; places help where pictures are aligned; Fisher vectors beat bags; the SVM has one optimum and takes a predictable time; the knobs are in the representation. Our own control did not: digits adrift still gained from the pyramid, if a smaller share. One line of a slide could not be traced, and two needed a word more.
#
# What did the recipe get **right**? Local pieces, the same detector at every place, pooled over cells to forget a little of where they were, and a stage on top that learns: chapter 7's convolution and pooling do the same. What did it leave **hand-made**? Everything but the last stage. Nobody asks the SVM which gradients it would have liked, how many words, which cells: its errors stop at the histogram.
#
# ## Exercises
#
# The cell `check(name)` tells whether a function of that name is right, and if it is not, what is wrong with it.
#
# ### Exercise 1. Digits upside down ★★
#
# **Predict, then program it.** Turn all training and test pictures of the digits upside down, then only the test pictures. What becomes of the error of the bag, and of the pyramid? For this, write `upside_down(pictures)`, which turns each picture of an array (n, H, W) by half a turn, and run `check(upside_down)`; `wrong` does the rest.

# %% [markdown] tags=["hint"]
# **Hint.** A slice with a step of −1, `[::-1]`, runs backwards. Which axes must it be?

# %% [markdown] tags=["hint"]
# **Hint.** The bag forgets where a patch was. Does it forget how the patch lies?

# %% [markdown] tags=["solution"]
# **Solution.** Both turned: nothing much changes, for the codebook is learned from turned patches too. Only the test turned: both fail on more than half of the digits, the bag as well. It forgets where a patch was, but not how it lies: a patch with light above is another word than one with light below. A bag is blind to places, not to directions.

# %% tags=["solution", "nbval-check-output"]
def upside_down(pictures):
    return pictures[:, ::-1, ::-1]


check(upside_down)

# %% tags=["solution"]
turned = upside_down(big_exam)
for name, learned in {"only the test": big, "both": upside_down(big)}.items():
    percent = wrong(learned, digits.labels, turned, exam.labels, 0)[0]
    print(f"{name} turned: the bag is wrong on {percent[0]:.0f} %,",
          f"the pyramid on {percent[2]:.0f} %")

# %% [markdown]
# ### Exercise 2. A codebook of your own ★★
#
# **Program it.** Write k-means in NumPy: `kmeans(points, words)` takes descriptors and words to start from, gives each point to the nearest word, moves each word to the middle of its points, and repeats until nothing moves. It returns the words; one without points stays where it is. Run `check(kmeans)`. Does your codebook describe the digits as well as the package's?

# %% [markdown] tags=["hint"]
# **Hint.** The tiny case at the head of the chapter finds the nearest words: `((points[:, None] - words) ** 2).sum(2).argmin(1)`.

# %% [markdown] tags=["hint"]
# **Hint.** `points[nearest == j].mean(0)` is the middle of the points of word `j`, and NaN where there are none.

# %% [markdown] tags=["hint"]
# **Hint.** Build a new array of words in each round, and stop when `np.allclose` finds it like the one before.

# %% [markdown] tags=["solution"]
# **Solution.** Each round can only shorten the distances, so there is an end.

# %% tags=["solution", "nbval-check-output"]
def kmeans(points, words):
    while True:
        nearest = ((points[:, None] - words) ** 2).sum(2).argmin(1)
        moved = words.copy()
        for j in set(nearest):
            moved[j] = points[nearest == j].mean(0)
        if np.allclose(moved, words):
            return moved
        words = moved


check(kmeans)

# %% [markdown] tags=["solution"]
# How far is a descriptor of a digit from its word? The words differ from the package's, for every start ends elsewhere, but they serve as well.

# %% tags=["solution", "nbval-check-output"]
points = dense_sift(big[:100])[0].reshape(-1, 32)
ours = kmeans(points, points[:: len(points) // 32][:32])
theirs = bags.codebook(points[None], 32)
off = [((points[:, None] - w) ** 2).sum(2).min(1).mean() for w in (ours, theirs)]
print("within a tenth of the package's:", off[0] < 1.1 * off[1])

# %% [markdown]
# ### Exercise 3. A narrower canvas ★★
#
# **Predict, then program it.** Make the canvas of the digits adrift narrower: 28 pixels, 36. Where does the pyramid's gain go? Write `on_canvas(pictures, corners, width)`, which puts each picture of an array (n, h, w) on a black canvas of its own, `width` pixels wide and high, with its upper left corner at the row and column `corners[n]`, and run `check(on_canvas)`. Then draw corners as `scattered` does.

# %% [markdown] tags=["hint"]
# **Hint.** The loop of `scattered` does it for pictures of 24 × 24 pixels.

# %% [markdown] tags=["hint"]
# **Hint.** Where may the corner of a digit of 24 pixels lie, lest it leave the canvas? `chance.integers(0, m)` draws numbers below `m`.

# %% [markdown] tags=["solution"]
# **Solution.** The gain, as a share of the errors, shrinks with every pixel that the digits may move: the more cells a part can fall into, the less a cell says about it.

# %% tags=["solution", "nbval-check-output"]
def on_canvas(pictures, corners, width):
    canvas = np.zeros((len(pictures), width, width))
    for n, (i, j) in enumerate(corners):
        canvas[n, i:i + pictures.shape[1], j:j + pictures.shape[2]] = pictures[n]
    return canvas


check(on_canvas)

# %% [markdown] tags=["solution"]
# To see it, have `wrong` read `adrift_on(big, seed, width)`, for widths of 28, 36 and 48:

# %% tags=["solution", "nbval-check-output"]
def adrift_on(pictures, seed, width):
    chance = np.random.default_rng(seed)
    corners = chance.integers(0, width - 23, (len(pictures), 2))
    return on_canvas(pictures, corners, width)


print("48 is as before:", np.array_equal(adrift_on(big, 0, 48), scattered(big, 0)))

# %% [markdown]
# ### Exercise 4. The same bag twice ★★
#
# **Think.** Two pictures have the same bag. Must they have the same Fisher vector? And the other way round?

# %% [markdown] tags=["solution"]
# **Solution.** No: that is what the three lines with patches at 1, at both sides and far away showed. The other way round neither: the vector is made of sums, and different patches can have the same sums. But 2048 sums are harder to hit by chance than 32 counts.

# %% [markdown]
# ## What you can do now
#
# - Compute a gradient histogram by hand, and say what it is blind to.
# - Learn a codebook, look at its words, and write a picture in them.
# - Say what a bag, a pyramid and a Fisher vector keep of a picture, and what each forgets.
# - Fit an SVM with and without a kernel, choose $C$ by cross-validation, and predict how long it will take.
# - Name half a dozen choices that somebody had to make by hand, and measure how much each one matters.
#
# ## Sources
#
# The lecture's slides "Historical context: Bags of Features" to "A recipe", and "AlexNet: Results". The cat is Chelsea, photographed by Stefan van der Walt (CC0), from scikit-image. The numbers of Lazebnik and others are recalled, not checked in the paper.
