"""What a keeper decides about the first door's word: a new definition, and a store that came back from a backup.

Sources: DESIGN 5 (channel, pharmacy); issue 3, bad input (a forged request, a store put back).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import shutil

import pytest

from equipoise.ledger.entries import Append, EnrolmentPaused, RoleGranted, StudyReleased
from equipoise.ledger.facts import Refusal
from equipoise.ledger.vault_entries import RestoreAccepted, StatementMade, StatementSkipped
from equipoise.protocol.digest import canonical_study, study_digest
from equipoise.protocol.study import Study
from equipoise.vault import keeping
from equipoise.vault.facts import Keeper, VaultFacts
from equipoise.vault.keeping import AcceptRestore, ConfirmDefinition, DeclineDefinition
from equipoise.words.canonical import canonical_bytes
from rooms.capture.conduct_study import OCCASION, made_study
from rooms.vault.channel_reads import entries, known, refusals, sent, true_delivery
from rooms.vault.two_doors import Doors

A = "N6-12/D14-45"


def changed(study: Study, viability: str) -> Study:
    """The study under another version, with a viability that nobody reaches, or another."""
    supply = study.supply.model_copy(update={"viability_at_least": viability})
    return study.model_copy(update={"version": f"{study.version}-x{viability}", "supply": supply})


def release(doors: Doors, study: Study) -> str:
    """The first door's ledger says that this definition is released; who holds its key can write that."""
    text = canonical_bytes(canonical_study(study))
    digest = hashlib.sha256(text).hexdigest()
    assert digest == study_digest(study)
    doors.write(
        f"release {study.version}", Append("study", StudyReleased(study.version, digest, text.decode()))
    )
    doors.exchange()
    return digest


def keeper(doors: Doors) -> Keeper:
    doors.enrol("keep", "KEEPER")
    found = doors.vault.who("keep", "KEEPER")
    assert found is not None
    return found


def rules(outcome) -> list[str]:
    return [problem.rule for problem in outcome.problems]


# --- the definition ------------------------------------------------------------------------------------------------


def test_a_definition_that_the_first_door_released_changes_nothing_until_a_keeper_confirmed_it(
    doors: Doors,
) -> None:
    doors.exchange()
    before = doors.vault.study
    forged = changed(before, "100")
    digest = release(doors, forged)
    assert doors.vault.study == before
    assert before.supply.viability_at_least != "100"
    who = keeper(doors)
    assert rules(doors.vault.submit(who, ConfirmDefinition(study_digest(before)), key="1")) == [
        "vault_keeping.not-released"
    ]
    assert doors.vault.submit(who, ConfirmDefinition(digest), key="2").accepted
    assert doors.vault.study == forged
    again = doors.vault.submit(who, ConfirmDefinition(digest), key="3")
    assert rules(again) == ["vault_keeping.in-force"]
    doors.reopen_vault()
    assert doors.vault.study == forged


def test_a_declined_definition_is_not_used_and_its_refusal_has_a_reason(doors: Doors) -> None:
    doors.exchange()
    before = doors.vault.study
    digest, who = release(doors, changed(before, "100")), keeper(doors)
    assert rules(doors.vault.submit(who, DeclineDefinition(digest, " "), key="1")) == [
        "vault_keeping.reason-missing"
    ]
    assert doors.vault.submit(who, DeclineDefinition(digest, "nobody reaches that"), key="2").accepted
    assert rules(doors.vault.submit(who, DeclineDefinition(digest, "no"), key="3")) == [
        "vault_keeping.declined-already"
    ]
    assert doors.vault.study == before
    doors.randomize("s1", A)  # entries that stand under the other definition are heard all the same
    doors.exchange()
    assert known(doors).slots.order == 1
    later = release(doors, changed(before, "71"))
    assert rules(doors.vault.submit(who, ConfirmDefinition(digest), key="4")) == [
        "vault_keeping.not-released"
    ]
    assert doors.vault.submit(who, ConfirmDefinition(later), key="5").accepted
    assert doors.vault.study.supply.viability_at_least == "71"


def test_nobody_but_a_keeper_confirms(doors: Doors) -> None:
    doors.exchange()
    digest = release(doors, changed(doors.vault.study, "100"))
    for user, purpose in (("phar", "BENCH"), ("off", "OFFICER"), ("lab", "LAB")):
        assert doors.enrol(user, purpose).accepted
        who = doors.vault.who(user, purpose)  # type: ignore[arg-type]
        assert who is not None
        for count, command in enumerate(
            (ConfirmDefinition(digest), DeclineDefinition(digest, "no"), AcceptRestore(1, "no"))
        ):
            assert rules(doors.vault.submit(who, command, key=f"{user} {count}")) == ["vault.not-allowed"]


# --- roles without a gap -------------------------------------------------------------------------------------------


def test_no_entry_about_a_persons_roles_can_be_left_out(doors: Doors) -> None:
    """Whoever holds the first door's key leaves out that a person was blinded once; the next grant shows the gap."""
    doors.exchange()
    doors.write("blinded", Append("user/late", RoleGranted("late", "rater", "01")))
    doors.write("unblinded", Append("user/late", RoleGranted("late", "pharmacist", "01")))
    true = true_delivery(doors)
    assert len(true.entries) == 2
    assert sent(doors, dataclasses.replace(true, entries=true.entries[1:])) == "vault.entry-left-out"
    assert refusals(doors) == ["vault.entry-left-out"]
    assert "late" not in known(doors).told.grants
    doors.exchange()
    assert known(doors).told.ever["late"] == ("rater", "pharmacist")
    assert doors.vault.who("late", "BENCH") is None


def test_an_entry_of_another_kind_about_a_person_goes_up_by_its_header_alone(doors: Doors) -> None:
    doors.exchange()
    doors.write("other", Append("user/phar", EnrolmentPaused("canary of another kind")))
    doors.exchange()
    assert not any(b"canary" in delivery for delivery in doors.asked)
    doors.write("after", Append("user/phar", RoleGranted("phar", "lab_desk")))
    doors.exchange()
    assert known(doors).told.ever["phar"] == ("pharmacist", "lab_desk")


# --- a store that came back ------------------------------------------------------------------------------------------


def restored(doors: Doors) -> int:
    """The vault as it was before it said some things that the first door has heard; how many it had heard."""
    doors.exchange()
    doors.vault.close()
    shutil.copytree(doors.vault.folder, doors.folder / "backup")
    doors.reopen_vault()
    for _ in range(3):
        doors.clock.at += dt.timedelta(hours=1)
        doors.vault.tick()
    doors.exchange()
    with doors.vault.reading() as reader:
        heard = reader.head("statements").seq
    doors.vault.close()
    shutil.rmtree(doors.vault.folder)
    shutil.copytree(doors.folder / "backup", doors.vault.folder)
    doors.reopen_vault()
    return heard


def test_a_vault_put_back_is_silent_until_a_keeper_decides_and_then_gives_no_number_twice(
    doors: Doors,
) -> None:
    heard = restored(doors)
    refused = doors.courier.exchange()
    assert refused is not None
    assert refusals(doors) == ["vault.heard-more"]
    doors.vault.tick()
    assert doors.courier.exchange() is not None
    who = keeper(doors)
    assert rules(doors.vault.submit(who, AcceptRestore(heard - 1, "r"), key="1")) == [
        "vault_keeping.heard-meanwhile"
    ]
    assert rules(doors.vault.submit(who, AcceptRestore(heard, " "), key="2")) == [
        "vault_keeping.reason-missing"
    ]
    assert doors.vault.submit(who, AcceptRestore(heard, "the disk failed"), key="3").accepted
    assert rules(doors.vault.submit(who, AcceptRestore(heard, "r"), key="4")) == [
        "vault_keeping.nothing-restored"
    ]
    doors.randomize("s1", A)
    doors.clock.at += dt.timedelta(hours=1)
    doors.vault.tick()
    doors.exchange()
    assert known(doors).slots.order == 1
    with doors.vault.reading() as reader:
        said = [one.entry for one in reader.entries("statements")]
    numbers = [one.number for one in said if isinstance(one, StatementMade | StatementSkipped)]
    assert numbers == list(range(1, len(said) + 1))
    assert not doors.courier.unrecorded
    (decided,) = [one for one in entries(doors, "keeping") if isinstance(one, RestoreAccepted)]
    assert (decided.heard, decided.reason) == (heard, "the disk failed")


def test_a_first_door_that_forgot_how_far_it_had_heard_passes_over_what_was_lost(doors: Doors) -> None:
    heard = restored(doors)
    assert doors.courier.exchange() is not None
    assert doors.vault.submit(keeper(doors), AcceptRestore(heard, "the disk failed"), key="3").accepted
    (doors.folder / "first" / "second-door.heard").unlink()
    assert doors.courier.exchange() is None


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (VaultFacts(said=5, heard_there=5), "vault_keeping.nothing-restored"),
        (VaultFacts(said=5, heard_there=0), "vault_keeping.nothing-restored"),
        (VaultFacts(said=5, heard_there=10**9), "vault_keeping.too-far"),
    ],
)
def test_a_number_that_no_backup_explains_is_not_believed(facts: VaultFacts, rule: str) -> None:
    decision = keeping.decide(
        made_study(), keeping.START, facts, AcceptRestore(facts.heard_there, "r"), OCCASION
    )
    assert isinstance(decision, Refusal)
    assert [problem.rule for problem in decision.problems] == [rule]


def test_what_waits_is_the_last_one_released_that_is_neither_in_force_nor_declined() -> None:
    assert keeping.waiting(keeping.START, "b", "a") == "b"
    assert keeping.waiting(keeping.START, "b", "b") == ""
    assert keeping.waiting(keeping.State(declined=frozenset({"b"})), "b", "a") == ""
    assert keeping.waiting(keeping.START, "", "a") == ""
