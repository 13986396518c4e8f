"""Several networks that train side by side on the same batches, as `train.fit` would train each of them alone.

A small network leaves a large graphics card idle most of the time. Side by side they fill it: stacked into one by vmap,
or each on a stream of its own; and a step that was recorded once as a CUDA graph is replayed without a word from Python.
Each way gives the same numbers but for rounding (tests/unit/test_full_group.py); tests/bench/full.py says which pays.
"""

import contextlib
import math
import sys
from typing import NamedTuple

import torch
from torch.func import functional_call, stack_module_state
from torch.nn import functional as F

from ..data import loader

EAGER = False  # set by the command line
WARM = 3  # steps that are taken before one is recorded


class Ways(NamedTuple):
    """How the networks of a group are computed; `usual` chooses."""

    side_by_side: str = "loop"  # or vmap, or streams
    graph: bool = False
    compiled: bool = False
    half: bool = False  # bfloat16 where autocast allows it
    channels_last: bool = False


def usual(device, alike):
    """The ways for a device: plain on a CPU; on a graphics card all that pays, dense networks that are `alike` stacked."""
    if device.type == "cpu":
        return Ways("vmap" if alike else "loop")
    if EAGER:
        return Ways(half=True, channels_last=True)
    return Ways("vmap" if alike else "streams", graph=True, half=True, channels_last=True)


class Group:
    """Networks on a device, their gradients and their updates.

    With `vmap` they must be of one architecture; their parameters are then stacked, (S, …) for S networks.
    """

    def __init__(self, nets, device, ways, rates):
        order = torch.channels_last if ways.channels_last else torch.contiguous_format
        self.nets = [net.to(device, memory_format=order) for net in nets]
        self.device, self.ways, self.rates = device, ways, torch.tensor(rates, device=device)
        self.rate = self.rates.clone()
        self.stacked = ways.side_by_side == "vmap"
        if self.stacked:
            parameters, self.buffers = stack_module_state(self.nets)
            self.names, self.parameters = list(parameters), [[p.detach().requires_grad_() for p in parameters.values()]]
        else:
            self.parameters = [list(net.parameters()) for net in self.nets]
            self.forwards = [torch.compile(net) if ways.compiled else net for net in self.nets]
        self.velocity = [[torch.zeros_like(p) for p in own] for own in self.parameters]
        self.streams = [torch.cuda.Stream(device) for _ in nets] if ways.side_by_side == "streams" else []
        self.loss, self.correct = (torch.zeros(len(nets), device=device) for _ in range(2))

    def scores(self, x, n=None):
        """The scores of network n (B, C), or those of all that are stacked (S, B, C)."""
        x = x.contiguous(memory_format=torch.channels_last if self.ways.channels_last else torch.contiguous_format)
        # a cast that autocast keeps for later would lie outside of the graph
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.ways.half, cache_enabled=False):
            if not self.stacked:
                net = self.forwards[n] if self.nets[n].training else self.nets[n]  # one is compiled for training alone
                return net(x).float()

            def one(parameters, buffers):
                return functional_call(self.nets[0], (parameters, buffers), (x,))

            parameters = dict(zip(self.names, self.parameters[0]))
            return torch.vmap(one, randomness="different")(parameters, self.buffers).float()

    def step(self, x, y, recipe, smoothing=0.0, constrain=None):
        """One step of each network; y (B,) are labels that all share, (B, S) those of each."""
        if self.stacked:
            self._update(0, self.scores(x), y, recipe, smoothing, constrain)
        for n in range(len(self.nets) if not self.stacked else 0):
            with self._beside(n):
                self._update(n, self.scores(x, n)[None], y if y.ndim == 1 else y[:, n:n + 1], recipe, smoothing, constrain)
        for stream in self.streams:
            torch.cuda.current_stream(self.device).wait_stream(stream)

    def _beside(self, n):
        if not self.streams:
            return contextlib.nullcontext()
        self.streams[n].wait_stream(torch.cuda.current_stream(self.device))
        return torch.cuda.stream(self.streams[n])

    def _update(self, n, scores, y, recipe, smoothing, constrain):
        mine = slice(None) if self.stacked else slice(n, n + 1)
        y = (y if y.ndim == 2 else y[:, None]).T.expand(len(scores), -1)  # (S, B)
        losses = F.cross_entropy(scores.transpose(1, 2), y, reduction="none", label_smoothing=smoothing)
        own, velocity = self.parameters[n], self.velocity[n]
        gradients = torch.autograd.grad(losses.mean(1).sum(), own)  # the networks share nothing: each has its own
        with torch.no_grad():
            torch._foreach_mul_(velocity, recipe.momentum)
            torch._foreach_add_(velocity, torch._foreach_add(gradients, own, alpha=recipe.weight_decay))
            rate = self.rate[mine]
            torch._foreach_sub_(own, [v * rate.view(-1, *[1] * (v.ndim - 1)) if self.stacked else v * rate for v in velocity])
            if constrain:
                constrain(own)
            self.loss[mine] += losses.detach().sum(1)
            self.correct[mine] += (scores.argmax(2) == y).sum(1)

    def train(self, mode=True):
        for net in self.nets:
            net.train(mode)

    @torch.no_grad()
    def evaluate(self, images, statistics):
        """The share of right answers of each network on an ImageSet, as a list."""
        self.train(False)
        pixels, own = loader.on_device(images, self.device)
        right = 0
        for x, y in loader.batches(pixels, own, 1000, statistics):
            found = self.scores(x) if self.stacked else torch.stack([self.scores(x, n) for n in range(len(self.nets))])
            right = right + (found.argmax(2) == y).sum(1)
        return (right / len(images)).tolist()

    def stepper(self, recipe, smoothing=0.0, constrain=None):
        """A function of a batch that takes a step; where the ways say so, full batches replay a CUDA graph of it."""
        def step(x, y):
            self.step(x, y, recipe, smoothing, constrain)

        recorded = Recorded(step, self.device) if self.ways.graph else step
        return lambda x, y: (recorded if len(x) == recipe.batch else step)(x, y)  # a graph has one shape

    def epoch(self, step, pixels, labels, normal, recipe, schedule, epoch):
        """One walk through the pictures, in the order and with the augmentation that `train.fit` has with this seed on a CPU."""
        seed = recipe.seed * 1_000_003 + epoch
        torch.manual_seed(seed)  # of dropout
        order = torch.Generator(self.device).manual_seed(seed)
        steps = math.ceil(len(labels) / recipe.batch)
        self.train()
        self.loss.zero_()
        self.correct.zero_()
        batches = loader.batches(pixels, labels, recipe.batch, normal, order, recipe.pad, recipe.flip, recipe.colour)
        for n, (x, y) in enumerate(batches):
            torch.mul(self.rates, schedule((epoch + n / steps) / recipe.epochs), out=self.rate)
            step(x, y)

    def restart(self, nets, velocity=None):
        """Take over the numbers of other networks of the same kind, in place, as a recorded step needs it."""
        with torch.no_grad():
            for net, other in zip(self.nets, nets):
                net.load_state_dict(other if isinstance(other, dict) else other.state_dict())
            for own, kept in zip(self.velocity, velocity or self.velocity):
                torch._foreach_copy_(own, kept) if velocity else torch._foreach_zero_(own)
            if self.stacked:
                parameters, buffers = stack_module_state(self.nets)
                torch._foreach_copy_(self.parameters[0], list(parameters.values()))
                for name, value in buffers.items():
                    self.buffers[name].copy_(value)

    def unstack(self):
        """Give each network its own parameters back."""
        if self.stacked:
            state = dict(zip(self.names, self.parameters[0])) | self.buffers
            for n, net in enumerate(self.nets):
                net.load_state_dict({name: value[n].detach() for name, value in state.items()})


class Recorded:
    """A step that is taken as it is at first, then recorded as a CUDA graph, and replayed from there on."""

    def __init__(self, step, device):
        self.step, self.device, self.taken, self.graph = step, device, 0, None

    def __call__(self, x, y):
        if self.graph is None and self.taken < WARM:
            side = torch.cuda.Stream(self.device)
            side.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(side):
                self.step(x, y)
            torch.cuda.current_stream(self.device).wait_stream(side)
            self.taken += 1
            return
        if self.graph is None:
            self.x, self.y, graph, before = x.clone(), y.clone(), torch.cuda.CUDAGraph(), torch.cuda.current_stream(self.device)
            try:
                with torch.cuda.graph(graph):
                    self.step(self.x, self.y)
            except RuntimeError as error:  # PyTorch is left on the stream of the recording, and nothing was computed
                torch.cuda.set_stream(before)
                print(f"no CUDA graph of this step, which is taken as it is: {error}", file=sys.stderr, flush=True)
                self.taken = -math.inf
                return self.step(x, y)
            self.graph = graph
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()
