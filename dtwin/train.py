"""Training by mini-batch SGD with momentum, in one process or in as many as `torchrun` starts.

All of the data lies on the device. With a GPU the arithmetic is bfloat16 where autocast allows it.
"""

import atexit
import hashlib
import math
import os
import pickle
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import distributed, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from .data import loader
from .data.store import replacing
from .modes import evaluating

# what the learning rate is multiplied by when the share t of the training is done
SCHEDULES = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1 - t,
    "cosine": lambda t: 0.5 + 0.5 * math.cos(math.pi * t),
    "steps": lambda t: 0.1 ** ((t >= 0.5) + (t >= 0.75)),  # He et al. 2016, section 4.2
    "one-cycle": lambda t: min(0.05 + t / 0.2, (1 - t) / 0.8, 1),  # up, then down: Smith & Topin 2018
}


@dataclass(frozen=True)
class Recipe:
    """How to train: all that decides the result besides the net and the pictures.

    The learning rate is `lr` times its schedule, a name of `SCHEDULES`; `weight_decay` times the weights is added to
    their gradient. `pad`, `flip` and `colour` augment as in `loader.batches`. The seed decides the order of the
    pictures, their augmentation and the units that dropout takes out, but not the weights the net begins with.

    Raises:
        ValueError: a number is out of its range, or the schedule is unknown.
    """

    epochs: int
    lr: float = 0.05
    batch: int = 64
    momentum: float = 0.9
    weight_decay: float = 0.0005
    schedule: str = "constant"
    pad: int = 0
    flip: bool = False
    colour: float = 0.0
    seed: int = 0

    def __post_init__(self):
        for name, low, high in (("epochs", 1, math.inf), ("batch", 1, math.inf), ("lr", 0, math.inf),
                                ("momentum", 0, 1), ("weight_decay", 0, math.inf), ("pad", 0, math.inf),
                                ("colour", 0, math.inf)):
            value = getattr(self, name)
            _expect(low <= value <= high, "Recipe", f"{name}={value}", f"{low} to {high}")
        _expect(self.schedule in SCHEDULES, "Recipe", f"schedule={self.schedule!r}", f"one of {', '.join(SCHEDULES)}")


@dataclass
class History:
    """What happened, one number an epoch; and `statistics`, those of the training set, which the net goes with.

    `loss` and `accuracy` are those of the training batches as they came, augmented and with dropout; `test_loss` and
    `test_accuracy` those of the test set after the epoch. `gradients` has the norm of the gradient for each parameter,
    its mean over the steps. `dead` is the share of units, or feature maps, whose bias got no gradient in any step.
    `seconds` count training alone. Accuracies are shares, 0 to 1.
    """

    statistics: loader.Statistics
    loss: list = field(default_factory=list)
    accuracy: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)
    gradients: dict = field(default_factory=dict)
    dead: list = field(default_factory=list)
    seconds: list = field(default_factory=list)


class Score(NamedTuple):
    """The mean cross-entropy of a net on a set, and the share of right answers."""

    loss: float
    accuracy: float


class Average(nn.Module):
    """Several nets as one: its outputs are the logarithms of the mean of their probabilities."""

    def __init__(self, nets):
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, x):
        logs = torch.stack([net(x).log_softmax(1) for net in self.nets])
        return logs.logsumexp(0) - math.log(len(self.nets))


def fit(net, images, recipe, test=None, checkpoint=None, device=None):
    """Train a net on an ImageSet, in place, and return its History; the net is left in evaluation mode.

    With a `test` set it is evaluated after each epoch. At the path `checkpoint` the state of the run is kept after each
    epoch, and a run that finds one there goes on from it, to the same bits. Under `torchrun` each process takes its
    share of every batch, so that `recipe.batch` is that of all together; batch statistics stay each process's own. The
    device is the process's GPU, or the CPU where there is none, unless one is asked for.

    Raises:
        ValueError: a set is empty, a label is not among the net's outputs, or the checkpoint is of another run.
        FloatingPointError: the loss is infinite or not a number.
    """
    device = _device(device)
    rank, world = _processes(device)
    for one in (images, test):
        _expect(one is None or len(one) > 0, "fit", repr(one), "at least one picture")
    pixels, labels = loader.on_device(images, device)
    history = History(loader.statistics(pixels))
    net.to(device, memory_format=torch.channels_last)
    _check_labels("fit", images, outputs(net, images[:1], history.statistics, device))
    optimiser = torch.optim.SGD(net.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay)
    identity = checkpoint and _identity(net, images, recipe, test)
    if checkpoint and Path(checkpoint).exists():
        _resume(Path(checkpoint), identity, net, optimiser, history, device)
    model = net if world == 1 else DistributedDataParallel(net)
    done, steps = len(history.loss), math.ceil(len(images) / recipe.batch)
    with (torch.random.fork_rng([device] if device.type == "cuda" else []),
          tqdm(total=recipe.epochs * steps, initial=done * steps, desc="training", disable=rank > 0 or None) as bar):
        for epoch in range(done, recipe.epochs):
            _epoch(model, optimiser, recipe, epoch, pixels, labels, history, rank, world, bar)
            if test is not None:
                score = evaluate(net, test, history.statistics, device)
                history.test_loss.append(score.loss)
                history.test_accuracy.append(score.accuracy)
            if checkpoint and rank == 0:
                _save(Path(checkpoint), identity, net, optimiser, history)
    net.eval()
    return history


def _epoch(model, optimiser, recipe, epoch, pixels, labels, history, rank, world, bar):
    """One walk through the pictures, and its numbers in the history."""
    start, steps = time.perf_counter(), math.ceil(len(labels) / recipe.batch)
    # each epoch has seeds of its own, so that a resumed run needs no state of a generator
    seed = recipe.seed * 1_000_003 + epoch
    order = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed + 500_009 * rank)  # of dropout, which differs between processes
    batches = loader.batches(pixels, labels, recipe.batch, history.statistics, order,
                             recipe.pad, recipe.flip, recipe.colour)
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    biases = [p for name, p in parameters.items() if name.endswith("bias")]
    losses, correct, norms, alive = [], 0, 0, False
    model.train()
    for step, (x, y) in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = recipe.lr * SCHEDULES[recipe.schedule]((epoch + step / steps) / recipe.epochs)
        mine = slice(rank, None, world)
        scores = _forward(model, x[mine])
        # summed, and divided by the size of the whole batch: the last one may not be shared out evenly
        loss = F.cross_entropy(scores, y[mine], reduction="sum")
        optimiser.zero_grad()
        (loss * (world / len(y))).backward()  # the processes' gradients are averaged, hence the factor
        optimiser.step()
        losses.append(loss.detach())
        correct = correct + (scores.argmax(1) == y[mine]).sum()
        norms = norms + torch.stack(torch._foreach_norm([p.grad for p in parameters.values()]))
        alive = alive | torch.cat([p.grad for p in biases]).ne(0) if biases else torch.tensor([True])
        bar.update()
    sums = torch.stack([*losses, correct.to(losses[0].dtype)])
    if world > 1:
        distributed.all_reduce(sums)
    *losses, correct = sums.tolist()
    for step, loss in enumerate(losses):
        if not math.isfinite(loss):
            raise FloatingPointError(f"fit: the loss is {loss} at epoch {epoch + 1}, step {step + 1} of {steps}; "
                                     f"try a learning rate below {recipe.lr}")
    history.loss.append(sum(losses) / len(labels))
    history.accuracy.append(correct / len(labels))
    for name, norm in zip(parameters, (norms / steps).tolist()):
        history.gradients.setdefault(name.removeprefix("module."), []).append(norm)
    history.dead.append(1 - alive.float().mean().item())
    history.seconds.append(time.perf_counter() - start)
    bar.set_postfix(loss=f"{history.loss[-1]:.3f}", accuracy=f"{history.accuracy[-1]:.1%}")


def outputs(net, images, statistics, device=None, batch=250):
    """What a net, or a method of one such as `net.features`, makes of an ImageSet: a tensor (N, …), on the CPU.

    The net is in evaluation mode meanwhile. `statistics` are those of its training set, as in its History.

    Raises:
        ValueError: the set is empty.
    """
    _expect(len(images) > 0, "outputs", repr(images), "at least one picture")
    with evaluating(getattr(net, "__self__", net)), torch.no_grad():
        batches = loader.batches(*loader.on_device(images, _device(device)), batch, statistics)
        return torch.cat([_forward(net, x).cpu() for x, _ in batches])


def evaluate(net, images, statistics, device=None):
    """The Score of a net on an ImageSet; `statistics` are those of its training set, as in its History.

    Raises:
        ValueError: the set is empty, or a label is not among the net's outputs.
    """
    scores, labels = outputs(net, images, statistics, device), torch.as_tensor(images.labels)
    _check_labels("evaluate", images, scores)
    return Score(F.cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).double().mean().item())


def _forward(net, x):
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type == "cuda"):
        return net(x.contiguous(memory_format=torch.channels_last)).float()


def _check_labels(function, images, scores):
    outputs = scores.shape[1]
    _expect(images.labels.max() < outputs, function, f"labels up to {images.labels.max()} in {images!r}",
            f"labels below {outputs}, the number of the net's outputs")


def _device(device):
    if device is None:
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def _processes(device):
    """The number of this process and how many there are; those that `torchrun` started are joined first."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return 0, 1
    if not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(distributed.destroy_process_group)
    return distributed.get_rank(), distributed.get_world_size()


def _identity(net, images, recipe, test):
    """What a checkpoint and the run that resumes it must have in common."""
    pictures, tested = (one and hashlib.sha256(one.images.tobytes() + one.labels.tobytes()).hexdigest()
                        for one in (images, test))
    parameters = {name: list(p.shape) for name, p in net.named_parameters()}
    layers = {name: [type(layer).__qualname__, _settings(layer)] for name, layer in net.named_modules()}
    return {**asdict(recipe), "parameters": parameters, "layers": layers, "pictures": pictures, "test pictures": tested}


def _settings(layer):
    """The numbers, names and functions that a layer was given: its kernel's size, say, or its activation."""
    plain = {name: value for name, value in vars(layer).items() if name[0] != "_" and name != "training"}
    return {name: getattr(value, "__qualname__", repr(value)) for name, value in plain.items()
            if callable(value) or isinstance(value, (bool, int, float, str, tuple))}


def _save(path, identity, net, optimiser, history):
    lists = {name: value for name, value in vars(history).items() if name != "statistics"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        torch.save({"identity": identity, "net": net.state_dict(), "optimiser": optimiser.state_dict(),
                    "history": lists}, file)


def _resume(path, identity, net, optimiser, history, device):
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        there = dict(state["identity"])
    except (RuntimeError, KeyError, IndexError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"fit: {path} cannot be read as a checkpoint of this course") from error
    other = [name for name in identity if identity[name] != there.get(name)]
    _expect(not other, "fit", f"a checkpoint of another run, {path}, which differs in {', '.join(other)}",
            "one of this run, or no file there")
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    vars(history).update(state["history"])


def _expect(condition, function, got, expected):
    if not condition:
        raise ValueError(f"{function}: got {got}, expected {expected}")
