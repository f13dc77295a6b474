"""What a ceremony fixed, as plain data and as text: the certificate that others sign and keep.

The rule that must stay true: everything on it is public; it names seeds by their digests and no arm of any slot.
Source: DESIGN 5 (the root is published before the first patient).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.protocol.study import Study
from equipoise.randomization.predictability import Predictability
from equipoise.randomization.public import PublicList

NAME = "certificate.txt"
_OPENS = {"ALONE": "opens slots alone", "WITH_ANOTHER": "opens slots with another"}


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """The fields of `documents.certificate.Certificate`, and the study's id. Texts; digests are SHA-256 (hex).

    guess: shares guessed right by somebody who knows every arm, by somebody who knows one site's, and after one break.
    held_at: UTC, ISO, to the second; empty in a rehearsal. holders: as `PublicList.holders`.
    """

    study: str
    version: str
    digest: str
    method: str
    ratio: str
    generator: str
    program: str
    root: str
    strata: tuple[tuple[str, int], ...]
    contributions: tuple[tuple[str, str], ...]
    public_value: str
    guess: tuple[str, str, str]
    over_bar_because: str
    held_at: str
    holders: tuple[tuple[str, str, str], ...] = ()


def certificate(
    study: Study, public: PublicList, figures: Predictability | None = None, held_at: str = ""
) -> CertificateContent:
    """The certificate of a public list. `figures` of its design; without them `guess` holds dashes."""
    told: Mapping[str, str] = {each["by"]: each["digest"] for each in public.content["contributions"]}
    plan = public.content["plan"]
    parameters = [f"{name}={value}" for name, value in plan["parameters"].items()]
    shares = (figures.guess, figures.own_site, figures.one_break) if figures else None
    return CertificateContent(
        study=study.id,
        version=public.content["version"],
        digest=public.content["digest"],
        method=" ".join([plan["method"], *parameters]),
        ratio=":".join(str(weight) for weight in plan["ratio"]),
        generator=public.content["generator"],
        program=public.content["program"],
        root=public.root,
        strata=tuple((code, len(slots)) for code, slots in public.command.slots.items()),
        contributions=tuple(sorted(told.items())),
        public_value=public.content["public_value"],
        guess=(f"{shares[0]:.3f}", f"{shares[1]:.3f}", f"{shares[2]:.3f}") if shares else ("–", "–", "–"),
        over_bar_because=public.content["over_bar_because"],
        held_at=held_at,
        holders=public.holders,
    )


def certificate_text(made: CertificateContent) -> str:
    """The certificate to be printed as it is: 80 columns, one fact on a line, room for signatures."""
    rows = [
        ("study", f"{made.study} version {made.version}"),
        ("definition", made.digest),
        ("method", f"{made.method}, ratio {made.ratio}"),
        ("generator", made.generator),
        ("program", made.program),
        ("root", made.root),
        ("slots", str(sum(slots for _, slots in made.strata))),
        *((f"  {code}", str(slots)) for code, slots in made.strata),
        *((f"seed of {name}", told) for name, told in made.contributions),
        *((_OPENS[opens], f"{name} ({actor})") for actor, name, opens in made.holders),
        ("public value", made.public_value or "none"),
        ("guessed right", "knows all {}, own site {}, one code opened {}".format(*made.guess)),
        ("used because", made.over_bar_because or "no bar is passed"),
        ("held", made.held_at or "a rehearsal: this is not a trial's list"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = ["CERTIFICATE OF AN ALLOCATION LIST", "", *(f"{name:{width}}  {text}" for name, text in rows), ""]
    lines += [f"{name}: ________________________" for name, _ in made.contributions if name != "machine"]
    return "\n".join(lines) + "\n"
