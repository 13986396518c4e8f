"""The tests that prove an entry of the API, found in their sources."""

import pytest
from press import proofs

TESTS = '''
from dtwin import cases, ref
from dtwin.vision import parts as p
from dtwin.gradcheck import gradient_errors
import numpy as np


def helper():
    return p.match


@np.fixture
def net():
    return ref.relu


def test_by_name():
    assert gradient_errors(ref.tanh)


def test_through_a_helper_and_a_fixture(net):
    helper()
'''


@pytest.fixture
def tests(tmp_path):
    tmp_path.joinpath("test_one.py").write_text(TESTS)
    tmp_path.joinpath("test_table.py").write_text("from dtwin import cases\nCASES = cases.CASES\n")
    return proofs.find(tmp_path)


def test_an_entry_is_proved_by_the_tests_that_use_it(tests):
    assert tests["dtwin.gradcheck.gradient_errors"] == {"test_one.py": [("test_by_name", 17)]}
    assert tests["dtwin.ref.tanh"]["test_one.py"] == [("test_by_name", 17)]
    assert tests["dtwin.vision.parts.match"] == {"test_one.py": [("test_through_a_helper_and_a_fixture", 21)]}
    assert tests["dtwin.ref.relu"]["test_one.py"] == tests["dtwin.vision.parts.match"]["test_one.py"]
    assert "dtwin.vision.parts.energy" not in tests


@pytest.mark.parametrize("name", ["dtwin.ref.softmax", "dtwin.twin.softmax", "dtwin.ref.softmax_backward"])
def test_the_cases_of_an_operator_count_where_the_table_is_used(tests, name):
    ((words, _),) = tests[name]["test_table.py"]
    assert words == f"{sum(case.op == 'softmax' for case in (*proofs.cases.CASES, *proofs.cases.WRONG))} of the cases in dtwin/cases.py"
    assert "test_one.py" not in tests[name]


def test_the_tests_of_an_entry_stand_above_its_source_and_link_to_the_repository():
    entry = '<h3 id="dtwin.ref.{}">{}</h3><p>Words.</p><details class="mkdocstrings-source">def f</details>'
    html = entry.format("relu", "relu") + entry.format("tanh", "tanh")
    tests = {"dtwin.ref.tanh": {"test_one.py": [("3 of the cases", 0), ("test_it_is_odd", 7)]}}
    first, second = proofs.ENTRY.split(proofs.show(html, tests))[1:]
    assert "proofs" not in first
    assert second.index("Words.") < second.index("<summary>Tests in <code>tests/unit/test_one.py</code></summary>") < second.index("def f")
    assert "<li>3 of the cases</li><li>it is odd</li>" in second
    linked = proofs.show(html, tests, "https://example.org/cow/blob/HEAD/")
    assert '<li><a href="https://example.org/cow/blob/HEAD/tests/unit/test_one.py#L7">it is odd</a></li>' in linked


def test_what_a_package_hands_on_is_found_without_the_name_of_its_file():
    entry = '<h3 id="dtwin.ref.linear.{0}">{0}</h3><details class="mkdocstrings-source">def f</details>'
    html = entry.format("linear") + entry.format("linear_backward")
    tests = {f"dtwin.ref.{name}": {"test_one.py": [(f"test_{name}", 1)]} for name in ("linear", "linear_backward")}
    first, second = proofs.ENTRY.split(proofs.show(html, tests))[1:]
    assert "<li>linear</li>" in first and "<li>linear backward</li>" in second
