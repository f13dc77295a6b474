"""Who holds a key to the sealed slots is bound by the exclusion of roles before the list counts.

Source: DESIGN 5 (people): nobody ever holds a blinded and an unblinded role, past roles included.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.access.commands import RevokeRole
from equipoise.desk.desk import Desk
from equipoise.desk.setup import add_person, create_store, give, publish_allocation
from equipoise.protocol.study import Study
from equipoise.vault.ceremony import main
from rooms.capture.conduct_study import made_definition

DEFINITION = made_definition(design={"cap": 12})


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list whose slots are sealed for a pharmacist and two officers as well."""
    place = tmp_path_factory.mktemp("ceremony")
    (place / "study").mkdir()
    (place / "study" / "study.yaml").write_text(json.dumps(DEFINITION), "utf-8")
    arguments = [str(place / "study"), "--public", str(place / "public"), "--vault", str(place / "vault")]
    for actor, kind in (("phar1", "recipient"), ("offi1", "officer"), ("offi2", "officer")):
        assert main(["key", str(place / actor)]) == 0
        arguments += [f"--{kind}", f"{actor}:{actor.upper()}={place / (actor + '.pub')}"]
    assert main([*arguments, "--few-seeds-reason", "a test"]) == 0
    return place / "public"


def store(folder: Path) -> Desk:
    desk = create_store(folder, Study.model_validate(DEFINITION), "trial")
    assert isinstance(desk, Desk)
    return desk


def test_a_list_counts_only_once_every_holder_has_the_role_for_it(public: Path, tmp_path: Path) -> None:
    desk = store(tmp_path / "store")
    try:
        refused = publish_allocation(desk, public)
        assert [(one.rule, one.where) for one in refused] == [
            ("randomization.holder-without-role", actor) for actor in ("phar1", "offi1", "offi2")
        ]
        assert "PHAR1" in refused[0].say("en")
        for actor, role in (
            ("phar1", "pharmacist"),
            ("offi1", "backup_officer"),
            ("offi2", "backup_officer"),
        ):
            assert add_person(desk, actor, actor, role, None) == ()
        assert publish_allocation(desk, public) == ()
        for actor, role in (("phar1", "pharmacist"), ("offi1", "backup_officer")):
            assert give(desk, RevokeRole(actor, role, None, "left")) == ()
            [clash] = add_person(desk, actor, actor, "rater", None)
            assert clash.rule == "access.roles-exclude"
    finally:
        desk.close()


def test_a_holder_who_ever_had_a_blinded_role_cannot_be_one(public: Path, tmp_path: Path) -> None:
    desk = store(tmp_path / "store")
    try:
        assert add_person(desk, "offi1", "Offi One", "monitor", None) == ()
        assert give(desk, RevokeRole("offi1", "monitor", None, "left")) == ()
        [clash] = add_person(desk, "offi1", "Offi One", "backup_officer", None)
        assert clash.rule == "access.roles-exclude"
        assert "offi1" in {one.where for one in publish_allocation(desk, public)}
    finally:
        desk.close()
