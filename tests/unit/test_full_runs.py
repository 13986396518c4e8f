"""The parts of the full-scale runs that can be known beforehand: sizes, labels, boxes, and what a summary makes of numbers."""

import json
import math

import numpy as np
import pytest
import torch

from dtwin import claims, data
from dtwin.full import activations, labels, localisation, record, regularisation, speed, tricks
from dtwin.full.__main__ import RESULTS


@pytest.mark.parametrize("name, count", [("Inception", 1_649_402), ("AlexNet", 1_387_786), ("MLP 3 × 512", 1_735_178),
                                         ("MLP 1 × 512", 1_209_866)])
def test_the_networks_of_zhang_have_the_published_number_of_parameters(name, count):
    net = labels.NETS[name]()
    normal = {id(p) for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d) for p in module.parameters()}
    assert sum(p.numel() for p in net.parameters() if id(p) not in normal) == count


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_labels_is_drawn_anew(share):
    before = np.arange(20_000) % 10
    after = labels.corrupted(before, share, 1)
    assert (after != before).mean() == pytest.approx(0.9 * share, abs=0.02) and set(after) == set(range(10))


def test_pixels_are_shuffled_alike_or_each_picture_its_own_way():
    images = data.digits("train")[:50]
    one, each, noise = (labels.altered(images, name, 0).images for name in labels.CONDITIONS[2:])
    for changed in (one, each):
        assert (np.sort(changed.reshape(50, -1)) == np.sort(images.images.reshape(50, -1))).all() and (changed != images.images).any()
    assert (one.std(0) == np.sort(one.std(0))).mean() < 1 and len(np.unique(one.reshape(50, 64).max(0))) == len(
        np.unique(images.images.reshape(50, 64).max(0)))  # a pixel that is dark in all stays dark in all
    assert (each.reshape(50, 64).max(0) > 0).all() and not (images.images.reshape(50, 64).max(0) > 0).all()
    assert noise.std() > 0 and labels.altered(images, "true labels", 0).images is images.images


def test_weights_longer_than_the_limit_are_shortened_and_the_last_layer_is_free():
    net = regularisation.Dense(0.5, width=8, inputs=8)
    parameters = [p.detach() * 100 for p in net.parameters()]
    before = [p.clone() for p in parameters]
    regularisation.max_norm(2.0)(parameters)
    assert all(p.norm(dim=-1).allclose(torch.tensor(2.0)) for p in parameters[:-2:2])
    assert all(a.equal(b) for a, b in zip([*parameters[1::2], parameters[-2]], [*before[1::2], before[-2]]))


def test_units_are_dropped_in_training_alone_and_their_sum_stays():
    net, x = regularisation.Dense(0.5), torch.ones(400, 500)
    dropped = net.drop(x, net.keep)
    assert dropped.mean() == pytest.approx(1, abs=0.01) and set(dropped.unique().tolist()) == {0, 2}
    assert net.eval().drop(x, net.keep) is x


def test_boxes_and_how_they_overlap():
    mask = np.zeros((9, 9), bool)
    mask[1:4, 2:6] = mask[7, 7] = True
    assert localisation.box(mask) == (1, 2, 4, 6) and localisation.box(mask & False) == (0, 0, 0, 0)
    assert localisation.overlap((0, 0, 2, 2), (0, 1, 2, 3)) == pytest.approx(2 / 6)
    assert localisation.overlap((0, 0, 2, 2), (5, 5, 6, 6)) == localisation.overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0
    assert localisation.overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1


def test_ranks_correlate():
    a = torch.arange(16.0).reshape(1, 4, 4)
    assert localisation.correlation(a, a**3).item() == pytest.approx(1) and localisation.correlation(a, -a).item() == pytest.approx(-1)
    assert localisation.correlation(a, a * 0).item() == 0


def test_ten_views_are_five_places_and_their_mirror_images():
    images = data.digits("train")[:2]
    views = [view.images for view in tricks.ten_views(images, 1)]
    assert len(views) == 10 and (views[0] == images.images).all() and (views[1] == images.images[..., ::-1]).all()
    assert (views[2][..., 1:, 1:] == images.images[..., :-1, :-1]).all() and len({view.tobytes() for view in views}) == 10


def test_t_is_that_of_paired_differences():
    assert tricks.t([1, 2, 3]) == pytest.approx(2 * math.sqrt(3)) and tricks.t([1, 1]) == 0


def test_the_race_of_activations_takes_the_best_rate_and_counts_the_limit_where_there_is_no_end():
    settings = dict(epochs=40, error=0.25, batch=128, rates=[0.1, 0.2])
    found = {("relu", "normal"): [None, 5.0], ("relu", "fan-in"): [8.0, 4.0], ("tanh", "normal"): [None, None], ("tanh", "fan-in"): [12.0, 20.0]}
    done = [(dict(activation=a, start=s, seed=seed, **settings), {"epochs": epochs}) for seed in range(3) for (a, s), epochs in found.items()]
    values, claim = activations.summary(done)
    assert claim == {"relu-against-tanh": 3.0} and values["tanh over ReLU, normal start"] == [8.0] * 3


@pytest.mark.parametrize("official, right, reached", [
    (True, [93.95, 94.05], True), (True, [93.5, 93.6], False), (False, [91.4, 91.6], True), (False, [91.0, 91.1], False)])
def test_a_time_counts_when_the_accuracy_asked_for_is_reached(official, right, reached):
    ours = {"official": official, "right": right, "seconds": [5.0, 6.0], "first": 9.0, "images": 1.0, "share": 2.0}
    done = [({}, {"test": [11.0, 11.4]}), ({}, ours), ({}, {})]  # ResNet-20: 88.8
    assert speed.summary(done)[1]["time-to-94-percent"] == ([5.0, 6.0] if reached else math.inf)


def test_a_record_is_json_whatever_was_measured(tmp_path):
    path = record.write(tmp_path, {"run": "speed-94", "claims": {"time-to-94-percent": record.spread(math.inf)}})
    content = json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
    assert content["claims"] == {"time-to-94-percent": {"mean": "inf"}} and strays(tmp_path) == ["speed-94.json: time-to-94-percent"]


def strays(folder):
    """The claims of records whose values leave their bands without being registered as missed, or that are and do not."""
    return [f"{path.name}: {id}" for path in sorted(folder.glob("*.json"))
            for id, value in json.loads(path.read_text("utf-8"))["claims"].items()
            if (claims.registry()[id].full.verdict(float(value["mean"])) == "reproduced") == bool(claims.registry()[id].full.missed)]


def test_what_is_recorded_lies_in_its_band_or_is_registered_as_missed():
    assert strays(RESULTS) == []
