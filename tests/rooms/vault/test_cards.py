"""Emergency cards: each opens with its own code, far from the program, and says nothing before."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomization.sealing import SlotContent, SlotName, commitment
from equipoise.vault import open_card as opener
from equipoise.vault.cards import arm_names, make_card, new_code
from equipoise.vault.open_card import (
    NotOpened,
    checked,
    from_letters,
    open_card,
    plain,
    read_text,
    to_letters,
)
from equipoise.words.text import Text
from rooms.capture.conduct_study import made_study

ARMS = (
    Text("Cells plus rehabilitation", "细胞制剂联合康复"),
    Text("Placebo plus rehabilitation", "安慰剂联合康复"),
)
NONCE = bytes(range(32))


def drawn(seed: int):
    return random.Random(seed).randbytes


def card(arm: int = 1, number: str = "R12345", seed: int = 1):
    return make_card("DEMO-0001", number, arm, NONCE, ARMS, drawn(seed))


def rule(act) -> str:
    with pytest.raises(NotOpened) as found:
        act()
    return found.value.rule


@settings(max_examples=12)
@given(st.integers(0, 1), st.binary(min_size=32, max_size=32), st.integers(0, 2**32), st.integers(0, 99999))
def test_a_card_opens_with_its_code_and_holds_its_slot(arm, nonce, seed, number):
    made = make_card("DEMO-0001", f"R{number:05d}", arm, nonce, ARMS, drawn(seed))
    opened = open_card(read_text(made.text), made.code)
    assert (opened.arm, opened.nonce) == (arm + 1, nonce)
    assert opened.names == (ARMS[arm].en, ARMS[arm].zh)
    assert not opened.names_changed
    typed = open_card(
        read_text(made.typed.lower(), "DEMO-0001", f"r{number:05d}"), made.code.replace("-", " ")
    )
    assert typed.arm == arm + 1
    assert typed.names is None


def test_cards_of_either_arm_have_one_length_and_draw_as_much():
    first, second = card(0), card(1)
    assert len(first.text) == len(second.text)
    assert len(first.typed) == len(second.typed) == 132
    assert len(first.code) == len(second.code)
    counts = []
    for arm in (0, 1):
        taken: list[int] = []
        make_card(
            "S", "R1", arm, NONCE, ARMS, lambda count, taken=taken: (taken.append(count), bytes(count))[1]
        )
        counts.append(taken)
    assert counts[0] == counts[1]


@settings(max_examples=60)
@given(st.integers(0, 131), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_mistyped_text_is_named(place, letter):
    made = card()
    changed = made.typed[:place] + letter + made.typed[place + 1 :]
    if changed != made.typed:
        assert rule(lambda: read_text(changed, "DEMO-0001", "R12345")) == "text-mistyped"


@given(st.integers(0, 10**6))
def test_a_mistyped_code_is_mostly_named_as_such_and_never_opens(seed):
    """One symbol of 32 is the check: a changed one is missed once in 32 times, and is then the code of another card."""
    source = random.Random(seed)
    made = card()
    code = plain(made.code)
    place, letter = source.randrange(16), source.choice(opener.LETTERS)
    changed = code[:place] + letter + code[place + 1 :]
    if changed != code:
        assert rule(lambda: open_card(read_text(made.text), changed)) in {"code-mistyped", "code-of-another"}


def test_a_code_is_checked_so_that_31_of_32_slips_are_seen():
    code = plain(card().code)
    slips = [
        code[:at] + letter + code[at + 1 :]
        for at in range(15)
        for letter in opener.LETTERS
        if letter != code[at]
    ]
    unseen = [slip for slip in slips if checked(slip[:15], 1) == slip]
    assert len(unseen) < len(slips) / 16  # 465 slips, 1 in 32 expected: 15; twice as many would be a fault


def test_the_code_of_another_card_is_named():
    assert rule(lambda: open_card(read_text(card(seed=1).text), card(seed=2).code)) == "code-of-another"


@pytest.mark.parametrize(("study", "number"), [("DEMO-0002", "R12345"), ("DEMO-0001", "R12346")])
def test_a_card_opens_for_its_own_number_and_study_only(study, number):
    made = card()
    assert rule(lambda: open_card(read_text(made.typed, study, number), made.code)) == "code-of-another"


@pytest.mark.parametrize("text", ["", "EQC1", "EQC1/DEMO-0001/R12345/", "https://example.org/x/y/z", "ABC"])
def test_what_is_no_card_is_named(text):
    assert rule(lambda: read_text(text)) == "not-a-card"


def test_names_that_were_changed_are_not_believed():
    made = card(arm=1)
    swapped = opener.write_names([(arm.en, arm.zh or "") for arm in reversed(ARMS)])
    opened = open_card(read_text(made.text.rsplit("/", 1)[0] + "/" + swapped), made.code)
    assert opened.arm == 2
    assert opened.names is None
    assert opened.names_changed


def test_nothing_of_a_card_but_its_letters_follows_from_the_arm():
    """With one entropy the two cards differ in the box alone, where what is hidden lies; number and names are the same."""
    first, second = card(0).text.split("/"), card(1).text.split("/")
    assert [one == other for one, other in zip(first, second, strict=True)] == [True, True, True, False, True]


def test_a_printed_opening_shows_no_nonce():
    assert "0" not in repr(open_card(read_text(card().text), card().code))


@pytest.mark.parametrize(("label", "number"), [("a/b", "R1"), ("a", "R/1"), ("a", "r1"), (" a", "R1")])
def test_a_name_that_would_not_be_read_back_is_a_fault_of_the_program(label, number):
    with pytest.raises(ValueError, match="plain words"):
        make_card(label, number, 0, NONCE, ARMS, drawn(1))


def test_arms_are_named_in_the_order_of_the_ratio():
    study = made_study()
    assert study.randomization is not None
    assert [name.en for name in arm_names(study)] == list(study.randomization.ratio)


@given(st.binary(max_size=100))
def test_letters_carry_every_byte(content):
    assert from_letters(to_letters(content)) == content


def test_letters_are_crockfords():
    """Crockford, Base 32: 0 to 9, then A to Z without I, L, O and U; five bits each, most significant first."""
    assert to_letters(b"\xff\x00") == "ZW00"  # 11111 11100 00000 0(0000): Z=31, W=28, 0, 0
    assert plain("o0il-1 u") == "00111U"


def test_codes_are_random_in_75_bits():
    assert new_code(lambda count: b"\xff" * count)[:15] == "Z" * 15
    assert new_code(bytes)[:15] == "0" * 15


def published(path: Path, arm: int) -> Path:
    """A public list whose second slot of stratum L is the card's."""
    name, content = SlotName("made-up", "L", 2), SlotContent(arm, NONCE)
    slots = [
        {"number": "R00001", "commitment": "0" * 64},
        {"number": "R12345", "commitment": commitment(name, content)},
    ]
    path.write_text(json.dumps({"study": "made-up", "strata": {"L": slots}}), "utf-8")
    return path


def run(folder: Path, typed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The opener alone: one file in an empty folder, in a Python that has nothing else."""
    alone = folder / "open_card.py"
    alone.write_bytes(Path(opener.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", str(alone), *arguments]
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, cwd=folder, timeout=60, env={"PYTHONUTF8": "1"}
    )


def test_one_file_alone_opens_a_card_in_both_languages(tmp_path):
    made = card(arm=1)
    done = run(tmp_path, f"{made.text}\n{made.code}\n", "--list", str(published(tmp_path / "list.json", 1)))
    assert done.returncode == 0, done.stderr
    assert "ARM 2: Placebo plus rehabilitation" in done.stdout
    assert "第 2 组：安慰剂联合康复" in done.stdout
    assert "agrees with the published list" in done.stdout
    assert "Cells" not in done.stdout


def test_a_card_that_the_published_list_does_not_bear_out_says_so(tmp_path):
    made = card(arm=1)
    done = run(tmp_path, f"{made.text}\n{made.code}\n", "--list", str(published(tmp_path / "list.json", 0)))
    assert "does NOT agree" in done.stdout
    assert "不一致" in done.stdout


def test_the_typed_card_asks_for_what_is_printed_beside_it(tmp_path):
    made = card(arm=0)
    done = run(tmp_path, f"{made.typed}\nDEMO-0001\nR12345\n{made.code}\n")
    assert done.returncode == 0
    assert "ARM 1\n" in done.stdout
    assert "outside of the card" in done.stdout


def test_a_wrong_code_shows_no_arm(tmp_path):
    made = card(arm=1)
    done = run(tmp_path, f"{made.text}\n{card(seed=9).code}\n")
    assert done.returncode == 1
    assert "not the code of this card" in done.stdout
    assert "不属于此卡" in done.stdout
    assert not any(word in done.stdout for word in ("ARM", "Placebo", "Cells", "组："))


def test_an_end_of_input_is_wrong_usage(tmp_path):
    assert run(tmp_path, "").returncode == 2


def test_the_opener_needs_the_standard_library_only():
    source = Path(opener.__file__).read_text("utf-8")
    imported = {
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imported <= set(sys.stdlib_module_names)


def test_the_published_commitment_is_the_one_of_the_list():
    """`agrees` writes the commitment out once more; it must be the list's own, for any slot."""
    name = SlotName("st", "L-E", 7)
    assert (
        commitment(name, SlotContent(1, NONCE))
        == hashlib.sha256(
            b"equipoise-slot-1" + b"\x00\x02st" + b"\x00\x03L-E" + (7).to_bytes(4, "big") + b"\x01" + NONCE
        ).hexdigest()
    )
