"""The key of a run tells the truth: it changes with everything that a run depends on, and with nothing else."""

import pytest
from dtwin import claims
from press import chapter, key

PACKAGE = {
    "__init__.py": "",
    "claims.py": "",
    "top.py": "from .part import deep\nfrom . import beside\n",
    "beside.py": "import numpy\n",
    "part/__init__.py": "from ..above import thing\n",
    "part/deep.py": "from .sister import other as renamed\n",
    "part/sister.py": "def other():\n    from dtwin import late\n",
    "part/stranger.py": "",
    "above.py": "thing = 1\n",
    "late.py": "import dtwin.far.away\n",
    "far/__init__.py": "",
    "far/away.py": "",
    "unreached.py": "import scipy\n",
}
REACHED = ["", ".above", ".beside", ".claims", ".far", ".far.away", ".late", ".part", ".part.deep", ".part.sister", ".top"]
SOURCE = """\
# %% [markdown]
# # A title
#
# Prose.

# %% tags=["a"] alt="…"
from dtwin import claims, top
claims.measure("one", 1)

# %%
x = 1
"""
CLAIM = 'number = "C1"\nslide = ""\nstatement = "{}"\nsource = ""\nstatus = "derived"\npublished = ""\n'
CLAIMS = "".join(f"[{id}]\n{CLAIM.format(id)}embedded = {{ how = '', band = [0, 1] }}\n" for id in ("one", "two"))


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A small package, a small ledger and a chapter, all of which may be edited; calling it gives the parts of the key."""
    for name, text in PACKAGE.items():
        path = tmp_path / "dtwin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    registry = claims.registry
    ledger = tmp_path / "claims.toml"
    ledger.write_text(CLAIMS)
    script = tmp_path / "01_tiny.py"
    script.write_text(SOURCE)
    monkeypatch.setattr(key, "package_root", lambda: tmp_path / "dtwin")
    monkeypatch.setattr(claims, "registry", lambda: registry(ledger.read_text()))

    def parts():
        return key.parts(chapter.read(script))

    parts.script, parts.package, parts.ledger = script, tmp_path / "dtwin", ledger
    return parts


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def changed(before, now):
    return [name for name in now if now[name] != before[name]]


@pytest.mark.parametrize("before, after", [("Prose", "Better prose"), ('"a"', '"b"'), ("…", "a cow"), ("A title", "A cow")])
def test_prose_alt_texts_and_tags_are_no_part_of_it(world, before, after):
    parts = world()
    edit(world.script, before, after)
    assert world() == parts


def test_code_is_part_of_it(world):
    parts = world()
    edit(world.script, "x = 1", "x = 2")
    assert changed(parts, world()) == ["code"]


def test_every_import_is_followed(world):
    assert sorted(world()["sources"]) == [f"dtwin{name}" for name in REACHED]


@pytest.mark.parametrize("name", PACKAGE)
def test_a_module_is_part_of_it_exactly_when_it_is_reached(world, name):
    parts = world()
    with open(world.package / name, "a") as file:
        file.write("# edited\n")
    reached = name not in ("unreached.py", "part/stranger.py")
    assert changed(parts, world()) == ["sources"] * reached


def test_only_named_claims_are_part_of_it(world):
    parts = world()
    assert list(parts["claims"]) == ["one"]
    edit(world.ledger, 'statement = "two"', 'statement = "other"')
    assert world() == parts
    edit(world.ledger, 'statement = "one"', 'statement = "other"')
    assert changed(parts, world()) == ["claims"]


def test_versions_of_what_is_imported_are_part_of_it(world, monkeypatch):
    parts = world()
    assert {"python", "numpy", "ipykernel", "nbclient"} <= parts["versions"].keys() and "scipy" not in parts["versions"]
    version = key.metadata.distribution

    class Newer:
        version, requires = "99", ()

    monkeypatch.setattr(key.metadata, "distribution", lambda name: Newer if name == "numpy" else version(name))
    assert changed(parts, world()) == ["versions"]


def test_the_course_variables_and_the_device_are_part_of_it(world, monkeypatch):
    parts = world()
    monkeypatch.setenv("OTHER", "1")
    assert world() == parts
    monkeypatch.setenv("DTWIN_DATA", "elsewhere")
    assert changed(parts, world()) == ["data"]
    monkeypatch.setattr(key, "device", lambda: "GPU")
    assert changed(parts, world()) == ["data", "device"]


def test_a_picture_added_to_the_readers_own_is_part_of_it(world, monkeypatch, tmp_path):
    pictures = tmp_path / "pictures" / "train" / "cow"
    pictures.mkdir(parents=True)
    monkeypatch.setenv("DTWIN_DATASET", str(tmp_path / "pictures"))
    parts = world()
    assert world() == parts
    (pictures / "1.png").write_bytes(b"a cow")
    assert changed(parts, world()) == ["data"]


@pytest.mark.parametrize("name", ["~/own", "own"])
def test_the_readers_pictures_are_looked_for_where_a_chapter_runs(world, monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    own = tmp_path / ("own" if name[0] == "~" else "chapters/own")
    own.mkdir(parents=True)
    monkeypatch.setenv("DTWIN_DATASET", name)
    before = key.data()
    (own / "1.png").write_bytes(b"a cow")
    assert key.data() != before


def test_the_reason_to_run_is_said(world):
    parts = world()
    assert key.changes(None, parts) == "never run"
    edit(world.script, "x = 1", "x = 2")
    assert key.changes(parts, world()) == "code changed"
    edit(world.script, "x = 2", "x = 1")
    edit(world.package / "above.py", "1", "2")
    assert key.changes(parts, world()) == "dtwin.above changed"
    many = {**parts, "sources": {f"dtwin.{letter}": "new" for letter in "abcde"}}
    assert key.changes({**parts, "sources": {}}, many) == "dtwin.a, dtwin.b, dtwin.c and 2 more changed"
