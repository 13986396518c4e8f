"""The benchmark that waits for a GPU runs, and compares networks that are the same."""

import importlib.util
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).parents[1] / "bench"


def load(name):
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gpu():
    return load("gpu")


@pytest.mark.parametrize("name, size", [("alexnet", 224), ("resnet50", 64)])
def test_the_plain_networks_compute_the_same(gpu, name, size):
    torch.manual_seed(0)
    ours, plain = (make().eval() for make in gpu.NETS[name])
    theirs = plain.state_dict()
    assert [v.shape for v in ours.state_dict().values()] == [v.shape for v in theirs.values()]
    plain.load_state_dict(dict(zip(theirs, ours.state_dict().values())))
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        assert torch.allclose(ours(x), plain(x), rtol=1e-4, atol=1e-5) and ours(x).std() > 0


def test_a_step_trains(gpu):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
    x, labels = torch.randn(8, 3, 2, 2), torch.arange(8) % 3
    step = gpu.trainer(net, x, labels)
    before = torch.nn.functional.cross_entropy(net(x), labels).item()
    for _ in range(50):
        step()
    assert torch.nn.functional.cross_entropy(net(x), labels).item() < 0.9 * before


def test_work_is_three_times_a_forward_pass(gpu):
    # 3.8 GFLOPs by Table 1 of He et al., who count a multiplication and an addition as one
    assert 3 * 2 * 3.8e9 < gpu.flops(gpu.NETS["resnet50"][0], 224) < 3 * 2 * 4.2e9


def test_it_measures_and_prints_a_table(gpu, monkeypatch, capsys):
    def tiny():  # a processor without bf16 takes minutes over the real ones
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                                   torch.nn.Linear(4, 1000))

    compiled = []
    monkeypatch.setattr(torch, "compile", lambda net: compiled.append(net) or net)
    monkeypatch.setitem(gpu.NETS, "resnet50", (tiny, tiny))
    gpu.main("--device cpu --nets resnet50 --batch 2 --size 8 --steps 1 --rounds 3 --matrix 64".split())
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("CPU, torch ") and columns.split()[:3] == ["network", "way", "images/s"]
    ways, rates, ratios = zip(*((row[11:25].strip(), float(row[25:35]), float(row[-8:])) for row in rows))
    assert ways == ("plain", "ours", "ours compiled") and len(compiled) == 1
    assert min(rates) > 0 and ratios == pytest.approx([rate / rates[0] for rate in rates], abs=0.01)


def test_the_ways_of_training_several_networks_are_compared(monkeypatch, capsys):
    full = load("full")
    monkeypatch.setitem(full.PLAIN, "streams", full.CARD["streams"])  # which needs a GPU
    full.main("--device cpu --groups dense --ways loop vmap streams --steps 1 --rounds 1".split())
    _, loop, vmap, streams = capsys.readouterr().out.splitlines()
    assert loop.split()[:3] == ["dense", "8", "loop"] and float(loop.split()[-1]) == 1 and float(loop.split()[-2]) > 0
    assert vmap.split()[2] == "vmap" and float(vmap.split()[-1]) > 0
    assert torch.cuda.is_available() or "Error" in streams


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to be measured")
@pytest.mark.parametrize("name", ["gpu", "full"])
def test_without_a_gpu_nothing_is_measured(name, capsys):
    load(name).main([])
    assert "no GPU here: nothing is measured" in capsys.readouterr().out
