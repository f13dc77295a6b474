"""A broken instrument file is refused as a whole, with each fault named; one fault is planted at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.resources import files
from io import StringIO
from typing import Any

import pytest
from ruamel.yaml import YAML

from equipoise.instruments import Scale, read_scale
from equipoise.words.problem import catalogue

DATA = files("equipoise.instruments").joinpath("data")
Change = Callable[[dict[str, Any]], object]


def document(name: str) -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(DATA.joinpath(name).read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def read(value: object) -> Scale | tuple[str, ...]:
    buffer = StringIO()
    YAML(typ="safe", pure=True).dump(copy.deepcopy(value), buffer)
    found = read_scale(buffer.getvalue(), "file.yaml")
    return found if isinstance(found, Scale) else tuple(fault.rule for fault in found)


@pytest.mark.parametrize("name", ["nihss.yaml", "mrs.yaml", "fma.yaml", "barthel.yaml", "mmse.yaml"])
def test_a_shipped_file_survives_being_written_again(name: str) -> None:
    assert isinstance(read(document(name)), Scale)


FAULTS: dict[str, tuple[str, Change, str]] = {
    "range too high": ("nihss.yaml", lambda d: d["totals"][0].update(maximum=43), "file-range"),
    "item score lost": ("nihss.yaml", lambda d: d["items"][0]["options"].pop(3), "file-range"),
    "two items, one code": ("nihss.yaml", lambda d: d["items"][1].update(testcd="NIH0101"), "file-repeated"),
    "total with an item's code": (
        "nihss.yaml",
        lambda d: d["totals"][0].update(testcd="NIH0101"),
        "file-repeated",
    ),
    "two items, one id": ("nihss.yaml", lambda d: d["items"][1].update(id="1a"), "file-repeated"),
    "code too long": ("nihss.yaml", lambda d: d["items"][0].update(testcd="NIHSS0101"), "file-shape"),
    "name too long": ("nihss.yaml", lambda d: d["items"][0].update(test="N" * 41), "file-shape"),
    "no Chinese given": ("nihss.yaml", lambda d: d["items"][0]["label"].pop("zh"), "file-shape"),
    "English as Chinese": (
        "nihss.yaml",
        lambda d: d["items"][0]["label"].update(zh="Alertness"),
        "file-no-chinese",
    ),
    "unknown section": ("nihss.yaml", lambda d: d["items"][0].update(section="mind"), "file-unknown-name"),
    "unknown options": ("nihss.yaml", lambda d: d["items"][6].update(options="arms"), "file-unknown-name"),
    "unknown item in a rule": (
        "nihss.yaml",
        lambda d: d["expectations"][0]["given"].update({"12": [1]}),
        "file-unknown-name",
    ),
    "rule with a score nobody has": (
        "nihss.yaml",
        lambda d: d["expectations"][0].update(given={"1a": [4]}),
        "file-unknown-name",
    ),
    "untestable counts beyond": (
        "nihss.yaml",
        lambda d: d["untestable"]["limb"].update(counts=5),
        "file-options",
    ),
    "step not kept": (
        "barthel.yaml",
        lambda d: d["option_sets"]["two"].update({7: d["option_sets"]["two"].pop(5)}),
        "file-options",
    ),
    "gap between bands": ("barthel.yaml", lambda d: d["bands"].pop(1), "file-bands"),
    "band missing at the end": ("barthel.yaml", lambda d: d["bands"].pop(), "file-bands"),
    "source forgotten": ("mrs.yaml", lambda d: d["sources"].pop("items"), "file-unsourced"),
    "source without reference": (
        "mrs.yaml",
        lambda d: d["sources"].update(items="src:hearsay"),
        "file-unknown-name",
    ),
    "a key nobody knows": ("mrs.yaml", lambda d: d.update(colour="red"), "file-shape"),
    "gate without its section": (
        "fma.yaml",
        lambda d: d["totals"][0]["of"]["sections"].remove("A.IV"),
        "file-gate",
    ),
    "levels out of order": ("fma.yaml", lambda d: d["measures"][0]["levels"].reverse(), "file-levels"),
    "totals in a ring": (
        "fma.yaml",
        lambda d: d["totals"][0]["of"].update(totals=["FMATOT"]),
        "file-unknown-name",
    ),
    "alternative without its group": (
        "mmse.yaml",
        lambda d: d["alternatives"][0].update(counted="both"),
        "file-unknown-name",
    ),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found(fault: str) -> None:
    name, change, rule = FAULTS[fault]
    value = document(name)
    change(value)
    found = read(value)
    assert not isinstance(found, Scale)
    assert f"instruments.{rule}" in found


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "id: NIHSS", "- x\n b"])
def test_foreign_text_yields_problems_and_no_exception(text: str) -> None:
    found = read_scale(text, "file.yaml")
    assert not isinstance(found, Scale)
    assert all(fault.rule in catalogue() and fault.say("zh") != fault.rule for fault in found)
