"""Deciding on what a person has learnt: trainings in the study's topics, certificates for its instruments.

The rules that must stay true: nobody records their own; a training counts for the version that the definition names,
from its day on; a certificate begins before it ends. They stand in the person's own stream, because one fold of it
answers what the person may do (docs/decisions/0022).
Source: ICH E6(R3) 2.1.4, 3.5 (training), 4.2.2 (rights of users).
"""

from __future__ import annotations

import datetime as dt

from equipoise.access.commands import RecordCertificate, RecordTraining, WithdrawCertificate
from equipoise.access.evolve import State
from equipoise.ledger.entries import Append, CertificateRecorded, CertificateWithdrawn, TrainingRecorded
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.study import Study, TrainingTopic
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem

Command = RecordTraining | RecordCertificate | WithdrawCertificate


def decide(study: Study, state: State, command: Command, occasion: Occasion) -> Decision:
    """Decide on the stream of the person whom the command names."""
    against = _against_the_people(state, command, occasion)
    if against is not None:
        return Refusal((against,))
    if isinstance(command, RecordTraining):
        return _training(study, command, occasion)
    if isinstance(command, RecordCertificate):
        return _certificate(study, command, occasion)
    same = (command.instrument, command.language)
    if same not in {(one.instrument, one.language) for one in state.certified}:
        return Refusal((problem("people.no-certificate", "instrument"),))
    if not command.reason.strip():
        return Refusal((problem("people.reason-required", "reason"),))
    entry = CertificateWithdrawn(command.user, command.instrument, command.language, command.reason)
    return (Append(f"user/{command.user}", entry),)


def _against_the_people(state: State, command: Command, occasion: Occasion) -> Problem | None:
    if occasion.by == command.user:
        return problem("people.own-record", "user")
    here = [grant for grant in state.now if command.site is None or grant.site in {None, command.site}]
    return None if here else problem("people.person-unknown-here", "user", site=command.site or "–")


def _training(study: Study, command: RecordTraining, occasion: Occasion) -> Decision:
    known = {topic.id: topic for topic in study.delegation.training}
    strange = [topic for topic in command.topics if topic not in known]
    if strange or not command.topics:
        return Refusal((problem("people.topic-unknown", "topics", topic=", ".join(strange) or "–"),))
    day = _day(command.on, "on", occasion)
    if isinstance(day, Problem):
        return Refusal((day,))
    return tuple(
        Append(
            f"user/{command.user}",
            TrainingRecorded(
                command.user, topic, known[topic].version, day.isoformat(), _until(known[topic], day)
            ),
        )
        for topic in dict.fromkeys(command.topics)
    )


def _certificate(study: Study, command: RecordCertificate, occasion: Occasion) -> Decision:
    on = _day(command.on, "on", occasion)
    until = whole_date(command.until, "people.date-unfit", "until", today=occasion.today)
    faults = tuple(each for each in (on, until) if isinstance(each, Problem))
    if isinstance(on, Problem) or isinstance(until, Problem):
        return Refusal(faults)
    if until.earliest < on:
        return Refusal(
            (problem("people.ends-before-it-begins", "until", on=on.isoformat(), until=until.iso()),)
        )
    of_images = command.instrument in study.imaging.certificates  # what is seen is read in no language
    if not command.instrument or of_images == bool(command.language):
        return Refusal((problem("people.certificate-of-what", "instrument"),))
    entry = CertificateRecorded(
        command.user, command.instrument, command.language, on.isoformat(), until.iso(), command.certificate
    )
    return (Append(f"user/{command.user}", entry),)


def _day(text: str, where: str, occasion: Occasion) -> dt.date | Problem:
    """A complete day that is not after today at the site."""
    found = whole_date(text, "people.date-unfit", where, today=occasion.today)
    if isinstance(found, Problem):
        return found
    if found.earliest > occasion.today:
        return problem("people.date-ahead", where, given=found.iso(), today=occasion.today.isoformat())
    return found.earliest


def _until(topic: TrainingTopic, day: dt.date) -> str | None:
    """The last day on which a training counts: the day before the same day of the month, so many months later."""
    if topic.months is None:
        return None
    months = day.year * 12 + day.month - 1 + topic.months
    year, month = divmod(months, 12)
    for last in range(day.day, 27, -1):
        try:
            return (dt.date(year, month + 1, last) - dt.timedelta(days=1)).isoformat()
        except ValueError:
            continue
    return (dt.date(year, month + 1, min(day.day, 28)) - dt.timedelta(days=1)).isoformat()
