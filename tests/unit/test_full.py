"""The full-scale runs, tried small: each to its end, through kills, damage and company, and no word of it in docs/results."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from dtwin import claims, data
from dtwin.full import __main__ as command
from dtwin.full import pictures, plans, record, units

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")} | {"OMP_NUM_THREADS": "1"}
DONE = []  # what the units of `counting` were given


def small(tmp_path, *names, out="out", state="state"):
    return ["--small", "--device", "cpu", "--out", str(tmp_path / out), "--state", str(tmp_path / state), *names]


def start(*arguments, launch=("-m", "dtwin.full")):
    return subprocess.Popen([sys.executable, *launch, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def values(path):
    content = json.loads(path.read_text("utf-8"))
    return {key: content[key] for key in ("run", "data", "claims", "values", "seeds", "epochs", "units")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The result of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    torch.set_num_threads(1)
    assert command.main(small(folder, "relu")) == 0
    return values(folder / "out/relu.json")


@pytest.mark.parametrize("plan", plans.PLANS.values(), ids=plans.PLANS)
def test_every_run_goes_to_its_end(tmp_path, plan, capsys):
    torch.set_num_threads(1)
    assert command.main(small(tmp_path, plan.name)) == 0
    content = json.loads((tmp_path / f"out/{plan.name}.json").read_text("utf-8"))
    assert set(content["claims"]) == set(plan.claims) and content["values"]
    assert all(isinstance(value["mean"], float) or value["mean"] == "inf" for value in [*content["claims"].values(), *content["values"].values()])
    assert [one["name"] for one in content["data"]] == [{"fashion_mnist": "digits"}.get(name, "pasture") for name in plan.data]
    assert content["commit"] and content["hardware"][0].startswith("CPU") and content["versions"][0]["torch"]
    assert capsys.readouterr().err == ""
    assert not list(tmp_path.glob("state/*/*.pt"))


def test_every_claim_at_full_scale_belongs_to_a_run_that_there_is():
    runs = {claim.full.run for claim in claims.registry().values() if claim.full}
    assert runs <= set(plans.PLANS) and all(plan.minutes > 0 for plan in plans.PLANS.values())


def test_a_run_that_is_killed_goes_on_and_comes_to_the_same_result(tmp_path, whole):
    process = start(*small(tmp_path, "relu"))
    try:
        limit = time.monotonic() + 60
        while not list(tmp_path.glob("state/relu/*.json")) or not list(tmp_path.glob("state/relu/*.pt")):
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "out").exists()
    done = len(list(tmp_path.glob("state/relu/*.json")))
    second = start(*small(tmp_path, "relu"))
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 0 and f"{done} of {whole['units']} units are done already" in said
    assert values(tmp_path / "out/relu.json") == whole


def test_processes_that_work_together_share_the_units_and_write_the_result_once(tmp_path, whole):
    said = [process.communicate(timeout=120)[0] for process in [start(*small(tmp_path, "relu")) for _ in range(2)]]
    lines = [line for one in said for line in one.splitlines() if " s" in line and "seed=" in line]
    assert len(lines) == whole["units"] and values(tmp_path / "out/relu.json") == whole


@pytest.mark.parametrize("launch, more", [
    (("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "dtwin.full"), ()),
    (("-m", "dtwin.full"), ("--jobs", "2")),
])
def test_started_several_times_it_does_what_one_does(tmp_path, whole, launch, more):
    process = start(*small(tmp_path, "relu"), *more, launch=launch)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0 and said.count("out/relu.json") == 1 and values(tmp_path / "out/relu.json") == whole


def counting(at, number):
    DONE.append(number)
    if at.checkpoint.exists():
        DONE.append("resumed")
    return {"number": number, "small": at.small}


@pytest.fixture
def shelf(tmp_path):
    DONE.clear()
    return units.Shelf(tmp_path / "shelf", [{"sha256": "abc"}], True)


def work(shelf, numbers=(1, 2), **more):
    found = units.work_off("count", [units.Unit(counting, {"number": n}) for n in numbers], shelf, torch.device("cpu"), **more)
    return found and [one["numbers"]["number"] for one in found]


def test_a_unit_is_done_once(shelf):
    assert work(shelf) == work(shelf) == [1, 2] and DONE == [1, 2]
    assert work(shelf, [2, 3]) == [2, 3] and DONE == [1, 2, 3]


def test_other_pictures_or_another_size_are_another_unit(shelf, tmp_path):
    work(shelf)
    for identity, tried in (([{"sha256": "abd"}], True), ([{"sha256": "abc"}], False)):
        work(units.Shelf(tmp_path / "shelf", identity, tried))
    assert DONE == [1, 2] * 3


@pytest.mark.parametrize("damage", [lambda raw: raw[:-3], lambda raw: b"", lambda raw: raw.replace(b"1", b"2"), lambda raw: b"\xff" * 9])
def test_a_damaged_unit_is_named_and_done_again(shelf, damage, capsys):
    work(shelf)
    path = shelf.path(units.Unit(counting, {"number": 1}))
    path.write_bytes(damage(path.read_bytes()))
    assert work(shelf) == [1, 2] and DONE == [1, 2, 1]
    assert capsys.readouterr().err == f"{path} is damaged: its unit is done again\n"


def test_a_card_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(SystemExit, match="--device cuda: PyTorch sees no graphics card here; expected cpu"):
        command.main(["relu", "--small", "--device", "cuda", "--out", str(tmp_path)])


def test_processes_that_begin_later_end_with_the_first(monkeypatch):
    monkeypatch.setattr(command.time, "monotonic", lambda: 100.0)
    assert [command.left(until) for until in (220.0, 90.0, float("inf"))] == [2, 0, float("inf")]


def test_a_damaged_checkpoint_is_named_and_left_behind(shelf, capsys):
    path = shelf.path(units.Unit(counting, {"number": 1})).with_suffix(".pt")
    path.parent.mkdir()
    path.write_bytes(b"half a checkpoint")
    assert work(shelf) == [1, 2] and DONE == [1, 2]
    assert capsys.readouterr().err == f"{path} is damaged: its unit begins anew\n"


def test_what_another_process_holds_is_passed_over(shelf):
    with shelf.held(units.Unit(counting, {"number": 1})) as mine:
        assert mine and work(shelf, rank=1) is None
    assert DONE == [2] and work(shelf) == [1, 2] and DONE == [2, 1]


def test_the_first_process_waits_for_what_another_holds_and_does_it_when_that_one_is_gone(shelf):
    there, gone = threading.Event(), threading.Event()

    def hold():
        with shelf.held(units.Unit(counting, {"number": 1})):
            there.set()
            gone.wait(1)

    thread = threading.Thread(target=hold)
    thread.start()
    there.wait()
    assert work(shelf) == [1, 2] and DONE == [2, 1]
    gone.set()
    thread.join()


def test_when_the_time_is_over_nothing_is_begun(shelf):
    with pytest.raises(units.OutOfTime, match="count: the time is over, 0 of 2 units are done; the same command goes on"):
        work(shelf, deadline=0)
    assert DONE == []


def test_the_command_says_when_the_time_was_over(tmp_path, capsys):
    assert command.main([*small(tmp_path, "relu"), "--minutes", "0"]) == 3
    assert "relu: the time is over, 0 of " in capsys.readouterr().out and not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments, message", [
    (["rellu"], "no run has the name 'rellu'; did you mean 'relu'?"), (["zzz"], "no run has the name 'zzz'"),
    ([], "expected list, the names of runs, or --all"), (["relu", "--all"], "expected list, the names of runs, or --all"),
    (["relu", "--small"], "--small tries the runs on a few pictures: its results are none, and go to --out FOLDER"),
    (["relu", "--small", "--out", str(command.RESULTS)], "not to "),
    (["relu", "--small", "--out", str(command.RESULTS / "there")], "not to "),
])
def test_a_wrong_command_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert message in capsys.readouterr().err


def test_the_list_names_every_run_and_what_is_recorded(tmp_path, capsys):
    (tmp_path / "relu.json").write_text("{}")
    assert command.main(["list", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(plans.PLANS)
    assert "recorded" in next(line for line in lines if line.startswith("relu ")) and "minutes in all" in lines[-1]


def test_a_run_without_its_pictures_fails_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def fail(name, small):
        raise data.FetchError("cifar10: it is not here") if name == "cifar10" else RuntimeError("another fault")

    monkeypatch.setattr(pictures, "identity", fail)
    monkeypatch.setitem(plans.PLANS, "relu", plans.PLANS["relu"]._replace(data=("cifar10",)))
    assert command.main(small(tmp_path, "relu", "localisation", "dropout")) == 1
    said = capsys.readouterr().err
    assert said.startswith("relu: cifar10: it is not here\nTraceback") and said.endswith("\nlocalisation: another fault\n")


def test_jpeg_pictures_are_taken_where_the_official_ones_are_not_and_named_so(tmp_path, monkeypatch):
    from PIL import Image

    for split in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "cifar10-jpeg" / split / name
            folder.mkdir(parents=True)
            for n in range(3):
                Image.new("RGB", (32, 32), (40 * n, 0, 0)).save(folder / f"{n}.jpg")
    monkeypatch.setenv("DTWIN_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pictures, "find", lambda remote: None)
    for function in (pictures.load, pictures.identity):
        function.cache_clear()
    there = pictures.identity("cifar10")
    assert there["name"] == "cifar10-jpeg" and (there["train"], there["test"]) == (6, 6)
    assert sorted(pictures.load("cifar10", "train").labels) == [0, 0, 0, 1, 1, 1]
    for function in (pictures.load, pictures.identity):
        function.cache_clear()


def test_a_summary_must_have_the_claims_of_its_run():
    with pytest.raises(ValueError, match=r"relu: got values for the claims \['cow'\], expected \['relu-against-tanh'\]"):
        record.record(plans.PLANS["relu"], [], [], {}, {"cow": 1.0})


def test_numbers_are_spread():
    assert record.spread(2) == {"mean": 2.0} and record.spread([2]) == {"mean": 2.0, "each": [2.0]}
    assert record.spread([1, math.inf]) == {"mean": "inf", "each": [1.0, "inf"]}
    assert record.spread([1, 3]) == {"mean": 2.0, "std": pytest.approx(2**0.5), "each": [1.0, 3.0]}
