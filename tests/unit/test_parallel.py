"""One experiment many times at once: the same results, bit by bit, as one after the other."""

import os
import signal
import time

import loky
import pytest
import torch

from dtwin import data, parallel, train, twin


@pytest.fixture(autouse=True)
def without_a_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=[1, 2], ids=["one core", "two cores"])
def cores(request, monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_arguments(cores):
    scale = 10  # what a function finds around it travels along
    assert parallel.map(lambda a, b: scale * a + b, range(5), [9, 8, 7, 6, 5]) == [9, 18, 27, 36, 45]
    assert parallel.map(lambda a: a, []) == []


def test_a_grid_has_a_list_for_each_row(cores):
    assert parallel.grid(lambda row, column: (row, column), "ab", range(3)) == [
        [("a", 0), ("a", 1), ("a", 2)], [("b", 0), ("b", 1), ("b", 2)]]
    assert parallel.grid(max, [1, 2], []) == [[], []] and parallel.grid(max, [], [1]) == []


def test_calls_leave_this_process_where_there_is_more_than_one_core(cores):
    found = parallel.map(lambda _: (os.getpid(), torch.get_num_threads()), range(4))
    here = [pid == os.getpid() for pid, _ in found]
    assert here == [cores == 1] * 4
    assert cores == 1 or {threads for _, threads in found} == {1}


def test_calls_stay_here_where_they_would_share_a_graphics_card(monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert set(parallel.map(lambda _: os.getpid(), range(2))) == {os.getpid()}


def test_there_are_never_more_than_eight_workers(monkeypatch):
    asked = []
    monkeypatch.setattr(loky, "cpu_count", lambda: 64)
    monkeypatch.setattr(loky, "get_reusable_executor", lambda workers, **_: asked.append(workers) or loky.ProcessPoolExecutor(1))
    assert parallel.map(abs, [-1]) == [1] and asked == [8]


def test_a_network_learns_the_same_in_a_process_of_its_own(monkeypatch, one_thread):
    digits = data.digits("train")[:200]

    def learn(seed):
        torch.manual_seed(seed)
        net = twin.nets.SmallAlexNet(len(digits.classes), 1, 8, ((8,), (16,)), dropout=0.5)
        return train.fit(net, digits, train.Recipe(2, seed=seed, pad=1), device="cpu").loss, net.state_dict()

    found = {}
    for count in (1, 2):
        monkeypatch.setattr(loky, "cpu_count", lambda: count)
        found[count] = parallel.map(learn, range(2))
    for (loss, net), (other_loss, other) in zip(found[1], found[2], strict=True):
        assert loss == other_loss and loss[0] > 0
        assert all(torch.equal(net[name], other[name]) for name in net)
    assert found[1][0][0] != found[1][1][0]


def test_random_numbers_of_this_process_go_on_as_if_nothing_had_been(cores):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    parallel.map(lambda seed: torch.manual_seed(seed) and None, range(3))
    assert torch.equal(torch.rand(3), expected)


def test_a_function_travels_that_uses_torch_and_an_attribute_of_the_name_of_its_module(cores):
    digits = data.digits("train")[:3]
    assert parallel.map(lambda n: torch.arange(n).sum().item() + len(digits.classes), [3, 4]) == [13, 16]


def test_a_function_travels_that_makes_pytorch_deterministic(cores, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)  # and back, where the calls run here

    def seeded(seed):
        torch.manual_seed(seed)
        torch.backends.cudnn.deterministic = True
        return torch.backends.cudnn.deterministic, torch.backends.mkldnn.is_available()

    assert parallel.map(seeded, range(2)) == 2 * [(True, torch.backends.mkldnn.is_available())]


def test_a_worker_that_takes_memory_is_not_replaced(monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)

    def grow(n):
        global kept
        kept = torch.zeros(100_000_000 * n)  # bytes times four
        time.sleep(1.1)  # loky looks once a second
        return os.getpid()

    assert len({*parallel.map(grow, [0, 0]), *parallel.map(grow, [1, 1, 1, 1])}) <= 2


def test_what_a_call_raises_comes_out(cores):
    with pytest.raises(ZeroDivisionError):
        parallel.map(lambda n: 1 / n, [1, 0])
    assert parallel.map(lambda n: 1 / n, [1, 2]) == [1, 0.5]  # and the next calls are served


def test_a_call_that_is_started_is_made_once_and_gives_its_result_as_often_as_asked(cores, tmp_path):
    def count(a, b):
        with open(tmp_path / "calls", "a") as calls:
            calls.write("x")
        return a - b

    result = parallel.start(count, 9, 4)
    assert parallel.map(abs, [-1, -2]) == [1, 2]
    assert [result(), result()] == [5, 5] and (tmp_path / "calls").read_text() == "x"


def test_a_worker_sets_out_at_once_and_this_process_when_it_is_asked(cores, tmp_path):
    begun = tmp_path / "begun"
    result = parallel.start(lambda: begun.touch() or os.getpid())
    while cores > 1 and not begun.exists():
        time.sleep(0.05)
    assert begun.exists() == (cores > 1)
    assert (result() == os.getpid()) == (cores == 1)


def test_what_comes_after_does_not_wait_for_a_call_that_is_started(monkeypatch, tmp_path):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)
    go = tmp_path / "go"

    def wait():
        while not go.exists():
            time.sleep(0.05)
        return "done"

    result = parallel.start(wait)
    assert parallel.map(abs, [-1, -2, -3]) == [1, 2, 3]
    go.touch()
    assert result() == "done"


def test_a_call_that_is_started_draws_no_random_numbers_of_this_process(cores):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    parallel.start(torch.manual_seed, 1)()
    assert torch.equal(torch.rand(3), expected)


def test_what_a_call_that_is_started_raises_comes_out_when_it_is_asked(cores):
    result = parallel.start(lambda n: 1 / n, 0)
    with pytest.raises(ZeroDivisionError):
        result()


def test_a_call_that_ended_with_a_map_that_failed_is_made_once_more(monkeypatch, tmp_path):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)
    (calls := tmp_path / "calls").touch()

    def first_waits():
        with calls.open("a") as line:
            line.write("x")
        time.sleep(600 if calls.read_text() == "x" else 0)
        return os.getpid()

    result = parallel.start(first_waits)
    while not calls.read_text():
        time.sleep(0.05)
    with pytest.raises(ZeroDivisionError):
        parallel.map(lambda n: 1 / n, [0])
    worker = result()
    assert worker != os.getpid() and result() == worker
    assert calls.read_text() == "xx"


def test_a_call_that_is_started_reports_that_its_worker_was_killed(monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)
    result = parallel.start(lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(loky.process_executor.TerminatedWorkerError):
        result()


def test_calls_that_wait_are_dropped_when_one_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)

    def first_fails(n):
        (tmp_path / str(n)).touch()
        time.sleep(0.3)
        return 1 / n

    with pytest.raises(ZeroDivisionError):
        parallel.map(first_fails, range(20))
    begun = sorted(tmp_path.iterdir())
    time.sleep(1)
    assert sorted(tmp_path.iterdir()) == begun and len(begun) < 10


def test_a_worker_that_is_killed_is_reported_and_the_next_calls_are_served(monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)
    with pytest.raises(loky.process_executor.TerminatedWorkerError):
        parallel.map(lambda n: os.kill(os.getpid(), signal.SIGKILL), range(2))
    assert parallel.map(abs, [-1]) == [1]


def test_a_call_has_no_workers_of_its_own(monkeypatch):
    monkeypatch.setattr(loky, "cpu_count", lambda: 2)

    def inner(n):
        return os.getpid()

    def outer(n):
        import loky  # here, as it is, not as this test has it

        return os.getpid(), loky.cpu_count(), parallel.map(inner, range(2))

    for pid, cores, within in parallel.map(outer, range(2)):
        assert cores == 1 and within == [pid, pid]


@pytest.mark.parametrize("arguments, lengths", [(([1, 2], [3]), r"\[2, 1\]"), ((), r"\[\]")])
def test_arguments_of_other_lengths_are_refused(arguments, lengths):
    with pytest.raises(ValueError, match=rf"^map: got arguments of lengths {lengths}, expected one or more of equal length$"):
        parallel.map(max, *arguments)
