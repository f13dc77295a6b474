"""The identity register: the same person is found again, and the file alone says nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.desk.identities import Identity, IdentityInput, Register, normal_name
from equipoise.ledger.store import StoreFault
from equipoise.words.problem import Problem


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path / "identities.sqlite", tmp_path / "identities.key", os.urandom)


def _registered(register: Register, name: str, born: str) -> Identity:
    found = register.find_or_add(IdentityInput(name, born, "13800000000"))
    assert isinstance(found, Identity)
    return found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("阿卜杜拉·买买提", "1962-03-07"), ("阿卜杜拉•买买提", "1962年3月7日")),
        (("Mary-Ann O'Neil", "1962-03-07"), (" mary ann ONEIL", "19620307")),
        (("Ｃｈｅｎ Wei", "1962-03-07"), ("chen wei", "07-MAR-1962")),
    ],
)
def test_the_same_person_typed_differently_is_one_person(
    register: Register, first: tuple[str, str], second: tuple[str, str]
) -> None:
    assert _registered(register, *first).person == _registered(register, *second).person


def test_another_birth_date_is_another_person(register: Register) -> None:
    assert (
        _registered(register, "王伟", "1962-03-07").person
        != _registered(register, "王伟", "1962-03-08").person
    )


@pytest.mark.parametrize(
    ("name", "born", "rule"),
    [
        ("", "1962-03-07", "desk.name-missing"),
        (" · ", "1962-03-07", "desk.name-missing"),
        ("王伟", "1962-03", "desk.birth-date-incomplete"),
        ("王伟", "03/07/1962", "desk.birth-date-incomplete"),
        ("王伟", "", "entry.date-empty"),
    ],
)
def test_what_cannot_identify_is_refused(register: Register, name: str, born: str, rule: str) -> None:
    refused = register.find_or_add(IdentityInput(name, born))
    assert isinstance(refused, Problem)
    assert refused.rule == rule


def test_the_file_without_its_key_says_nothing(tmp_path: Path) -> None:
    register = Register(tmp_path / "identities.sqlite", tmp_path / "identities.key", os.urandom)
    _registered(register, "Canary Findme", "1962-03-07")
    register.add_staff("a1", "Staff Canary")
    register.close()
    data = b"".join(path.read_bytes() for path in tmp_path.glob("identities.sqlite*"))
    for secret in (b"Canary", b"canary", b"1962", b"13800000000"):
        assert secret not in data
    assert stat.S_IMODE((tmp_path / "identities.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "identities.sqlite").stat().st_mode) == 0o600


def test_reopened_with_its_key_it_knows_again_and_forgets_when_told(tmp_path: Path) -> None:
    def opened() -> Register:
        return Register(tmp_path / "identities.sqlite", tmp_path / "identities.key", os.urandom)

    person = _registered(opened(), "王伟", "1962-03-07").person
    again = opened()
    known = again.identity(person)
    assert known is not None
    assert (known.name, known.birth_date, known.phone) == ("王伟", "1962-03-07", "13800000000")
    assert again.erase(person)
    assert again.identity(person) is None
    assert _registered(again, "王伟", "1962-03-07").person != person


def test_staff_names(register: Register) -> None:
    register.add_staff("a1", "刘燕")
    assert register.staff_name("a1") == "刘燕"
    assert register.staff_name("nobody") == "nobody"


@given(st.text())
def test_normalizing_twice_changes_nothing(name: str) -> None:
    assert normal_name(normal_name(name)) == normal_name(name)


def _opened(folder: Path) -> Register:
    return Register(folder / "identities.sqlite", folder / "identities.key", os.urandom)


def _refusal(folder: Path) -> str:
    with pytest.raises(StoreFault) as raised:
        _opened(folder)
    return raised.value.problem.rule


def test_a_register_is_opened_with_the_key_it_was_made_with_only(tmp_path: Path) -> None:
    """With another key the same person would be registered a second time."""
    register = _opened(tmp_path)
    _registered(register, "王伟", "1962-03-07")
    register.close()
    key = tmp_path / "identities.key"
    kept = key.read_bytes()
    key.unlink()
    assert _refusal(tmp_path) == "desk.register-key-missing"
    assert not key.exists()
    for wrong in (os.urandom(64), b"", kept[:63]):
        key.write_bytes(wrong)
        assert _refusal(tmp_path) == "desk.register-key-foreign"
    key.write_bytes(kept)
    assert _opened(tmp_path).find_or_add(IdentityInput("王伟", "1962-03-07")) is not None


def test_a_damaged_register_is_a_fault_with_its_name_and_not_a_crash(tmp_path: Path) -> None:
    _opened(tmp_path).close()
    (tmp_path / "identities.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert _refusal(tmp_path) == "desk.register-damaged"


def test_who_is_erased_leaves_no_bytes_behind(tmp_path: Path) -> None:
    register = _opened(tmp_path)
    persons = [_registered(register, f"人{number}", "1962-03-07").person for number in range(3)]
    assert register.erase(persons[1])
    data = b"".join(path.read_bytes() for path in tmp_path.glob("identities.sqlite*"))
    assert [person.encode() in data for person in persons] == [True, False, True]
