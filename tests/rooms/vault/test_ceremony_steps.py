"""A ceremony in steps: who commits, who reveals, what is refused, what is recorded, and who can open what."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import secrets
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.codec import decode, encode
from equipoise.ledger.vault_entries import (
    CeremonyAborted,
    CeremonyStarted,
    ListMade,
    SeedCommitted,
    SeedRevealed,
    SlotsSealed,
)
from equipoise.randomization.draws import combined
from equipoise.randomization.program import SOURCES, program_hash
from equipoise.randomization.public import PublicList, read_public
from equipoise.randomization.sealing import OVERHEAD, SEALED_BYTES, public_key
from equipoise.vault.ceremony import main
from equipoise.vault.ceremony_record import NAME, Step, ceremony_entries, read_record, record_bytes, standing
from equipoise.vault.ceremony_steps import Room, abort, begin, commit, hold_open, reveal
from equipoise.vault.certificate import certificate, certificate_text
from equipoise.vault.holding import Terms, read_seeds
from equipoise.vault.lists import AllocationList, make_list
from equipoise.vault.recipients import make_key_files, open_sealed, read_private, read_recipients
from equipoise.words.problem import Problem
from rooms.capture.conduct_study import made_definition, made_study

AT = dt.datetime(2026, 3, 1, 8, 0, 5, tzinfo=dt.UTC)
STUDY = made_study(design={"cap": 20})
ADA, BO = b"the seed of ada, long enough", b"the seed of bo, long enough"


def told(seed: bytes) -> str:
    return hashlib.sha256(seed).hexdigest()


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path / "vault", lambda: AT, secrets.token_bytes)


def begun(room, value=""):
    ceremony = begin(room, STUDY, value)
    assert isinstance(ceremony, str)
    assert commit(room, "Ada", told(ADA)) is None
    assert commit(room, "薄", told(BO)) is None
    return ceremony


def rule(found) -> str:
    assert isinstance(found, Problem)
    assert found.say("en") != found.say("zh") != found.rule
    return found.rule


def test_everybody_commits_before_anybody_reveals_and_the_list_follows_from_all(room):
    ceremony = begun(room, "the first block after noon")
    assert rule(hold_open(room, STUDY, Terms(public_value="8f3c"))) == "vault.seeds-missing"
    assert reveal(room, "薄", BO) is None
    assert rule(commit(room, "Late", told(b"x" * 20))) == "vault.commit-too-late"
    assert reveal(room, "Ada", ADA) is None
    assert rule(hold_open(room, STUDY, Terms())) == "vault.public-value-missing"
    found = hold_open(room, STUDY, Terms(public_value="8f3c"))
    assert not isinstance(found, Problem)
    held, steps = found
    assert [step.entry.kind for step in steps] == [
        "CeremonyStarted", *["SeedCommitted"] * 3, *["SeedRevealed"] * 2, "ListMade",
    ]  # fmt: skip
    assert {step.at for step in steps} == {"2026-03-01T08:00:05Z"}
    seeds = read_seeds(held.vault["seeds.json"], bytes.fromhex(held.vault["vault.key"].decode()))
    assert not isinstance(seeds, Problem)
    assert {name: seeds[name] for name in ("Ada", "薄")} == {"Ada": ADA, "薄": BO}
    assert len(seeds["machine"]) == 64
    assert isinstance(steps[0].entry, CeremonyStarted)
    made = make_list(
        STUDY, steps[0].entry.definition, combined([seeds[name] for name in sorted(seeds)], "8f3c")
    )
    assert isinstance(made, AllocationList)
    public = json.loads(held.public["allocation.json"])
    assert [each["number"] for each in public["strata"]["L/E"]] == [slot.number for slot in made.slots["L/E"]]
    assert held.made.ceremony == ceremony
    assert held.made.public_value == public["public_value"] == "8f3c"


@pytest.mark.parametrize(
    "value", ["8f3c ", "8f3c\u200b", "8f3c\ufe0f", "8f\t3c", "8f  3c", "８f3c", "8" * 201]
)
def test_a_value_that_only_looks_like_the_public_one_is_refused(room, value):
    """Whoever holds the list could else try signs that nobody sees until a list pleases. Source: reliability notes §4."""
    begun(room, "the first block after noon")
    assert reveal(room, "薄", BO) is None
    assert reveal(room, "Ada", ADA) is None
    assert rule(hold_open(room, STUDY, Terms(public_value=value))) == "vault.public-value-unfit"
    assert not isinstance(hold_open(room, STUDY, Terms(public_value="8f3c 2026-06-01 12:00")), Problem)


def test_without_the_public_value_another_list_would_follow():
    seed = combined([ADA, BO])
    assert (
        len({seed, combined([ADA, BO], "8f3c"), combined([ADA, BO], "8f3d"), combined([ADA, BO, b"8f3c"])})
        == 4
    )


def test_what_does_not_fit_is_refused_and_leaves_no_step(room):
    assert rule(commit(room, "Ada", told(ADA))) == "vault.no-ceremony"
    assert rule(abort(room, "why")) == "vault.no-ceremony"
    assert isinstance(begin(room, STUDY), str)
    assert commit(room, "Ada", told(ADA)) is None
    before = (room.folder / NAME).read_bytes()
    for by, seed in (("machine", ADA), (" ", ADA), ("Ada", BO), ("a\nb\u200b", BO), ("x" * 61, BO)):
        assert rule(commit(room, by, told(seed))) == "vault.name-unusable", by
    for digest in (told(ADA), "", told(BO)[:-1], told(BO).upper(), "g" * 64):
        assert rule(commit(room, "Bo", digest)) == "vault.commitment-unusable"
    assert rule(reveal(room, "Ada", ADA)) == "vault.too-few-committed"
    assert (room.folder / NAME).read_bytes() == before
    assert commit(room, "Bo", told(BO)) is None
    assert rule(reveal(room, "Eve", ADA)) == "vault.not-committed"
    assert rule(reveal(room, "machine", ADA)) == "vault.seed-differs"
    assert rule(reveal(room, "Ada", BO)) == "vault.seed-differs"
    assert rule(reveal(room, "Ada", b"short")) == "vault.seed-unusable"
    assert reveal(room, "Ada", ADA) is None
    assert rule(reveal(room, "Ada", ADA)) == "vault.not-committed"
    assert rule(begin(room, STUDY)) == "vault.ceremony-open"
    assert rule(hold_open(room, STUDY, Terms())) == "vault.seeds-missing"
    assert reveal(room, "Bo", BO) is None
    other = made_study(design={"cap": 21})
    assert rule(hold_open(room, other, Terms())) == "vault.ceremony-of-another-definition"
    assert rule(hold_open(room, STUDY, Terms(public_value="x"))) == "vault.public-value-missing"


def test_no_seed_lies_open_between_the_steps_nor_in_the_record(room):
    begun(room)
    assert reveal(room, "Ada", ADA) is None
    for path in room.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for form in (ADA, ADA.hex().encode()):
            assert form not in path.read_bytes()
    assert stat.S_IMODE(room.folder.stat().st_mode) == 0o700


def test_an_aborted_ceremony_stays_in_the_record_and_its_seeds_are_gone(room):
    first = begun(room)
    assert reveal(room, "Ada", ADA) is None
    assert rule(abort(room, "  ")) == "vault.abort-without-reason"
    assert abort(room, "Bo has lost\n his seed") is None
    assert [path.name for path in room.folder.iterdir()] == [NAME]
    second = begun(room)
    entries = ceremony_entries(room.folder)
    assert not isinstance(entries, Problem)
    assert [encode(entry)["main"]["ceremony"] for entry in entries] == [first] * 6 + [second] * 4
    assert entries[5] == CeremonyAborted(first, "Bo has lost his seed")
    assert standing(read_record(room.folder)).aborted == 1
    assert rule(hold_open(room, STUDY, Terms())) == "vault.seeds-missing"


def test_the_seeds_of_another_folder_or_a_changed_one_make_no_list(room):
    begun(room)
    for name, seed in (("Ada", ADA), ("薄", BO)):
        assert reveal(room, name, seed) is None
    whole = (room.folder / "seeds.json").read_bytes()
    changed = json.loads(whole)
    changed[0]["seed"], changed[1]["seed"] = changed[1]["seed"], changed[0]["seed"]
    for content in (json.dumps(changed).encode(), b"[]", b"{}", b"", whole[:-40]):
        (room.folder / "seeds.json").write_bytes(content)
        assert rule(hold_open(room, STUDY, Terms())) == "vault.seeds-unreadable"
    (room.folder / "vault.key").unlink()
    assert rule(hold_open(room, STUDY, Terms())) == "vault.seeds-unreadable"


# --- the record ------------------------------------------------------------------------------------------------------

STEPS = (
    Step(CeremonyStarted("c1", "made-up", "d" * 64, "noon"), "t0"),
    Step(SeedCommitted("c1", "Ada", told(ADA)), "t1"),
    Step(SeedRevealed("c1", "Ada"), "t2"),
    Step(CeremonyAborted("c1", "why"), "t3"),
)


def test_every_kind_of_step_survives_writing(tmp_path):
    made = ListMade("c", "g", "p", "r", 3, (), "v")
    assert decode("ListMade", encode(made)["main"]) == made
    (tmp_path / NAME).write_bytes(record_bytes((*STEPS, Step(made, "t4"))))
    assert read_record(tmp_path) == (*STEPS, Step(made, "t4"))
    assert read_record(tmp_path / "nothing here") == ()


@given(st.data())
def test_a_changed_lost_or_exchanged_step_is_seen(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("record")
    content = json.loads(record_bytes(STEPS))
    steps = content["steps"]
    how = data.draw(st.sampled_from(["byte", "drop", "exchange", "again"]))
    place = data.draw(st.integers(0, len(steps) - 2))
    if how == "byte":
        changed = bytearray(record_bytes(STEPS))
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 6))
        written = bytes(changed)
    else:
        if how == "drop":
            del steps[place]
        elif how == "exchange":
            steps[place], steps[place + 1] = steps[place + 1], steps[place]
        else:
            steps.insert(place, steps[place])
        written = json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    (folder / NAME).write_bytes(written)
    assert rule(read_record(folder)) == "vault.record-broken"
    assert rule(ceremony_entries(folder)) == "vault.record-broken"


# --- who can open what ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A list for a pharmacist and three officers: its folder, with a key file for each."""
    place = tmp_path_factory.mktemp("sealed")
    (place / "study").mkdir()
    (place / "study" / "study.yaml").write_text(json.dumps(made_definition(design={"cap": 12})), "utf-8")
    arguments = [str(place / "study"), "--public", str(place / "public"), "--vault", str(place / "vault")]
    for name, kind in (("ph", "recipient"), ("o1", "officer"), ("o2", "officer"), ("o3", "officer")):
        assert main(["key", str(place / name)]) == 0
        arguments += [f"--{kind}", f"{name}:Person {name}={place / (name + '.pub')}"]
    assert main(["key", str(place / "stranger")]) == 0
    assert main([*arguments, "--few-seeds-reason", "a test"]) == 0
    return place


def opened(sealed, number, *names):
    public = read_public(sealed / "public")
    assert isinstance(public, PublicList)
    keys = [read_private(sealed / name) for name in names]
    return open_sealed(sealed / "vault" / "slots.json", public, number, keys)


def numbers(sealed):
    public = read_public(sealed / "public")
    return [slot.number for slots in public.command.slots.values() for slot in slots]


def test_the_pharmacist_alone_and_any_two_officers_open_every_slot_alike(sealed, capsys):
    for number in numbers(sealed)[::7]:
        contents = [
            opened(sealed, number, *names)
            for names in (("ph",), ("o1", "o2"), ("o2", "o1"), ("o1", "o3"), ("o3", "o2"))
        ]
        assert not isinstance(contents[0], Problem)
        assert all(content == contents[0] for content in contents)
        for names in (("o1",), ("o2",), ("o3",), ("stranger",), ("o1", "stranger"), ("o1", "o1")):
            assert rule(opened(sealed, number, *names)) == "vault.slot-unreadable"
    number = numbers(sealed)[0]
    capsys.readouterr()
    asked = [
        "open",
        str(sealed / "vault" / "slots.json"),
        "--public",
        str(sealed / "public"),
        "--number",
        number,
    ]
    assert main([*asked, "--key", str(sealed / "ph")]) == 0
    said = capsys.readouterr().out.splitlines()
    arms = json.loads((sealed / "vault" / "slots.json").read_text())["arms"]
    assert said[0] == f"arm {arms[opened(sealed, number, 'ph').arm]}"
    assert main([*asked, "--key", str(sealed / "stranger")]) == 1


def test_all_seals_of_one_sort_are_as_long_and_nobody_s_key_is_in_the_file(sealed):
    content = (sealed / "vault" / "slots.json").read_text()
    slots = json.loads(content)["slots"].values()
    lengths = {(who, len(each) // 2) for slot in slots for who, each in slot["sealed"].items()}
    assert lengths == {
        ("vault", SEALED_BYTES), ("ph", SEALED_BYTES), ("o1+o2", SEALED_BYTES + OVERHEAD),
        ("o1+o3", SEALED_BYTES + OVERHEAD), ("o2+o3", SEALED_BYTES + OVERHEAD),
    }  # fmt: skip
    for name in ("ph", "o1", "o2", "o3"):
        private = (sealed / name).read_text().strip()
        assert private not in content
        assert public_key(bytes.fromhex(private)).hex() in content
        assert stat.S_IMODE((sealed / name).stat().st_mode) == 0o600


def test_a_changed_byte_of_the_sealed_slots_or_a_slot_moved_is_found(sealed, tmp_path):
    public = read_public(sealed / "public")
    key = read_private(sealed / "ph")
    assert isinstance(key, bytes)
    first, second = numbers(sealed)[:2]
    whole = json.loads((sealed / "vault" / "slots.json").read_text())

    def refusal(change):
        content = json.loads(json.dumps(whole))
        change(content["slots"])
        (tmp_path / "slots.json").write_text(json.dumps(content))
        return rule(open_sealed(tmp_path / "slots.json", public, first, [key]))

    def flip(slots):
        text = slots[first]["sealed"]["ph"]
        slots[first]["sealed"]["ph"] = text[:70] + f"{int(text[70], 16) ^ 1:x}" + text[71:]

    def exchange(slots):
        slots[first], slots[second] = slots[second], slots[first]

    assert refusal(flip) == "vault.slot-unreadable"
    assert refusal(exchange) == "vault.slot-not-committed"
    assert (
        refusal(lambda slots: slots[first].update(sealed=slots[second]["sealed"])) == "vault.slot-unreadable"
    )
    assert refusal(lambda slots: slots.pop(first)) == "vault.slot-unreadable"
    for index in (0, 13, "1", None):
        assert refusal(lambda slots, index=index: slots[first].update(index=index)).startswith("vault.slot-")


def test_who_holds_a_key_stands_in_the_record_and_on_the_certificate(sealed):
    """A holder is a random id with a name for paper, so that role exclusion can bind the person (DESIGN 5, people)."""
    entries = ceremony_entries(sealed / "vault")
    assert not isinstance(entries, Problem)
    noted = entries[-1]
    assert isinstance(noted, SlotsSealed)
    assert [(one.actor, one.name, one.opens) for one in noted.holders] == [
        ("ph", "Person ph", "ALONE"), ("o1", "Person o1", "WITH_ANOTHER"),
        ("o2", "Person o2", "WITH_ANOTHER"), ("o3", "Person o3", "WITH_ANOTHER"),
    ]  # fmt: skip
    public = read_public(sealed / "public")
    assert isinstance(public, PublicList)
    assert public.holders == tuple((one.actor, one.name, one.opens) for one in noted.holders)
    lines = (sealed / "public" / "certificate.txt").read_text().splitlines()
    assert [line.split()[2:] for line in lines if line.startswith("opens slots")] == [
        ["alone", "Person", "ph", "(ph)"], ["with", "another", "Person", "o1", "(o1)"],
        ["with", "another", "Person", "o2", "(o2)"], ["with", "another", "Person", "o3", "(o3)"],
    ]  # fmt: skip


def test_recipients_that_are_no_persons_of_their_own_are_refused(tmp_path):
    for name in ("a", "b"):
        make_key_files(tmp_path / name, secrets.token_bytes)
    one, two = f"one:One={tmp_path}/a.pub", f"two:Two={tmp_path}/b.pub"
    assert rule(read_recipients([], [one])) == "vault.officers-too-few"
    for wrong in (
        [one, one],
        [one, f"two:Two={tmp_path}/a.pub"],
        [f"vault:Vault={tmp_path}/a.pub"],
        [f"system:Program={tmp_path}/a.pub"],
        [f"a+b:Both={tmp_path}/a.pub"],
        [f"one={tmp_path}/a.pub"],
        [f"one: ={tmp_path}/a.pub"],
        [f"one:machine={tmp_path}/a.pub"],
        [f":One={tmp_path}/a.pub"],
    ):
        assert rule(read_recipients(wrong, [])) == "vault.recipient-unusable"
    (tmp_path / "zero.pub").write_text("0" * 64)  # a public key of small order, RFC 7748 section 6.1
    for file in ("missing", "zero.pub"):
        assert rule(read_recipients([f"one:One={tmp_path}/{file}"], [])) == "vault.key-unreadable"
    assert set(read_recipients([one], []).persons) == {"one"}
    assert set(read_recipients([], [two, one]).officers) == {"one", "two"}
    with pytest.raises(FileExistsError):
        make_key_files(tmp_path / "a", secrets.token_bytes)


# --- in a terminal -----------------------------------------------------------------------------------------------


def typed(monkeypatch, *lines: str):
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.yaml").write_text(json.dumps(made_definition(design={"cap": 12})), "utf-8")
    return tmp_path


def test_in_one_sitting_everybody_types_and_the_list_is_made(study, monkeypatch, capsys):
    seed, other = "a seed that Ada made up", "the seed of somebody else"
    typed(
        monkeypatch,
        "Ada",
        seed,
        seed,
        "Bo",
        "short",
        "short",
        "Bo",
        other,
        other + "!",
        "Bo",
        other,
        other,
        "",
        "",  # everybody has written the commitments down
        "8f3c",  # and only after all seeds the public value
    )
    places = ["--public", str(study / "p"), "--vault", str(study / "v"), "--public-value", "noon's beacon"]
    assert main(["together", str(study / "study"), *places]) == 0
    said = capsys.readouterr()
    assert seed not in said.out + said.err
    assert f"Ada committed to {told(seed.encode())}" in said.err
    public = read_public(study / "p")
    assert isinstance(public, PublicList)
    assert {each["by"] for each in public.content["contributions"]} == {"Ada", "Bo", "machine"}
    assert public.content["public_value"] == "8f3c"
    printed = dict(line.split()[1:] for line in said.out.splitlines() if line.startswith("commitment "))
    assert printed == {each["by"]: each["digest"] for each in public.content["contributions"]}
    order = [said.err.index(part) for part in ("Bo committed", "write these down", "value of noon's beacon")]
    assert order == sorted(order)
    assert said.out.splitlines()[-1] == f"ok 48 slots root {public.root}"


@pytest.mark.parametrize(
    "lines", [("Ada", "a seed of Ada, long", "a seed of Ada, long", "", ""), ("Ada", "a seed of")]
)
def test_a_sitting_that_comes_to_nothing_is_an_aborted_ceremony(study, monkeypatch, lines):
    typed(monkeypatch, *lines)
    places = ["--public", str(study / "p"), "--vault", str(study / "v")]
    assert main(["together", str(study / "study"), *places]) == 1
    assert not (study / "p").exists()
    entries = ceremony_entries(study / "v")
    assert isinstance(entries[-1], CeremonyAborted)
    assert [path.name for path in (study / "v").iterdir()] == [NAME]


def test_the_steps_one_by_one_from_a_terminal(study, monkeypatch, capsys):
    vault = ["--vault", str(study / "v")]
    (study / "ada.seed").write_bytes(ADA)
    assert main(["begin", str(study / "study"), *vault, "--public-value", "tomorrow's beacon"]) == 0
    assert main(["commit", *vault, "--by", "Ada", "--seed", str(study / "ada.seed")]) == 0
    typed(monkeypatch, BO.decode(), BO.decode(), BO.decode())
    assert main(["commit", *vault, "--by", "Bo"]) == 0
    assert main(["reveal", *vault, "--by", "Bo"]) == 0
    assert main(["reveal", *vault, "--by", "Ada", "--seed", str(study / "missing")]) == 1
    assert main(["reveal", *vault, "--by", "Ada", "--seed", str(study / "ada.seed")]) == 0
    capsys.readouterr()
    assert main(["status", *vault]) == 0
    assert f"Bo {told(BO)} revealed" in capsys.readouterr().out
    places = [str(study / "study"), "--public", str(study / "p"), *vault]
    assert main(places) == 1, "an open ceremony is not passed over"
    assert main(["hold", *places]) == 1
    assert main(["hold", *places, "--public-value", "42"]) == 0
    assert main(["abort", *vault, "--reason", "too late"]) == 1
    with pytest.raises(SystemExit) as ended:
        main(["commit", "--by", "nobody"])
    assert ended.value.code == 2


# --- certificate and program ---------------------------------------------------------------------------------------


def test_the_certificate_says_everything_public_and_no_arm(sealed):
    text = (sealed / "public" / "certificate.txt").read_text("utf-8")
    public = read_public(sealed / "public")
    for part in (
        public.root,
        public.content["program"],
        public.content["digest"],
        "big_stick imbalance=3, ratio 1:1",
    ):
        assert part in text
    for each in public.content["contributions"]:
        assert each["digest"] in text
    made = certificate(STUDY, public)
    assert made.guess == ("–", "–", "–")
    assert "a rehearsal" in certificate_text(made)
    assert sum(slots for _, slots in made.strata) == 48


def test_the_program_s_hash_is_of_its_own_sources(sealed):
    from importlib.resources import files

    whole = hashlib.sha256()
    for name in SOURCES:
        data = files("equipoise").joinpath(name).read_bytes()
        whole.update(f"{name} {len(data)}\n".encode() + data)
    assert program_hash() == whole.hexdigest() == read_public(sealed / "public").content["program"]
    assert {"randomization/draws.py", "randomization/methods.py", "vault/lists.py"} <= set(SOURCES)
