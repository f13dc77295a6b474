"""The certificate of an allocation list: what was fixed before the first participant, to be signed and kept by others.

The rule that must stay true: everything on it is public. It names seeds by their digests, slots by their number, and
no arm of any slot. Source: DESIGN 5 (the root is published before the first patient).
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.documents.sheet import Fact, Sheet, Table, grouped, sheet_pdf
from equipoise.documents.typeset import Issue, both
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a ceremony fixed. `strata`: slots by stratum. `contributions`: who brought a seed, and its SHA-256 (hex).

    `program` is the SHA-256 of the generator's source; `public_value` what was mixed in, by name; `guess` the shares
    (texts) guessed right with all arms known, from one's own site, and after one opened code; `holders` who holds a key
    to the sealed slots: random id, name, `ALONE` or `WITH_ANOTHER`.
    """

    version: str
    digest: str
    method: str
    ratio: str
    generator: str
    root: str
    strata: tuple[tuple[str, int], ...]
    contributions: tuple[tuple[str, str], ...]
    program: str = ""
    public_value: str = ""
    guess: tuple[str, ...] = ()
    over_bar_because: str = ""
    held_at: str = ""
    holders: tuple[tuple[str, str, str], ...] = ()


def certificate_pdf(made: Certificate, issue: Issue) -> bytes:
    """The certificate."""
    facts = [
        Fact(both("documents.certificate-root"), grouped(made.root), exact=True),
        Fact(both("documents.certificate-slots"), str(sum(slots for _, slots in made.strata))),
        Fact(both("documents.certificate-version"), made.version),
        Fact(both("documents.certificate-digest"), grouped(made.digest), exact=True),
        Fact(both("documents.certificate-method"), f"{made.method} | {made.ratio}"),
        Fact(both("documents.certificate-generator"), made.generator),
    ]
    if made.program:
        facts.append(Fact(both("documents.certificate-program"), grouped(made.program), exact=True))
    if made.public_value:
        facts.append(Fact(both("documents.certificate-public-value"), made.public_value))
    if made.guess:
        facts.append(Fact(both("documents.certificate-guess"), " | ".join(made.guess)))
    if made.over_bar_because:
        facts.append(Fact(both("documents.certificate-reason"), made.over_bar_because))
    if made.held_at:
        facts.append(Fact(both("documents.certificate-held"), made.held_at))
    return sheet_pdf(
        Sheet(
            both("documents.certificate-title"),
            both("documents.certificate-lead"),
            tuple(facts),
            (_strata(made), _contributions(made), *((_holders(made),) if made.holders else ())),
            (both("documents.certificate-note"),),
            tuple(Text(name) for name, _ in made.contributions if name != "machine")
            or (both("documents.certificate-holder"),),
        ),
        issue,
    )


def _strata(made: Certificate) -> Table:
    columns = (both("documents.certificate-stratum"), both("documents.certificate-slots"))
    rows = tuple((code, str(slots)) for code, slots in made.strata)
    return Table(both("documents.certificate-strata"), columns, (3, 1), rows)


def _contributions(made: Certificate) -> Table:
    columns = (both("documents.certificate-by"), both("documents.certificate-seed"))
    rows = tuple((name, grouped(digest)) for name, digest in made.contributions)
    return Table(both("documents.certificate-contributions"), columns, (1, 4), rows, exact=True)


def _holders(made: Certificate) -> Table:
    columns = (
        both("documents.certificate-name"), both("documents.certificate-person"), both("documents.certificate-opens"),
    )  # fmt: skip
    rows = tuple((name, actor, _opens(opens)) for actor, name, opens in made.holders)
    return Table(both("documents.certificate-holders"), columns, (2, 2, 2), rows)


def _opens(opens: str) -> str:
    said = both(f"documents.certificate-{opens.lower().replace('_', '-')}")
    return f"{said.en} {said.say('zh')}"
