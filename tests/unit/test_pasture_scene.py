"""How scenes are drawn, and what a scene refuses."""

from dataclasses import asdict

import numpy as np
import pytest

from dtwin.data.pasture import CHOICES, RANGES, SPECIES, Scene, sample


def test_the_same_seed_draws_the_same_scenes_and_more_of_them_begin_alike():
    assert sample(20, 4) == sample(30, 4)[:20]
    assert sample(5, 4) != sample(5, 5) and sample(5, (4, 0)) != sample(5, (4, 1)) and sample(0) == []


def test_to_fix_a_cause_leaves_all_others_as_they_were():
    free = sample(30, 1)
    for causes in ({"species": "pig"}, {"ground": "sand"}, {"graze": 0.5}, {"azimuth": (0, 1)}, {"chance": 3}, {"size": 20}):
        (name, _), = causes.items()
        for before, after in zip(free, sample(30, 1, **causes)):
            before, after = asdict(before), asdict(after)
            changed = {key for key in before if before[key] != after[key]}
            # the sun keeps to the camera's side
            assert changed <= {name} | ({"sun_azimuth"} if name == "azimuth" else set())


def test_causes_are_values_ranges_choices_or_depend_on_the_species():
    scenes = sample(200, 2, legs=1.2, azimuth=(80, 100), ground=["sand", "snow"], species=["cow", "pig"],
                    coat={"cow": "plain", "pig": ["spots", "stripes"]}, sun_azimuth=30.0)
    assert {s.legs for s in scenes} == {1.2} and {s.sun_azimuth for s in scenes} == {30.0}
    assert all(80 <= s.azimuth <= 100 for s in scenes) and np.ptp([s.azimuth for s in scenes]) > 15
    assert {s.ground for s in scenes} == {"sand", "snow"}
    assert {(s.species, s.coat) for s in scenes} == {("cow", "plain"), ("pig", "spots"), ("pig", "stripes")}


def test_a_cause_that_is_given_to_one_species_leaves_the_others_free():
    free = sample(50, 1, species=["pig"])
    assert sample(50, 1, species=["pig"], sun_azimuth={"cow": 30.0}, chance={"cow": 3}) == free
    assert {(s.sun_azimuth, s.chance) for s in sample(50, 1, species=["cow"], sun_azimuth={"cow": 30.0}, chance={"cow": 3})} == {(30.0, 3)}


def test_what_is_left_free_covers_its_choices_and_range():
    scenes = sample(600, 3)
    for name, choices in CHOICES.items():
        counts = [sum(getattr(s, name) == choice for s in scenes) for choice in choices]
        assert min(counts) > 0.5 * 600 / len(choices) or name == "occluder" and min(counts) > 50
    assert 360 < sum(s.occluder == "none" for s in scenes) < 480 and 250 < sum(s.graze == 0 for s in scenes) < 350
    for name, (low, high) in RANGES.items():
        values = np.array([getattr(s, name) - (s.azimuth if name == "sun_azimuth" else 0) for s in scenes])
        assert values.min() >= low - 1e-9 and values.max() <= high + 1e-9 and np.ptp(values) > 0.9 * (high - low)


def test_a_biased_pasture_gives_the_meadow_to_cows_alone():
    scenes = sample(300, 5, biased=True)
    assert {s.ground for s in scenes if s.species == "cow"} == {"meadow"}
    assert {s.ground for s in scenes if s.species != "cow"} == {"sand", "snow", "straw"}
    assert {s.ground for s in sample(50, 5, biased=True, ground="sand")} == {"sand"}
    # the bias moves grounds only
    assert [s.azimuth for s in scenes] == [s.azimuth for s in sample(300, 5)]


@pytest.mark.parametrize("causes, message", [
    ({"species": "unicorn"}, r"Scene: got species='unicorn', expected one of cow, horse"),
    ({"coat": "tartan"}, r"Scene: got coat='tartan', expected one of plain"),
    ({"legs": 9}, r"Scene: got legs=9, expected a number from 0.5 to 2"),
    ({"size": 32.5}, r"Scene: got size=32.5, expected an integer from 4 to 2048"),
    ({"noise": float("nan")}, r"Scene: got noise=nan, expected a number from 0 to 1"),
    ({"azimuth": "left"}, r"Scene: got azimuth='left', expected a finite number$"),
    ({"azimuth": float("inf")}, r"Scene: got (sun_)?azimuth=inf, expected a finite number$"),
    ({"step": float("-inf")}, r"Scene: got step=-inf, expected a finite number$"),
    ({"linear": "no"}, r"Scene: got linear='no', expected True or False"),
    ({"chance": -1}, r"Scene: got chance=-1"),
])
def test_a_scene_refuses(causes, message):
    with pytest.raises(ValueError, match=message):
        Scene(**causes)
    with pytest.raises(ValueError, match=message):
        sample(1, **causes)


@pytest.mark.parametrize("call, message", [
    (lambda: sample(-1), r"sample: got n=-1, expected an integer from 0"),
    (lambda: sample(2.0), r"sample: got n=2.0"),
    (lambda: sample(1, mood="good"), r"sample: got mood, expected causes among species, legs"),
    (lambda: sample(1, legs=(1.1, 0.9)), r"sample: got legs=\(1.1, 0.9\), expected a range \(low, high\)"),
    (lambda: sample(1, ground=[]), r"sample: got no choices for ground"),
    (lambda: sample(1, seed=-3), r"sample: got seed=-3"),
    (lambda: sample(1, ground={"unicorn": "sand"}), r"sample: got ground for unicorn, expected species among cow"),
    (lambda: sample(1, species={"cow": "cow"}), r"sample: got species as a dict"),
])
def test_sample_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_species_comes():
    assert {s.species for s in sample(200, 0)} == set(SPECIES)
