"""The second door of a rehearsal, played line by line: `python -m equipoise.vault.rehearsing FOLDER`, its own process.

Each line on standard input is one JSON object: `do` names what is to be done, `at` the moment (UTC, ISO) at which it
happens; each is answered by one line, `{"at": …, …}` or `{"problems": […]}`. The first line, `begin`, brings the seed
from which every random byte of this process comes: clock and chance are the rehearsal's, both from its channel; and the
study, as the canonical text of its definition.

    begin      {study, seed, passphrase, channel, rates, make: {first_door, ceremony}}  -> {public_key}
    tick       what is due by the clock
    people     {people: [{actor, name, name_zh, purposes}]}
    prepare    {request}                   -> {bag, arm, lost}: what nature must know of what will be infused
    take_back  {request, site, bag, remaining}
    values     {subject, visit, form, items}    the laboratory's values that could tell the arm
    show       {request, actor}            an investigator is shown one arm, on this door's page
    settle     locks the values and has two persons sign the release
    publish    -> {release}
    counts     -> {bags, lost, lots, shipments}

The rules that must stay true: a rehearsal's store only, whatever is asked; the deliveries of the first door come over
the channel's socket as always, and nothing of an arm goes that way; what `prepare` tells goes to whoever plays nature,
which no program of a trial is. Ends with standard input.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from equipoise.ledger.entries import Datum
from equipoise.pages.serving import end_with_parent
from equipoise.protocol.digest import study_from_canonical
from equipoise.randomization.draws import Draws
from equipoise.vault.breaks import showing
from equipoise.vault.keyring import harden
from equipoise.vault.opening import Vault, create_vault
from equipoise.vault.pharmacist import Pharmacist, Rates, Refused
from equipoise.vault.release.commands import SetValuesLock, SignVaultRelease
from equipoise.vault.release.evolve import State as ReleaseState
from equipoise.vault.release.evolve import conditions_digest
from equipoise.vault.release.publishing import Published, publish
from equipoise.vault.socket import serve_channel
from equipoise.vault.terminal import enrol_people
from equipoise.vault.values import RecordValues
from equipoise.words.canonical import Json, read_canonical
from equipoise.words.clock import SetClock
from equipoise.words.problem import Problem, problem

Asked = Mapping[str, Any]  # Any: one line of JSON, as it came
Said = dict[str, Json]


def main() -> int:
    """Play until standard input ends. The exit status."""
    parser = argparse.ArgumentParser(prog="vault rehearsing", description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    end_with_parent()
    harden()
    stage: Stage | None = None
    for line in sys.stdin:
        asked: Asked = json.loads(line)
        said: Said
        if stage is None:
            begun = begin(options.folder, asked)
            if isinstance(begun, tuple):
                said = _faults(begun)
            else:
                stage, said = begun, {"public_key": begun.vault.public_key}
        else:
            said = stage.do(asked)
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    if stage is not None:
        stage.close()
    return 0


def begin(folder: Path, asked: Asked) -> Stage | tuple[Problem, ...]:
    """Make the vault under the clock and the seed that the line brings."""
    study = study_from_canonical(read_canonical(asked["study"].encode()))
    clock, seed = SetClock(dt.datetime.fromisoformat(asked["at"])), bytes.fromhex(asked["seed"])
    make = asked["make"]
    vault = create_vault(
        folder, study, "rehearsal", make["first_door"], Path(make["ceremony"]), asked["passphrase"],
        clock=clock, entropy=Draws(seed, "second door").take,
    )  # fmt: skip
    if isinstance(vault, Problem):
        return (vault,)
    vault.ledger.relax()
    pharmacist = Pharmacist(vault, clock, Rates.read(asked["rates"]), Draws(seed, "pharmacist"))
    return Stage(vault, clock, pharmacist, Path(asked["channel"]))


class Stage:
    """An open vault and the people behind it. `do` answers one line."""

    def __init__(self, vault: Vault, clock: SetClock, pharmacist: Pharmacist, channel: Path) -> None:
        self.vault, self._clock, self._pharmacist = vault, clock, pharmacist
        self._stop = serve_channel(vault, channel)
        self._does: Mapping[str, Callable[[Asked], Said | None]] = {
            "tick": lambda _: self.vault.tick(),
            "people": self._people,
            "prepare": self._prepare,
            "take_back": self._take_back,
            "values": self._values,
            "show": self._show,
            "settle": self._settle,
            "publish": self._publish,
            "counts": lambda _: cast("Said", dict(pharmacist.counts)),
        }

    def do(self, asked: Asked) -> Said:
        """What came of one line: its answer with the moment at which it was done, or what stood against it."""
        self._clock.at = max(self._clock.at, dt.datetime.fromisoformat(asked["at"]))
        try:
            said = self._does[asked["do"]](asked) or {}
        except Refused as refused:
            return _faults(refused.problems)
        return {"at": self._clock.at.isoformat(), **said}

    def close(self) -> None:
        """Stop listening and give everything back."""
        self._stop()
        self.vault.close()

    def _people(self, asked: Asked) -> Said:
        came = enrol_people(self.vault, self.vault.folder, asked["people"])
        if not isinstance(came, dict):
            raise Refused(came if isinstance(came, tuple) else ())
        return cast("Said", came)

    def _prepare(self, asked: Asked) -> Said:
        made = self._pharmacist.prepare(asked["request"])
        return {"bag": made.bag, "arm": made.arm, "lost": made.lost}

    def _take_back(self, asked: Asked) -> None:
        self._pharmacist.take_back(asked["request"], asked["site"], asked["bag"], asked["remaining"])

    def _values(self, asked: Asked) -> None:
        items = {name: Datum(said["value"], said["missing"]) for name, said in asked["items"].items()}
        command = RecordValues(asked["subject"], asked["visit"], asked["form"], 1, items, 0, complete=True)
        self._pharmacist.must(self._pharmacist.keeper("LAB"), command)

    def _show(self, asked: Asked) -> None:
        keeper = self.vault.who(asked["actor"], "BREAK")
        if keeper is None:
            raise Refused((problem("vault.purpose-not-held", "show"),))
        shown = showing.show(self.vault, keeper, asked["request"], key=f"show {asked['request']}")
        if not isinstance(shown, showing.Shown):
            raise Refused(shown)

    def _settle(self, _: Asked) -> None:
        by = self._pharmacist
        by.must(by.keeper("LAB"), SetValuesLock(locked=True))
        for keeper in (by.keeper("KEEPER"), by.keeper("OFFICER")):
            with self.vault.reading() as reader:
                state = cast("ReleaseState", self.vault.state(reader, SignVaultRelease("")))
                seen = conditions_digest(state, self.vault.facts(reader, keeper, SignVaultRelease("")))
            by.must(keeper, SignVaultRelease(seen))

    def _publish(self, _: Asked) -> Said:
        came = publish(self.vault, self._pharmacist.keeper("KEEPER"), key="rehearsed release")
        if not isinstance(came, Published):
            raise Refused(came)
        return {"folder": str(came.folder), "release": came.release}


def _faults(problems: tuple[Problem, ...]) -> Said:
    """The problems as JSON, by which the rehearsal says them in its own reader's language."""
    found: list[Json] = [
        {"rule": one.rule, "where": one.where, "en": one.say("en"), "zh": one.say("zh")} for one in problems
    ]
    return {"problems": found}


if __name__ == "__main__":
    sys.exit(main())
