"""Typed settings: unknown keys, wrong types, duplicate keys; overlays."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings, load, overlay, read_yaml, validate


class Cat(Settings):
    kind: Literal["cat"]
    whiskers: int = 12


class Dog(Settings):
    kind: Literal["dog"]
    breed: str = ""


class Shelter(Settings):
    name: str
    capacity: int = Field(gt=0)
    animals: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []
    rooms: dict[str, Cat] = {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"nmae": "x", "capacity": 1}, "unknown key 'nmae': did you mean 'name'?"),
        ({"capacity": 1}, "the key 'name' is missing"),
        ({"name": "x", "capacity": "many"}, "'capacity': found 'many'"),
        ({"name": "x", "capacity": 0}, "greater than 0"),
        (
            {"name": "x", "capacity": 1, "animals": [{"kind": "dog", "bred": "a"}]},
            "unknown key 'animals.0.dog.bred': did you mean 'breed'?",
        ),
        (
            {"name": "x", "capacity": 1, "rooms": {"a": {"kind": "cat", "wiskers": 1}}},
            "unknown key 'rooms.a.wiskers': did you mean 'whiskers'?",
        ),
        ({"name": "x", "capacity": 1, "zzz": 1}, "known keys: animals, capacity, name, rooms"),
    ],
)
def test_every_mistake_is_named_with_its_remedy(content, said):
    with pytest.raises(SettingsError) as caught:
        validate(Shelter, content, "shelter.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("shelter.yaml")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        validate(Shelter, {"nmae": "x", "capacity": -1}, "shelter.yaml")
    assert len(str(caught.value).splitlines()) == 4  # the file, then missing, out of range, unknown


def test_a_key_given_twice_is_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: x\ncapacity: 1\nname: y\n")
    with pytest.raises(SettingsError, match=r"line 3: the key 'name' is given twice"):
        load(Shelter, path)


def test_merge_keys_may_be_overridden(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &base {x: 1, y: 2}\nb: {<<: *base, x: 3}\n")
    assert read_yaml(path)["b"] == {"x": 3, "y": 2}


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "nat_response.yaml").write_text("a: 1")
    with pytest.raises(SettingsError, match="Did you mean 'nat_response'"):
        read_yaml(tmp_path / "nat_respone.yaml")


def test_yaml_tags_do_not_run(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(SettingsError, match="not valid YAML"):
        read_yaml(path)


def test_overlay_merges_mappings_replaces_lists_and_removes_null():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 2, "c": {"z": 1}}
    changes = {"a": {"y": [3]}, "b": None, "d": 4}
    assert overlay(base, changes) == {"a": {"x": 1, "y": [3]}, "c": {"z": 1}, "d": 4}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 2, "c": {"z": 1}}


class Words(Settings):
    levels: dict[str, str] = {}
    texts: list[str] = []
    number: float | None = None
    either: int | str = 0
    truth: bool = False


def test_text_is_read_as_it_is_written(tmp_path):
    """Reports: r-lib/yaml 93, spring-boot 9186; numbers by YAML 1.2, 10.3.2 (core schema)."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "levels: {no: No, yes: Yes, on: Off, 0: Absent, 007: Bond, 1.10: x, 2019-01-01: date, 1e3: y, n: z, True: T}\n"
        "texts: [NO, off, 12:30, 1_000, 2019-01-01 10:00:00, 0x1F, +5, 1.50, .5, 3., y, TRUE]\n"
        "number: 010\neither: 12\ntruth: true\n",
        encoding="utf-8",
    )
    words = load(Words, path)
    assert list(words.levels) == ["no", "yes", "on", "0", "007", "1.10", "2019-01-01", "1e3", "n", "True"]
    assert words.levels["no"] == "No" and words.levels["yes"] == "Yes" and words.levels["on"] == "Off"
    assert words.texts == [
        *("NO", "off", "12:30", "1_000", "2019-01-01 10:00:00", "0x1F", "+5", "1.50", ".5", "3.", "y", "TRUE")
    ]
    assert (words.number, words.either, words.truth) == (10.0, 12, True)


def test_a_truth_value_where_text_is_wanted_is_told_with_its_quotes(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("levels: {true: x}\ntexts: [false]\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(Words, path)
    assert "found the truth value true; expected a text. Put it into quotes: 'true'" in str(caught.value)
    assert "Put it into quotes: 'false'" in str(caught.value)


def test_a_key_that_is_written_in_two_ways_is_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("levels: {1: a, '1': b}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 1: the key '1' is given twice"):
        load(Words, path)


def test_written_numbers_survive_copies():
    import copy
    import pickle

    from her2radiomics.core.yaml_text import WrittenFloat, WrittenInteger

    for number, text in ((WrittenInteger(7, "007"), "007"), (WrittenFloat(1.1, "1.10"), "1.10")):
        for again in (copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
            assert (again, str(again)) == (number, text)
