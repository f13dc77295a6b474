"""The final release and the stand-alone verifier: every method, and every single thing that may be altered in between."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.protocol.strata import LAYER, strata
from equipoise.randomization import verify_allocation
from equipoise.randomization.methods import in_order
from equipoise.randomization.minimization import allocations, minimization_of
from equipoise.randomization.public import NAME, PublicList, read_public
from equipoise.randomization.verify_allocation import Disagrees, verify
from equipoise.vault.holding import Terms, hold, read_seeds
from equipoise.vault.lists import make_list
from equipoise.vault.release_file import Dispensed, release_content
from equipoise.words.canonical import canonical_bytes
from equipoise.words.problem import Problem
from rooms.capture.conduct_study import made_definition, made_study

SEEDS = {"ada": b"a" * 20, "bo": b"b" * 33, "machine": bytes(64)}
DESIGNS = {
    "complete": ({}, (1, 1)),
    "permuted_blocks": ({"sizes": "4, 6"}, (1, 1)),
    "blocks 2:1": ({"sizes": "6 9"}, (2, 1)),
    "big_stick": ({"imbalance": "3"}, (1, 1)),
    "stick 2:1:1": ({"imbalance": "2"}, (2, 1, 1)),
    "maximal_procedure": ({"imbalance": "3"}, (1, 1)),
    "maximal 3:2": ({"imbalance": "2"}, (3, 2)),
    "biased_coin": ({"probability": "2/3"}, (1, 1)),
    "minimization": ({"probability": "0.8"}, (1, 1)),
    "minimization 2:1 variance": ({"probability": "4/5", "measure": "variance", "weights": "2,1"}, (2, 1)),
}
METHOD = {"blocks 2:1": "permuted_blocks", "stick 2:1:1": "big_stick", "maximal 3:2": "maximal_procedure",
          "minimization 2:1 variance": "minimization"}  # fmt: skip


def study_of(name: str, cap: int = 24):
    parameters, weights = DESIGNS[name]
    arms = [f"arm-{place}" for place in range(len(weights))]
    return made_study(
        design={"cap": cap},
        arms=[{"id": arm, "label": arm} for arm in arms],
        randomization={
            **made_definition()["randomization"],
            "method": METHOD.get(name, name),
            "parameters": parameters,
            "ratio": dict(zip(arms, weights, strict=True)),
        },
    )


def held_of(study, folder, value=""):
    """A ceremony's public list, and the seeds as they come out of the vault's file."""
    held = hold(study, SEEDS, Terms(public_value=value))
    assert not isinstance(held, Problem)
    (folder / NAME).write_bytes(held.public[NAME])
    public = read_public(folder)
    assert isinstance(public, PublicList)
    seeds = read_seeds(held.vault["seeds.json"], bytes.fromhex(held.vault["vault.key"].decode()))
    assert not isinstance(seeds, Problem)
    return public, held.made, seeds


def dispensed_of(study, seeds, public, count):
    """`count` participants, their strata in turn; arms as the vault would have dispensed them."""
    from equipoise.randomization.draws import combined

    value = public.content["public_value"]
    made = make_list(study, public.made_for[1], combined([seeds[name] for name in sorted(seeds)], value))
    assert not isinstance(made, Problem)
    codes, taken, found = strata(study), dict.fromkeys(made.slots, 0), []
    for number in range(count):
        code = codes[(number * number + number // 3) % len(codes)]
        layer = LAYER if LAYER in made.slots else code
        found.append((code, made.slots[layer][taken[layer]]))
        taken[layer] += 1
    if LAYER in made.slots:
        taken_draws = [(code, slot.content.draw) for code, slot in found]
        arms = list(allocations(minimization_of(in_order(study)), taken_draws))
    else:
        arms = [slot.content.arm for _, slot in found]
    return [
        Dispensed(slot.number, f"s{number}", code, made.arms[arm])
        for number, ((code, slot), arm) in enumerate(zip(found, arms, strict=True))
    ]


def released(name, folder, count=20, value=""):
    study = study_of(name)
    public, made, seeds = held_of(study, folder, value)
    content = release_content(
        study, made, public.command.slots, seeds, dispensed_of(study, seeds, public, count)
    )
    assert not isinstance(content, Problem)
    return (folder / NAME).read_bytes(), content


@pytest.mark.parametrize("name", DESIGNS)
def test_every_method_is_made_again_from_the_two_files_alone(name, tmp_path):
    told, content = released(name, tmp_path)
    slots = 24 * (1 if "minimization" in name else 4)
    root = json.loads(told)["root"]
    assert verify(told, content) == f"ok {slots} slots, 20 dispensed, root {root}"


def test_the_file_runs_alone_with_nothing_of_the_program_beside_it(tmp_path):
    told, content = released("big_stick", tmp_path, value="drand 4711: 8f3c")
    alone = tmp_path / "verify_allocation.py"
    alone.write_text(Path(verify_allocation.__file__).read_text("utf-8"), "utf-8")
    (tmp_path / "release.json").write_bytes(content)
    command = [sys.executable, "-I", "-S", str(alone), str(tmp_path / NAME)]
    ran = subprocess.run(
        [*command, str(tmp_path / "release.json")], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == f"ok 96 slots, 20 dispensed, root {json.loads(told)['root']}"
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 2
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    (tmp_path / "release.json").write_bytes(changed)
    ran = subprocess.run(
        [*command, str(tmp_path / "release.json")], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, len(ran.stdout.splitlines())) == (1, 1)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return released("big_stick", tmp_path_factory.mktemp("released"), value="beacon")


@pytest.fixture(scope="module")
def mode_b(tmp_path_factory):
    return released("minimization", tmp_path_factory.mktemp("released-b"))


def finding(told: bytes, content: bytes) -> str:
    with pytest.raises(Disagrees) as found:
        verify(told, content)
    return str(found.value)


def rewritten(data: bytes, change) -> bytes:
    """A file changed and its checksum computed anew: what somebody who knows the format would hand out."""
    content = json.loads(data)
    content.pop("checksum")
    change(content)
    checksum = hashlib.sha256(canonical_bytes(content)).hexdigest()
    return canonical_bytes({**content, "checksum": checksum}) + b"\n"


@given(st.data())
@settings(max_examples=150)
def test_one_changed_byte_of_either_file_is_found(both, data):
    told, content = both
    which = data.draw(st.sampled_from([0, 1]))
    changed = bytearray((told, content)[which])
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    files = (bytes(changed), content) if which == 0 else (told, bytes(changed))
    assert finding(*files)


@given(st.data())
@settings(max_examples=60)
def test_an_altered_slot_is_named_the_first_one_where_there_are_two(both, data):
    told, content = both
    published = json.loads(told)["strata"]
    layers = json.loads(told)["plan"]["layers"]
    places = data.draw(st.lists(
        st.tuples(st.sampled_from(layers), st.integers(0, 23)), min_size=1, max_size=2, unique=True))  # fmt: skip
    what = data.draw(st.sampled_from(["arm", "nonce", "number"]))

    def change(released):
        for code, place in places:
            slot = released["slots"][code][place]
            if what == "arm":
                slot["arm"] ^= 1
            else:
                slot[what] = slot[what][:-1] + ("0" if slot[what][-1] != "0" else "1")

    code, place = min(places, key=lambda each: (layers.index(each[0]), each[1]))
    said = finding(told, rewritten(content, change))
    assert said.startswith(f"slot {published[code][place]['number']} (place {place + 1} of {code})")


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_changed_seed_is_named_by_who_brought_it(both, name):
    def change(released):
        seed = next(each for each in released["seeds"] if each["by"] == name)
        seed["seed"] = f"{int(seed['seed'][0], 16) ^ 1:x}" + seed["seed"][1:]

    told, content = both
    assert finding(told, rewritten(content, change)) == f"the seed of {name} is not the one committed to"


def test_a_seed_left_out_and_a_public_value_exchanged_are_found(both):
    told, content = both
    assert "seeds are not those" in finding(told, rewritten(content, lambda each: each["seeds"].pop()))
    other = [rewritten(file, lambda each: each.update(public_value="other")) for file in both]
    assert "give another number" in finding(*other)
    assert "public_value" in finding(told, other[1])


def test_a_list_made_by_hand_is_found_though_everything_else_fits(both):
    """Whoever changes an arm together with its commitment, the root and both checksums: the seeds still tell."""
    from equipoise.ledger.entries import PublicSlot
    from equipoise.randomization.sealing import SlotContent, SlotName, commitment
    from equipoise.randomization.tree import list_root

    told, content = both
    code = json.loads(told)["plan"]["layers"][2]
    slot = json.loads(content)["slots"][code][7]
    other = SlotContent(slot["arm"] ^ 1, bytes.fromhex(slot["nonce"]))

    def publish(public):
        public["strata"][code][7]["commitment"] = commitment(SlotName(public["study"], code, 8), other)
        public["root"] = list_root(
            {each: [PublicSlot(**slot) for slot in slots] for each, slots in public["strata"].items()}
        )

    forged = rewritten(told, publish)
    root = json.loads(forged)["root"]

    def release(opened):
        opened["slots"][code][7]["arm"] ^= 1
        opened["root"] = root

    said = finding(forged, rewritten(content, release))
    assert (
        said
        == f"slot {slot['number']} (place 8 of {code}): the arm in RELEASE is not the one that the seeds give"
    )
    said = finding(forged, rewritten(content, lambda opened: opened.update(root=root)))
    assert said == f"slot {slot['number']} (place 8 of {code}): it does not hold what was committed to"


def swap(opened, one, other):
    given = opened["dispensed"]
    given[one], given[other] = given[other], given[one]


def same_stratum(content) -> tuple[int, int]:
    given = json.loads(content)["dispensed"]
    return next(
        (one, other)
        for one in range(len(given))
        for other in range(one + 1, len(given))
        if given[one]["stratum"] == given[other]["stratum"]
    )


@pytest.mark.parametrize("files", ["both", "mode_b"])
def test_what_was_dispensed_otherwise_is_found(files, request):
    told, content = request.getfixturevalue(files)
    arms = json.loads(content)["arms"]
    for place in range(20):
        number = json.loads(content)["dispensed"][place]["number"]

        def give_other(opened, place=place):
            each = opened["dispensed"][place]
            each["arm"] = next(arm for arm in arms if arm != each["arm"])

        said = finding(told, rewritten(content, give_other))
        assert said.startswith(f"slot {number} (")
        assert said.endswith("what was prepared is not the arm of the slot")
    one, other = same_stratum(content)
    assert "was not the next one" in finding(
        told, rewritten(content, lambda opened: swap(opened, one, other))
    )
    twice = rewritten(content, lambda opened: opened["dispensed"].insert(1, dict(opened["dispensed"][0])))
    assert "was not the next one" in finding(told, twice)
    same = rewritten(content, lambda opened: opened["dispensed"][5].update(subject="s0"))
    assert "its participant has another slot" in finding(told, same)


def test_with_minimization_the_order_and_the_strata_of_all_before_count(mode_b):
    """A participant moved to another stratum changes whom later ones are compared with: some arm does not follow."""
    told, content = mode_b
    found = []
    for place in range(12):

        def move(opened, place=place):
            each = opened["dispensed"][place]
            each["stratum"] = "H/D" if each["stratum"] != "H/D" else "L/E"

        try:
            verify(told, rewritten(content, move))
        except Disagrees as fault:
            found.append(str(fault))
    assert found, "no stratum counted"
    assert "no stratum of the study" in finding(
        told, rewritten(content, lambda opened: opened["dispensed"][0].update(stratum="L/X"))
    )


def test_the_arms_cannot_be_named_otherwise_afterwards(both):
    told, content = both
    assert "arms are not those" in finding(told, rewritten(content, lambda opened: opened["arms"].reverse()))


@given(st.binary(max_size=40) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["format", "checksum", "slots", "seeds", "strata", "plan", "root"]), inner, max_size=4),
    max_leaves=8).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_garbage_is_a_finding_and_no_crash(both, garbage):
    told, content = both
    assert finding(told, garbage)
    assert finding(garbage, content)


def test_a_well_formed_file_without_its_parts_is_a_finding(both):
    told, content = both
    for part in ("slots", "seeds", "arms", "dispensed"):
        assert finding(told, rewritten(content, lambda opened, part=part: opened.pop(part)))
        assert finding(told, rewritten(content, lambda opened, part=part: opened.update({part: 5})))
    for part in ("plan", "strata", "contributions"):
        assert finding(rewritten(told, lambda public, part=part: public.update({part: {}})), content)


def test_only_what_belongs_together_is_released(tmp_path):
    study = study_of("big_stick")
    public, made, seeds = held_of(study, tmp_path)
    other, slots = study_of("big_stick", cap=25), public.command.slots
    for wrong in (
        release_content(other, made, slots, seeds),
        release_content(study, made, {code: slots[code][:-1] for code in slots}, seeds),
        release_content(study, made, slots, {**seeds, "ada": b"x" * 20}),
        release_content(study, made, slots, {name: seeds[name] for name in ("ada", "bo")}),
    ):
        assert isinstance(wrong, Problem)
        assert wrong.rule == "vault.release-of-another-list"
