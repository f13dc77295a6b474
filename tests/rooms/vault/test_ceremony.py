"""The ceremony as a process of its own, and the wall: nothing that a blinded person's program can reach tells an arm."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import io
import json
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.ledger.entries import KINDS, SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Facts
from equipoise.ledger.vault_entries import FewSeedsAccepted
from equipoise.protocol.digest import study_digest
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.randomization.draws import combined
from equipoise.randomization.public import PublicList, read_public, verify_public
from equipoise.randomization.sealing import SEALED_BYTES, SlotName, unseal
from equipoise.vault.ceremony import main
from equipoise.vault.ceremony_record import read_record
from equipoise.vault.holding import read_seeds
from equipoise.vault.lists import AllocationList, make_list
from equipoise.words.problem import Problem
from rooms.capture.conduct_study import made_definition

SOURCE = Path(__file__).resolve().parents[3] / "src"
SEED = "a known seed"


def folder_of(place: Path, **changes) -> Path:
    """A study's folder; its arms bear random tokens, so that an arm found anywhere was put there."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "study.yaml").write_text(json.dumps(made_definition(**changes)), "utf-8")
    return place


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A ceremony as it is held: a process of its own."""
    command = [sys.executable, "-m", "equipoise.vault.ceremony", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def ceremony(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same within this process, for the many cases in which only the answer matters, and not who brings seeds."""
    return ceremony_as_typed(*arguments, "--few-seeds-reason", "a test")


def ceremony_as_typed(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A ceremony with these options and no others."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # wrong usage, as argparse says it
            code = int(ended.code or 0)
    return subprocess.CompletedProcess([], code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def canaries() -> tuple[str, str]:
    return f"Arm{secrets.token_hex(12)}", f"Arm{secrets.token_hex(12)}"


@pytest.fixture(scope="module")
def held(tmp_path_factory, canaries):
    """A ceremony that was held: its folder with study, public and vault, and what it said."""
    place = tmp_path_factory.mktemp("ceremony")
    one, two = canaries
    changes = {
        "arms": [{"id": one, "label": "One"}, {"id": two, "label": "Two"}],
        "design": {"cap": 20},
        "randomization": {**made_definition()["randomization"], "ratio": {one: 1, two: 1}},
    }
    folder_of(place / "study", **changes)
    for name in ("statistician", "pharmacist"):
        (place / f"{name}.seed").write_bytes(hashlib.sha256(name.encode()).digest())
    said = process(
        place / "study", "--public", place / "public", "--vault", place / "vault",
        "--seed", place / "statistician.seed", "--seed", place / "pharmacist.seed",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return place, said


def test_it_says_where_the_files_are_and_the_root(held):
    place, said = held
    found = verify_public(place / "public")
    assert isinstance(found, str)
    assert said.stdout.splitlines()[-1] == f"ok 80 slots root {found}"  # 4 strata of 20
    assert said.stderr == ""


def test_the_vault_is_for_its_owner_only(held):
    place, _ = held
    assert stat.S_IMODE((place / "vault").stat().st_mode) == 0o700
    files = sorted((place / "vault").iterdir())
    assert [file.name for file in files] == ["ceremony.json", "seeds.json", "slots.json", "vault.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert {file.name for file in (place / "public").iterdir()} == {"allocation.json", "certificate.txt"}


def test_every_slot_opens_as_committed_and_all_look_alike(held):
    place, _ = held
    public = read_public(place / "public")
    assert isinstance(public, PublicList)
    vault = json.loads((place / "vault" / "slots.json").read_text())
    key = bytes.fromhex((place / "vault" / "vault.key").read_text())
    arms = []
    for stratum, slots in public.command.slots.items():
        for index, slot in enumerate(slots, 1):
            sealed = bytes.fromhex(vault["slots"][slot.number]["sealed"]["vault"])
            assert len(sealed) == SEALED_BYTES
            content = unseal(SlotName("made-up", stratum, index), sealed, key, slot.commitment)
            assert not isinstance(content, Problem)
            arms.append(content.arm)
    assert set(arms) == {0, 1}


def test_who_has_the_seeds_makes_the_list_again(held):
    place, _ = held
    study = load_study(place / "study")
    public = read_public(place / "public")
    assert isinstance(study, Study)
    assert isinstance(public, PublicList)
    key = bytes.fromhex((place / "vault" / "vault.key").read_text())
    seeds = read_seeds((place / "vault" / "seeds.json").read_bytes(), key)
    assert not isinstance(seeds, Problem)
    assert set(seeds) == {"machine", "pharmacist", "statistician"}
    told = {each["by"]: each["digest"] for each in public.content["contributions"]}
    assert told == {name: hashlib.sha256(seed).hexdigest() for name, seed in seeds.items()}
    again = make_list(study, study_digest(study), combined([seeds[name] for name in sorted(seeds)]))
    assert isinstance(again, AllocationList)
    assert again.public() == public.command.slots


def test_no_public_file_and_no_word_said_has_an_arm_or_a_seed(held, canaries):
    place, said = held
    key = (place / "vault" / "vault.key").read_text().strip()
    opened = read_seeds((place / "vault" / "seeds.json").read_bytes(), bytes.fromhex(key))
    assert not isinstance(opened, Problem)
    seeds = [seed.hex() for seed in opened.values()]
    public = "".join(file.read_text() for file in (place / "public").iterdir()) + said.stdout + said.stderr
    for secret in (*canaries, *seeds, key, "One", "Two"):
        assert secret not in public


def test_a_list_with_the_arms_swapped_has_a_public_file_of_the_same_shape(tmp_path):
    files = []
    for name, arms in (("one", "AB"), ("two", "BA")):
        study = folder_of(tmp_path / name, arms=[{"id": arm, "label": arm} for arm in arms])
        said = ceremony(
            study,
            "--public",
            tmp_path / name / "p",
            "--vault",
            tmp_path / name / "v",
            "--rehearsal-seed",
            SEED,
        )
        assert said.returncode == 0, said.stderr
        files.append(tmp_path / name)
    sizes = [
        [(f.name, f.stat().st_size) for d in "pv" for f in sorted((file / d).iterdir())] for file in files
    ]
    assert sizes[0] == sizes[1]


def test_a_rehearsal_is_the_same_every_time_and_says_that_it_is_one(tmp_path):
    study = folder_of(tmp_path / "study")
    for name in ("one", "two"):
        made = ceremony(
            study,
            "--public",
            tmp_path / name / "p",
            "--vault",
            tmp_path / name / "v",
            "--rehearsal-seed",
            SEED,
        )
        assert made.returncode == 0, made.stderr
    for file in ("p/allocation.json", "v/slots.json", "v/vault.key", "v/seeds.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    public = read_public(tmp_path / "one" / "p")
    assert isinstance(public, PublicList)
    assert public.command.generator.endswith("-rehearsal")


def test_a_real_ceremony_is_never_the_same(tmp_path):
    study = folder_of(tmp_path / "study")
    roots = set()
    for name in ("one", "two"):
        assert (
            ceremony(study, "--public", tmp_path / name / "p", "--vault", tmp_path / name / "v").returncode
            == 0
        )
        roots.add(verify_public(tmp_path / name / "p"))
    assert len(roots) == 2


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_a_list_that_rests_on_one_person_needs_a_recorded_reason(tmp_path, seeds):
    study = folder_of(tmp_path / "study")
    arguments = []
    for number in range(seeds):
        (tmp_path / f"{number}.seed").write_bytes(secrets.token_bytes(32))
        arguments += ["--seed", tmp_path / f"{number}.seed"]
    places = ("--public", tmp_path / "p", "--vault", tmp_path / "v")
    for empty in ((), ("--few-seeds-reason", "  ")):
        refused = ceremony_as_typed(study, *places, *arguments, *empty)
        if seeds == 2:
            assert refused.returncode == 0
            return
        assert refused.returncode == 1
        assert "--few-seeds-reason" in refused.stderr
        assert not (tmp_path / "v").exists()
    made = ceremony_as_typed(study, *places, *arguments, "--few-seeds-reason", "a dry run\nof the vault")
    assert made.returncode == 0
    noted = [step.entry for step in read_record(tmp_path / "v") if isinstance(step.entry, FewSeedsAccepted)]
    assert [one.reason for one in noted] == ["a dry run of the vault"]


def test_what_everybody_commits_to_is_printed_before_anything_is_made_of_it(tmp_path, monkeypatch):
    """A fault in making the list comes after the commitments, so that nobody can try seeds until a list suits."""
    (tmp_path / "ada.seed").write_bytes(b"a seed of ada, long enough")
    (tmp_path / "bo.seed").write_bytes(b"a seed of bo, long enough!")

    def broken(*given):
        print("made")
        return Problem("vault.slots-unreadable")

    monkeypatch.setattr("equipoise.vault.ceremony.hold", broken)
    made = ceremony_as_typed(
        folder_of(tmp_path / "study"), "--public", tmp_path / "p", "--vault", tmp_path / "v",
        "--seed", tmp_path / "ada.seed", "--seed", tmp_path / "bo.seed",
    )  # fmt: skip
    lines = made.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["commitment", name] for name in ("ada", "bo", "machine")
    ]
    assert lines[0].split()[2] == hashlib.sha256(b"a seed of ada, long enough").hexdigest()
    assert lines[3:] == ["made"]


def test_nothing_is_overwritten_and_the_folders_lie_apart(held, tmp_path):
    place, _ = held
    before = (place / "public" / "allocation.json").read_bytes()
    again = ceremony(place / "study", "--public", place / "public", "--vault", tmp_path / "v")
    assert (again.returncode, "never overwritten" in again.stderr) == (1, True)
    again = ceremony(place / "study", "--public", tmp_path / "p", "--vault", place / "vault")
    assert (again.returncode, "never overwritten" in again.stderr) == (1, True)
    assert (place / "public" / "allocation.json").read_bytes() == before
    assert not (tmp_path / "p").exists()
    inside = ceremony(place / "study", "--public", tmp_path / "x", "--vault", tmp_path / "x" / "v")
    assert (inside.returncode, "apart" in inside.stderr) == (1, True)


def guessable(tmp_path, sizes):
    parameters = {"method": "permuted_blocks", "parameters": {"sizes": sizes}}
    return folder_of(tmp_path / sizes, randomization={**made_definition()["randomization"], **parameters})


def test_a_guessable_design_needs_a_recorded_reason(tmp_path):
    study = guessable(tmp_path, "4")
    places = ("--public", tmp_path / "p", "--vault", tmp_path / "v")
    refused = ceremony(study, *places)
    assert (refused.returncode, "--over-bar-reason" in refused.stderr) == (1, True)
    assert not (tmp_path / "p").exists()
    made = ceremony(study, *places, "--over-bar-reason", "the sponsor's procedure asks for blocks")
    assert made.returncode == 0, made.stderr
    public = read_public(tmp_path / "p")
    assert isinstance(public, PublicList)
    assert public.content["over_bar_because"] == "the sponsor's procedure asks for blocks"


@pytest.mark.parametrize("sizes", ["2", "2,4", "6,4,2"])
def test_blocks_of_two_are_never_made(tmp_path, sizes):
    # DESIGN 5: never; mixed with larger blocks they still open whole with one code.
    study = guessable(tmp_path, sizes)
    refused = ceremony(
        study, "--public", tmp_path / "p", "--vault", tmp_path / "v", "--over-bar-reason", "please"
    )
    assert (refused.returncode, (tmp_path / "p").exists()) == (1, False)


def test_the_design_can_be_looked_at_without_making_a_list(tmp_path):
    good, bad = (
        ceremony(folder_of(tmp_path / "good"), "--design"),
        ceremony(guessable(tmp_path, "4"), "--design"),
    )
    assert (good.returncode, bad.returncode) == (0, 1)
    assert good.stdout.splitlines()[-1].startswith("ok big_stick imbalance=3 guess ")
    assert "over the bar" in bad.stdout


def test_what_is_refused_is_said_in_the_reader_s_language(tmp_path):
    study, places = guessable(tmp_path, "2"), ("--public", tmp_path / "p", "--vault", tmp_path / "v")
    for language, word in (("en", "larger blocks"), ("zh", "更大的区组")):  # words/messages/vault.yaml
        refused = ceremony(study, *places, "--language", language)
        assert (refused.returncode, word in refused.stderr) == (1, True)


def test_places_that_cannot_be_looked_into_are_no_crash(tmp_path, monkeypatch):
    def closed(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", "/secret/place")

    monkeypatch.setattr("equipoise.vault.ceremony.load_study", closed)
    refused = ceremony(tmp_path, "--public", tmp_path / "p", "--vault", tmp_path / "v")
    assert (refused.returncode, "/secret/place" in refused.stderr) == (1, True)


def test_wrong_usage_and_broken_input_are_told_apart(tmp_path):
    study = folder_of(tmp_path / "study")
    assert ceremony(study).returncode == 2
    assert ceremony().returncode == 2
    places = ("--public", tmp_path / "p", "--vault", tmp_path / "v")
    assert ceremony(tmp_path / "nowhere", *places).returncode == 1
    (tmp_path / "short.seed").write_bytes(b"x")
    for seed in ("short.seed", "missing.seed"):
        refused = ceremony(study, *places, "--seed", tmp_path / seed)
        assert (refused.returncode, refused.stdout) == (1, "")
    (tmp_path / "file").write_text("in the way")
    assert ceremony(study, "--public", tmp_path / "file", "--vault", tmp_path / "v").returncode == 1


# --- the wall ----------------------------------------------------------------------------------------------------------

HIDDEN = (
    "equipoise.vault",
    "equipoise.randomization.guessing",
    "equipoise.randomization.methods",
    "equipoise.randomization.minimization",
    "equipoise.randomization.sealing",
    "equipoise.randomization.verify_allocation",
)


def modules() -> dict[str, Path]:
    found = {}
    for path in (SOURCE / "equipoise").rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, known: dict[str, Path]) -> set[str]:
    """The modules of the program that a module imports anywhere in its text, with the packages around them."""
    found = set()
    for node in ast.walk(ast.parse(known[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    found |= {".".join(each.split(".")[:depth]) for each in found for depth in range(1, each.count(".") + 1)}
    return found & set(known)


def reachable(*roots: str) -> set[str]:
    known = modules()
    seen: set[str] = set()
    waiting = [name for name in known for root in roots if name == root or name.startswith(root + ".")]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports(name, known)
    return seen


def test_nothing_that_web_or_desk_can_import_draws_seals_or_opens_a_slot():
    found = reachable("equipoise.web", "equipoise.desk")
    assert len(found) > 50, "the walk found the program"
    assert not [name for name in found if name.startswith(HIDDEN)]


def test_the_walk_would_see_a_breach():
    assert "equipoise.randomization.sealing" in reachable("equipoise.vault")
    assert "equipoise.randomization.methods" in reachable("equipoise.randomization.predictability")


def test_no_module_within_reach_names_what_opens_a_slot():
    # Whoever opens a slot needs X25519 and the file of sealed slots; neither name stands in what web and desk can reach.
    for name in reachable("equipoise.web", "equipoise.desk"):
        source = modules()[name].read_text("utf-8")
        assert "X25519" not in source, name
        assert "slots.json" not in source, name


def test_no_entry_and_no_fact_has_a_place_for_an_arm():
    names = {field.name for kind in (*KINDS.values(), Facts) for field in dataclasses.fields(kind)}
    assert not names & {"arm", "arms", "treatment", "allocation", "index", "position", "code"}
    assert {field.name for field in dataclasses.fields(SlotTaken)} == {"stratum", "number", "subject"}
    assert {field.name for field in dataclasses.fields(SubjectRandomized)} == {"number", "stratum"}


def test_a_running_first_door_has_none_of_it_in_memory(tmp_path):
    names = sorted(
        name
        for name in modules()
        if name.startswith(("equipoise.desk", "equipoise.web.")) and ".settings" not in name
    )
    script = (
        "import importlib, sys\n"
        f"for name in {[name for name in names if name.startswith('equipoise.desk')]!r}:\n"
        "    importlib.import_module(name)\n"
        f"print([name for name in sys.modules if name.startswith({HIDDEN!r})])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=environment
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr
