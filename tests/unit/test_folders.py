"""One's own pictures: read in order, kept in the cache, and whatever is wrong with them is named."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dtwin.data import DataError, decode, folders, image_folder

# for programs that need no digits, whose library takes seconds to import
QUICK = "import sys, types; sys.modules['dtwin.data.digits'] = types.SimpleNamespace(digits=0)\n"
REAL = Path(os.environ.get("DTWIN_DATA", "")) / "cifar10-jpeg.tar.gz"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.delenv("DTWIN_DATA", raising=False)
    return tmp_path / "cache" / "dtwin" / "folders"


def put(path, value=0, mode="RGB", size=(4, 4), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode != "RGB" else (value, value + 1, value + 2)).save(path, **options)


@pytest.fixture
def farm(tmp_path):
    """train: dog 1 2, cow 3; test: cow 4, horse 5."""
    for value, name in enumerate(["train/dog/a.png", "train/dog/b.png", "train/cow/c.png", "test/cow/d.png",
                                  "test/horse/e.png"], 1):
        put(tmp_path / "farm" / name, value)
    return tmp_path / "farm"


def packed(folder):
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, "./")
    return path


def as_folder(folder):
    return folder


@pytest.mark.parametrize("form", [as_folder, packed])
def test_pictures_come_in_order_with_labels_that_mean_the_same_in_each_split(farm, form):
    train, test = image_folder(form(farm)), image_folder(str(form(farm)), "test")
    assert train.classes == test.classes == ("cow", "dog", "horse")
    assert train.images[:, :, 0, 0].tolist() == [[3, 4, 5], [1, 2, 3], [2, 3, 4]]
    assert train.labels.tolist() == [0, 1, 1] and test.labels.tolist() == [0, 2]
    assert train.images.shape == (3, 3, 4, 4) and train.name == "farm" and test.split == "test"


def test_rows_and_columns_are_not_swapped(tmp_path):
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    (tmp_path / "train" / "a").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "train" / "a" / "0.png")
    assert (image_folder(tmp_path).images[0] == pixels.transpose(2, 0, 1)).all()


def test_a_folder_is_looked_for_where_dtwin_data_says(farm, monkeypatch):
    monkeypatch.setenv("DTWIN_DATA", str(farm.parent))
    assert len(image_folder("farm")) == 3
    with pytest.raises(DataError, match=f"there is no folder or .tar.gz /.*/ranch, nor one in {farm.parent}"):
        image_folder("ranch")


def test_pictures_of_other_sizes_are_made_squares(farm):
    put(farm / "train/cow/wide.jpg", size=(300, 100))
    images = image_folder(farm, size=2).images
    assert images.shape == (4, 3, 2, 2)
    # the middle square: the sides are cut off, not pressed together
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 200
    Image.fromarray(stripes).save(farm / "train/cow/wide.png")
    assert (decode.decode(farm / "train/cow/wide.png", 10) == 200).all()


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path):
    turned = Image.Exif()
    turned[274] = 6  # a quarter turn
    put(tmp_path / "a.jpg", 100, size=(8, 4), exif=turned)
    assert decode.decode(tmp_path / "a.jpg").shape == (3, 8, 4)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "LA"])
def test_channels_bring_all_modes_to_one(tmp_path, mode):
    put(tmp_path / "a.tif", 0, mode)
    assert decode.decode(tmp_path / "a.tif", channels=1).shape == (1, 4, 4)
    assert decode.decode(tmp_path / "a.tif", channels=3).shape == (3, 4, 4)
    if mode not in ("L", "RGB"):
        with pytest.raises(ValueError, match=f"is of Pillow's mode {mode}, expected L or RGB; channels=1 or 3"):
            decode.decode(tmp_path / "a.tif")


@pytest.mark.parametrize("mode, kind", [("I;16", np.uint16), ("F", np.float32)])
def test_pictures_of_more_than_8_bits_are_refused(tmp_path, mode, kind):
    Image.fromarray(np.linspace(0, 60000, 16).astype(kind).reshape(4, 4)).save(tmp_path / "a.tif")
    for options in ({}, {"channels": 3}, {"channels": 1, "size": 2}):
        with pytest.raises(ValueError, match=f"is of Pillow's mode {mode}, expected L or RGB; bring it to 8 bits a channel"):
            decode.decode(tmp_path / "a.tif", **options)


# what is wrong is named

@pytest.mark.parametrize("form", [as_folder, packed])
@pytest.mark.parametrize("name, spoil, message", [
    ("empty.png", lambda path: path.write_bytes(b""), "train/cow/empty.png cannot be read"),
    ("text.jpg", lambda path: path.write_text("moo"), "train/cow/text.jpg cannot be read"),
    ("cut.png", lambda path: (put(path, size=(50, 50)), path.write_bytes(path.read_bytes()[:60])), "cut.png cannot be read"),
    ("pcx.png", lambda path: put(path, format="PCX"), "pcx.png cannot"),  # a reader that few eyes have seen
    ("wide.png", lambda path: put(path, size=(5, 4)), r"wide.png has the shape \(3, 4, 5\) and train/cow/c.png \(3, 4, 4\)"),
    ("grey.png", lambda path: put(path, mode="L"), r"grey.png has the shape \(1, 4, 4\) and train/cow/c.png \(3, 4, 4\)"),
    ("clear.png", lambda path: put(path, mode="RGBA"), "clear.png is of Pillow's mode RGBA, expected L or RGB"),
    ("phone.heic", lambda path: path.write_bytes(b"x"), r"train/cow/phone.heic is no picture, expected .*\.jpg"),
])
def test_a_picture_that_does_not_fit_is_named(farm, cache, form, name, spoil, message):
    spoil(farm / "train/cow" / name)
    path = form(farm)
    with pytest.raises(DataError, match=f"image_folder: .*{message}"):
        image_folder(path)
    assert form is packed or list(cache.glob("*")) == [], "nothing is left in the cache"


def test_a_folder_inside_a_class_is_named(farm):
    put(farm / "train/cow/more.png/a.png")
    with pytest.raises(DataError, match="cow/more.png is no picture"):
        image_folder(farm)


def test_a_picture_as_large_as_a_bomb_is_named(farm, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(DataError, match="train/cow/c.png cannot be read .*decompression bomb"):
        image_folder(farm)


def test_hidden_files_are_passed_over(farm):
    for name in (".DS_Store", "._c.png", "Thumbs.db"):
        (farm / "train/cow" / name).write_bytes(b"x")
    (farm / ".git" / "cat").mkdir(parents=True)
    assert len(image_folder(farm)) == 3 and image_folder(farm).classes == ("cow", "dog", "horse")


def archive(path, *files):
    """An archive of pictures by name and value, one behind the other."""
    with tarfile.open(path, "w:gz") as file:
        for name, value in files:
            put(path.parent / "one.png", value)
            file.add(path.parent / "one.png", name)
    return path


def test_of_an_archive_the_last_picture_of_a_name_counts_and_hidden_ones_do_not(tmp_path):
    path = archive(tmp_path / "a.tar.gz", ("set/train/cow/1.png", 1), ("set/train/cow/1.png", 5),
                   ("set/train/.ipynb_checkpoints/1.png", 9), (".trash/train/cow/1.png", 7))
    farm = image_folder(path)
    assert farm.classes == ("cow",) and farm.images[:, :, 0, 0].tolist() == [[5, 6, 7]]


@pytest.mark.parametrize("other, tops", [("b/train/cow/1.png", "'a', 'b'"), ("a/train/cow/old/1.png", "'a', 'a/train'")])
def test_an_archive_with_pictures_at_two_places_is_refused(tmp_path, other, tops):
    path = archive(tmp_path / "a.tar.gz", ("a/train/cow/1.png", 1), (other, 2))
    with pytest.raises(DataError, match=rf"image_folder: .*a.tar.gz has pictures under \[{tops}\], expected one folder"):
        image_folder(path)


@pytest.mark.parametrize("make, message", [
    (lambda root: None, "there is no folder or .tar.gz"),
    (lambda root: root.write_bytes(b""), "there is no folder or .tar.gz"),
    (lambda root: root.mkdir(), r"has the folders \[\] with the classes \[\], expected train/<class>/<picture>"),
    (lambda root: put(root / "cow/a.png"), r"has the folders \['cow'\] with the classes \[\]"),
    (lambda root: put(root / "val/cow/a.png"), r"has the folders \['val'\] with the classes \['cow'\], expected train/"),
    (lambda root: (root / "train/cow").mkdir(parents=True), "has no picture in train/<class>/"),
])
def test_a_folder_of_another_layout_is_described(tmp_path, make, message):
    make(tmp_path / "x")
    with pytest.raises(DataError, match=f"image_folder: .*{message}"):
        image_folder(tmp_path / "x")


@pytest.mark.parametrize("options", [dict(size=0), dict(size=-1), dict(size="a"), dict(size=2.0), dict(channels=2)])
def test_wrong_options_are_refused(farm, options):
    with pytest.raises(ValueError, match="image_folder: got size=.*, channels=.*, expected"):
        image_folder(farm, **options)


# the cache

def test_pictures_are_decoded_once(farm, cache, monkeypatch):
    first = image_folder(farm)
    monkeypatch.setattr(folders, "decode_files", None)
    again = image_folder(farm)
    assert (again.images == first.images).all() and (again.labels == first.labels).all()
    assert len(list(cache.iterdir())) == 1


def test_each_way_to_read_a_folder_is_kept_by_itself(farm, cache):
    for _ in range(2):
        shapes = [image_folder(farm, **options).images.shape for options in (
            dict(), dict(size=2), dict(size=3), dict(channels=1), dict(split="test"))]
        assert shapes == [(3, 3, 4, 4), (3, 3, 2, 2), (3, 3, 3, 3), (3, 1, 4, 4), (2, 3, 4, 4)]
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize("change, count", [
    (lambda farm: put(farm / "train/cow/c.png", 9), 3),
    (lambda farm: os.utime(farm / "train/cow/c.png", (1, 1)), 3),
    (lambda farm: put(farm / "train/cow/z.png", 9), 4),
    (lambda farm: (farm / "train/dog/a.png").unlink(), 2),
    (lambda farm: (farm / "train/dog/a.png").rename(farm / "train/dog/z.png"), 3),
])
def test_a_change_is_seen_and_takes_the_place_of_the_old(farm, cache, change, count):
    image_folder(farm)
    change(farm)
    images = image_folder(farm).images
    expected = [np.asarray(Image.open(path)).transpose(2, 0, 1) for path in sorted((farm / "train").glob("*/*"))]
    assert len(images) == count and (images == expected).all()
    assert len(list(cache.iterdir())) == 1


def test_a_damaged_cache_is_made_again(farm, cache):
    first = image_folder(farm)
    file, = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="is damaged"):
        assert (image_folder(farm).images == first.images).all()


def test_no_space_for_the_cache_is_a_warning_that_leaves_nothing(farm, cache):
    code = (f"{QUICK}import resource\nfrom dtwin.data import image_folder\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            f"print(len(image_folder({str(farm)!r})))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "3\n" and "cannot keep" in done.stderr and "File too large" in done.stderr
    assert list(cache.iterdir()) == []


# many pictures, shared out among processes

@pytest.fixture
def herd(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 3)
    monkeypatch.setattr(decode.os, "cpu_count", lambda: 3)
    for n in range(20):
        put(tmp_path / f"herd/train/{'ab'[n % 2]}/{n:02}.png", n)
    return tmp_path / "herd"


def test_processes_give_the_same_pictures_in_the_same_order(herd):
    assert image_folder(herd).images[:, 0, 0, 0].tolist() == list(range(0, 20, 2)) + list(range(1, 20, 2))


def test_processes_name_the_wrong_picture_and_end(herd, monkeypatch):
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(decode.subprocess, "Popen", Noted)
    (herd / "train/b/11.png").write_bytes(b"")
    with pytest.raises(DataError, match="image_folder: .*train/b/11.png cannot be read"):
        image_folder(herd)
    assert len(started) == 3 and all(process.poll() == 0 for process in started)


@pytest.mark.parametrize("program", ["", "import sys; sys.stdin.readline()"])
def test_a_process_that_ends_is_named_and_its_work_not_begun_again(herd, monkeypatch, program):
    started = []

    def ending(command, **options):
        started.append(subprocess.Popen([sys.executable, "-c", program], **options))
        return started[-1]

    monkeypatch.setattr(decode, "subprocess", SimpleNamespace(Popen=ending, PIPE=subprocess.PIPE))
    with pytest.raises(DataError, match=r"image_folder: .*train/a/\d+.png or one of the 2 files after it ended the process"):
        image_folder(herd)
    assert len(started) == 3 and all(process.poll() == 0 for process in started)


def test_a_script_without_a_main_guard_can_read_a_folder(herd, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"{QUICK}from dtwin.data import decode, image_folder\ndecode.CHUNK = 3\nprint('once')\n"
                      f"print(len(image_folder({str(herd)!r})))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout == "once\n20\n", done.stderr


@pytest.mark.skipif(not REAL.exists(), reason="DTWIN_DATA names no folder with the photographs for measuring")
def test_real_photographs(tmp_path):
    with tarfile.open(REAL) as file:
        for member in file:
            if member.isfile() and member.name.split("/")[-1] < "0003" and "test" in member.name:
                path = tmp_path / "real" / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.extractfile(member).read())
    images = image_folder(tmp_path / "real", "test")
    assert images.classes[3:5] == ("cat", "deer") and images.images.shape == (len(images), 3, 32, 32)
    assert 50 < images.images.mean() < 200
