"""Setting up a store: its purpose, the definition in force, sites, people, the public side of the list.

Every step is a command like any other and stands in the ledger, given by the program itself (`system`).
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from equipoise.access.commands import SYSTEM, GrantRole, RecordCertificate, RecordTraining
from equipoise.access.duties import SITE_STAFF, duties_for
from equipoise.access.roles import HOLDER_ROLES, ROLES, label_of
from equipoise.desk.clock import Clock, system_clock
from equipoise.desk.desk import Desk, DeskT, open_desk
from equipoise.desk.followers import GRANTS, SITES
from equipoise.oversight.commands import (
    ActivateSite,
    AddSite,
    AdoptVersion,
    ApproveSite,
    ApproveVersion,
    DelegateDuties,
    NamePrincipalInvestigator,
    OpenStore,
    ReleaseStudy,
)
from equipoise.oversight.delegation import INVESTIGATOR
from equipoise.protocol.check import check_study
from equipoise.protocol.digest import canonical_study, study_digest
from equipoise.protocol.study import Study
from equipoise.randomization.public import read_public
from equipoise.words.canonical import canonical_bytes
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem


def create_store(
    folder: Path,
    study: Study,
    purpose: Literal["rehearsal", "trial"],
    *,
    clock: Clock = system_clock,
    entropy: Entropy = secrets.token_bytes,
    timed: bool = True,
    kind: type[DeskT] = Desk,  # type: ignore[assignment]  # a TypeVar's default, which 3.11 cannot say
) -> DeskT | tuple[Problem, ...]:
    """A new store with its purpose, the definition in force, and the sites that the definition names.

    Nothing is made for a definition with faults. clock, entropy, timed, kind: as `open_desk` takes them.
    """
    faults = faults_of(study)
    if faults:
        return faults
    desk = open_desk(folder, kind=kind, create=True, draft=study, clock=clock, entropy=entropy, timed=timed)
    if isinstance(desk, Problem):
        return (desk,)
    problems = give(desk, OpenStore(purpose)) or release(desk, study)
    if problems:
        desk.close()
        return problems
    return desk


def give(desk: Desk, command: object) -> tuple[Problem, ...]:
    """Give a command as the program itself, once."""
    outcome = desk.submit(SYSTEM, command, key=f"setup {random_id(desk.ledger.entropy)}")
    return () if outcome.accepted else outcome.problems


def release(desk: Desk, study: Study) -> tuple[Problem, ...]:
    """Bring a version of the definition into force, and add the sites that it names and the store lacks.

    A definition with faults is refused with all of them.
    """
    faults = faults_of(study)
    if faults:
        return faults
    text = canonical_bytes(canonical_study(study)).decode()
    problems = give(desk, ReleaseStudy(study.version, study_digest(study), text))
    with desk.reading() as reader:
        known = {row["site"] for row in reader.rows.find(SITES)}
    for site in study.sites:
        if site.id not in known:
            problems = problems or give(desk, AddSite(site.id, dict(site.name.as_mapping()), site.zone))
    return problems


def faults_of(study: Study) -> tuple[Problem, ...]:
    """What keeps a definition from being used (`equipoise study check` names file and line)."""
    found = [finding.problem for finding in check_study(study) if finding.fault]
    for form in study.forms:
        for role in form.hidden_from:
            if role not in ROLES:  # a name that hides nothing from anybody must not look as if it did
                where = f"forms.{form.id}.hidden_from"
                found.append(problem("desk.study-role-unknown", where, role=role, known=", ".join(ROLES)))
    return tuple(found)


def open_site(desk: Desk, site: str, approval: str, on: str) -> tuple[Problem, ...]:
    """Record a site's ethics approval and open it for enrolment; an open site stays so, with the new approval."""
    problems = give(desk, ApproveSite(site, approval, on)) or give(desk, ActivateSite(site))
    return tuple(found for found in problems if found.rule != "oversight.already-active")


def adopt(
    desk: Desk, site: str, version: str, approval: str, approved_on: str, on: str, *, staying: bool = False
) -> tuple[Problem, ...]:
    """Record that a site's ethics committee approved a released version, and let it count there from the day `on`.

    staying: those who are in already stay under the version before until each is moved.
    """
    approved = give(desk, ApproveVersion(site, version, approval, approved_on))
    if any(found.rule != "amendments.version-approved-already" for found in approved):
        return approved
    return give(desk, AdoptVersion(site, version, on, "STAY" if staying else "MOVE"))


def add_person(desk: Desk, actor: str, name: str, role: str, site: str | None) -> tuple[Problem, ...]:
    """Grant a role to a member of staff and register the name, which a refused grant leaves as it was."""
    problems = give(desk, GrantRole(actor, role, site))
    if not problems:
        desk.register.add_staff(actor, name)
    return problems


def fill_log(desk: Desk) -> tuple[Problem, ...]:
    """Fill the delegation logs of a rehearsal: everybody at a site trained, certified, and delegated what the role may.

    The first investigator of each site is its principal one and signs.
    """
    with desk.reading() as reader:
        rows = reader.rows.find(GRANTS, {"held": 1, "role": sorted(SITE_STAFF)}, order=("site", "user"))
        day = desk.now().date().isoformat()
        until = desk.now().date().replace(year=desk.now().year + 2, day=1).isoformat()
    problems = certify_readers(desk)
    topics, raters = tuple(topic.id for topic in desk.study.delegation.training), desk.study.raters
    certificates = [(name, raters.languages[0]) for name in raters.certificates if raters.languages]
    for site in dict.fromkeys(str(row["site"]) for row in rows if row["site"]):
        people: dict[str, list[str]] = {}
        for row in rows:
            if row["site"] == site:
                people.setdefault(str(row["user"]), []).append(str(row["role"]))
        first = next((user for user, roles in people.items() if INVESTIGATOR in roles), None)
        if first is None:
            continue
        for user in people if topics else ():
            problems = problems or give(desk, RecordTraining(user, topics, day, site))
        for user in people:
            for instrument, language in certificates:
                problems = problems or give(
                    desk, RecordCertificate(user, instrument, language, day, until, "rehearsal", site)
                )
        problems = problems or give(desk, NamePrincipalInvestigator(site, first))
        signer = desk.who(first, INVESTIGATOR)
        for user, roles in people.items():
            if problems or user == first or signer is None:
                continue
            command = DelegateDuties(site, user, tuple(sorted(duties_for(roles))))
            outcome = desk.submit(signer, command, key=f"log {random_id(desk.ledger.entropy)}")
            problems = () if outcome.accepted else outcome.problems
    return problems


def certify_readers(desk: Desk) -> tuple[Problem, ...]:
    """Record for each reader of images of a rehearsal the certificates that the study asks for, for two years."""
    with desk.reading() as reader:
        rows = reader.rows.find(GRANTS, {"held": 1, "role": "reader"}, order=("user",))
    day = desk.now().date()
    until = day.replace(year=day.year + 2, day=1).isoformat()
    problems: tuple[Problem, ...] = ()
    for user in dict.fromkeys(str(row["user"]) for row in rows):
        for kind in desk.study.imaging.certificates:
            command = RecordCertificate(user, kind, "", day.isoformat(), until, "rehearsal")
            problems = problems or give(desk, command)
    return problems


def publish_allocation(desk: Desk, public: Path) -> tuple[Problem, ...]:
    """Record the public side of an allocation list, as `equipoise allocation make` wrote it.

    Refused where it was made for another study, or for another version than the one in force: a ratio or a method
    that was changed since shows in no public number; and while somebody who holds a key to the sealed slots has not
    the role for it, by which blinded roles are closed to them for life.
    """
    found = read_public(public)
    if isinstance(found, Problem):
        return (found,)
    study = desk.study
    if found.made_for != (study.id, study_digest(study)):
        made_for, version = found.content["study"], found.content["version"]
        return (
            problem(
                "randomization.list-of-another-definition", str(public),
                study=made_for, version=version, held=study.id, in_force=study.version,
            ),
        )  # fmt: skip
    without = tuple(
        problem("randomization.holder-without-role", actor, name=name, role=label_of(HOLDER_ROLES[opens]))
        for actor, name, opens in found.holders
        if desk.who(actor, HOLDER_ROLES[opens]) is None
    )
    return without or give(desk, found.command)
