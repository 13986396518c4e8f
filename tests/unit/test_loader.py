"""Batches on the device: each image once, augmented as asked, the same for the same generator."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

from dtwin import data
from dtwin.data import loader


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def photos(device):
    """40 coloured cut-outs of a photograph (40, 3, 8, 8), labelled by their number, and their statistics."""
    picture = data.photographs()["chelsea"].images[0]
    pixels = np.stack([picture[:, 10 + 4 * n:18 + 4 * n, 90:98] for n in range(40)])
    images = data.ImageSet("cat", "all", pixels, np.arange(40), tuple(map(str, range(40))), "", "", "")
    tensors = loader.on_device(images, device)
    return *tensors, loader.statistics(tensors[0])


def raw(x, stats):
    return (x * stats.std[:, None, None] + stats.mean[:, None, None]) * 255


def test_an_epoch_has_each_image_once_in_a_new_order(photos):
    pixels, labels, stats = photos
    generator = seeded()
    epochs = [torch.cat([y for _, y in loader.batches(pixels, labels, 16, stats, generator)]) for _ in range(2)]
    for order in epochs:
        assert sorted(order.tolist()) == list(range(40))
    assert epochs[0].tolist() != epochs[1].tolist() != list(range(40))


def test_without_a_generator_the_images_come_as_they_are(photos):
    pixels, labels, stats = photos
    found = list(loader.batches(pixels, labels, 16, stats))
    assert [len(y) for _, y in found] == [16, 16, 8] and torch.cat([y for _, y in found]).equal(labels)
    assert torch.allclose(raw(torch.cat([x for x, _ in found]), stats), pixels.float(), atol=1e-3)
    assert found[0][0].dtype == torch.float32 and found[0][0].device == pixels.device
    with pytest.raises(ValueError, match="batches: got pad=4, flip=False, colour=0.0 and no generator"):
        next(loader.batches(pixels, labels, 16, stats, pad=4))


def test_training_images_have_mean_0_and_variance_1(photos):
    pixels, labels, stats = photos
    (x, _), = loader.batches(pixels, labels, 40, stats)
    assert torch.allclose(x.mean((0, 2, 3)), torch.zeros(3, device=x.device), atol=1e-5)
    assert torch.allclose(x.std((0, 2, 3), correction=0), torch.ones(3, device=x.device), atol=1e-5)


def test_the_same_seed_gives_the_same_batches(photos):
    pixels, labels, stats = photos
    once, again, other = ([x for x, _ in loader.batches(pixels, labels, 16, stats, seeded(seed), 2, True, 0.1)]
                          for seed in (0, 0, 1))
    assert all(map(torch.equal, once, again)) and not all(map(torch.equal, once, other))


@pytest.mark.parametrize("pad, flip", [(0, True), (1, False), (1, True)])
def test_every_cut_and_mirror_image_occurs_and_no_other(photos, pad, flip):
    pixels, labels, stats = photos
    mean = stats.mean[:, None, None] * 255
    padded = mean + torch.nn.functional.pad(pixels.float() - mean, [pad] * 4)
    seen = set()
    generator = seeded()
    for _ in range(6):
        for x, y in loader.batches(pixels, labels, 40, stats, generator, pad, flip):
            for image, label in zip(raw(x, stats), y):
                ways = [(row, column, turned) for row in range(2 * pad + 1) for column in range(2 * pad + 1)
                        for turned in (False, True) if torch.allclose(
                            image.flip(2) if turned else image,
                            padded[label, :, row:row + 8, column:column + 8], atol=1e-2)]
                assert ways, "an image that is no cut-out"
                seen.update(ways)
    assert len(seen) == (2 * pad + 1) ** 2 * (2 if flip else 1)


def test_half_the_images_are_mirrored(photos):
    pixels, labels, stats = photos
    lots = pixels[:1].expand(4000, -1, -1, -1)
    (x, _), = loader.batches(lots, labels[:1].expand(4000), 4000, stats, seeded(), flip=True)
    mirrored = (x[:, :, :, 0] - x[:1, :, :, 0]).abs().amax((1, 2)) > 1e-3
    assert 0.45 < mirrored.float().mean() < 0.55


def test_colours_are_the_principal_components_times_their_variances(photos):
    pixels, _, stats = photos
    values = pixels.cpu().numpy().transpose(1, 0, 2, 3).reshape(3, -1) / 255
    colours = stats.colours.cpu().numpy().astype(float)
    variances = np.linalg.norm(colours, axis=0)
    assert np.allclose(colours @ np.diag(1 / variances) @ colours.T, np.cov(values, bias=True), atol=1e-6)
    assert np.allclose(colours.T @ colours, np.diag(variances ** 2), atol=1e-7)
    assert (np.abs(colours).max(0) == colours.max(0)).all()


def test_a_colour_shift_moves_all_of_an_image_along_the_components(photos):
    pixels, labels, stats = photos
    lots = pixels[:1].expand(5000, -1, -1, -1)
    (x, _), = loader.batches(lots, labels[:1].expand(5000), 5000, stats, seeded(), colour=0.1)
    shift = (raw(x, stats) - lots.float()) / 255
    assert shift.flatten(2).std(2).max() < 1e-5, "one shift for all pixels of an image"
    alpha = torch.linalg.solve(stats.colours.double(), shift[:, :, 0, 0].double().T)
    # the two standard errors of 5000 draws are far below
    assert (alpha.mean(1).abs() < 0.006).all() and ((alpha.std(1) - 0.1).abs() < 0.006).all()


def test_many_images_make_the_statistics_of_few():
    generator = np.random.default_rng(0)
    pixels = torch.as_tensor(generator.integers(0, 256, (9000, 1, 2, 2), np.uint8))
    stats = loader.statistics(pixels)
    assert np.allclose(stats.mean, pixels.double().mean() / 255) and np.allclose(stats.std, pixels.double().std(correction=0) / 255)


def test_only_the_loader_knows_torch():
    for path in sorted(Path(data.__file__).parent.rglob("*.py")):
        imports = {name.split(".")[0] for node in ast.walk(ast.parse(path.read_text())) for name in
                   ([alias.name for alias in node.names] if isinstance(node, ast.Import) else
                    [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else [])}
        assert ("torch" in imports) == (path.name == "loader.py"), path
