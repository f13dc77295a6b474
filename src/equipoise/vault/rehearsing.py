"""The second door of a rehearsal, played line by line: `python -m equipoise.vault.rehearsing FOLDER`, its own process.

Each line on standard input is one JSON object: `do` names what is to be done, `at` the moment (UTC, ISO) at which it
happens; each is answered by one line, `{"at": …, …}` or `{"problems": […]}`. The first line, `begin`, brings the seed
from which every random byte of this process comes: clock and chance are the rehearsal's, both from its channel; and the
study, as the canonical text of its definition.

    begin      {study, seed, passphrase, channel, rates, make: {first_door, ceremony}}  -> {public_key}
    resume     {passphrase, channel}       -> {public_key}: a door that stands, opened again, with nobody to play in it
    rest       from now on the clock goes on by itself, and the pages are open
    look       -> {entries}: how much stands in this door's ledger
    address    -> {address} of its pages, once they answer
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
which no program of a trial is. Ends with standard input. With `--port` it also serves the door's pages; its clock goes
on by itself between two lines.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO, cast

from equipoise.ledger.entries import Datum
from equipoise.pages.journey import Gate, PlayClock
from equipoise.pages.serving import Opened, end_with_parent, serve_door
from equipoise.protocol.digest import study_from_text
from equipoise.randomization.draws import Draws
from equipoise.vault.breaks import showing
from equipoise.vault.keyring import harden
from equipoise.vault.opening import Vault, create_vault, open_vault
from equipoise.vault.pharmacist import Pharmacist, Rates, Refused
from equipoise.vault.release.commands import SetValuesLock, SignVaultRelease
from equipoise.vault.release.evolve import State as ReleaseState
from equipoise.vault.release.evolve import conditions_digest
from equipoise.vault.release.publishing import Published, publish
from equipoise.vault.socket import serve_channel
from equipoise.vault.terminal import enrol_people
from equipoise.vault.ticking import watch_clock
from equipoise.vault.values import RecordValues
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

Asked = Mapping[str, Any]  # Any: one line of JSON, as it came
Said = dict[str, Json]
PATIENCE_SECONDS = 30


def main() -> int:
    """Play until standard input ends. The exit status."""
    parser = argparse.ArgumentParser(prog="vault rehearsing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, help="serve the door's pages, too; 0 for any free port")
    parser.add_argument("--first-door", default="", metavar="URL", help="where time is moved on")
    options = parser.parse_args()
    end_with_parent()
    harden()
    if options.port is not None:
        return serve_beside(options.folder, options.port, options.first_door)
    asked = sys.stdin
    stage = answer_begin(options.folder, next(asked, ""), sys.stdout)
    if stage is not None:
        answer_all(stage, asked, sys.stdout)
        stage.close()
    return 0


def answer_begin(folder: Path, line: str, out: TextIO) -> Stage | None:
    """Answer the first line; the stage that it made, or None."""
    if not line:
        return None
    asked: Asked = json.loads(line)
    begun = resume(folder, asked) if asked["do"] == "resume" else begin(folder, asked)
    _say(out, _faults(begun) if isinstance(begun, tuple) else {"public_key": begun.vault.public_key})
    return None if isinstance(begun, tuple) else begun


def answer_all(stage: Stage, asked: Iterable[str], out: TextIO) -> None:
    """Answer line after line, until there are no more."""
    for line in asked:
        _say(out, stage.do(json.loads(line)))


def _say(out: TextIO, said: Said) -> None:
    out.write(json.dumps(said) + "\n")
    out.flush()


def serve_beside(folder: Path, port: int, first_door: str) -> int:
    """Serve the door's pages while lines are answered in a thread; both end when standard input does."""
    from equipoise.vault.web.played import PlayedAbove
    from equipoise.vault.web.settings import OWN_HOST, application

    # The serving process is another than this: it has these two from here, since its own standard input is closed.
    asked = os.fdopen(os.dup(0), encoding="utf-8", errors="surrogateescape")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogateescape")
    said = Said()
    open_now = threading.Event()

    def ready(address: str) -> None:
        said["address"] = address
        open_now.set()

    def opening() -> Opened | Problem:
        harden()  # again: a lock of the memory is not handed on to the serving process
        stage = answer_begin(folder, asked.readline(), out)
        if stage is None:
            return problem("vault.not-a-vault", str(folder), folder=folder)
        stage.address = lambda: dict(said) if open_now.wait(PATIENCE_SECONDS) else {}

        def go_on() -> None:
            answer_all(stage, asked, out)
            os.kill(os.getppid(), signal.SIGTERM)  # the server above this process, which ends both

        journey = PlayedAbove(stage.vault, stage.gate, first_door)
        made = application(stage.vault, folder, stage.vault.web_secret, journey=journey)
        threading.Thread(target=go_on, name="lines", daemon=True).start()
        return Opened(made, stage.close)

    return 1 if serve_door(opening, port=port, name=OWN_HOST, ready=ready) is not None else 0


def begin(folder: Path, asked: Asked) -> Stage | tuple[Problem, ...]:
    """Make the vault under the clock and the seed that the line brings."""
    study = study_from_text(asked["study"])
    clock, seed = PlayClock(dt.datetime.fromisoformat(asked["at"])), bytes.fromhex(asked["seed"])
    make = asked["make"]
    vault = create_vault(
        folder, study, "rehearsal", make["first_door"], Path(make["ceremony"]), asked["passphrase"],
        clock=clock, entropy=Draws(seed, "second door").take,
    )  # fmt: skip
    if isinstance(vault, Problem):
        return (vault,)
    vault.ledger.relax()
    pharmacist = Pharmacist(vault, clock, Rates.read(asked["rates"]), Draws(seed, "pharmacist"))
    stage = Stage(vault, clock, pharmacist, Path(asked["channel"]))
    stage.gate.shut()  # until it rests
    return stage


def resume(folder: Path, asked: Asked) -> Stage | tuple[Problem, ...]:
    """Open the vault that stands, under a clock that goes on from the line's moment."""
    clock = PlayClock(dt.datetime.fromisoformat(asked["at"]))
    vault = open_vault(folder, asked["passphrase"], clock=clock)
    if isinstance(vault, Problem):
        return (vault,)
    clock.rest()
    stage = Stage(vault, clock, None, Path(asked["channel"]))
    stage.watch()
    return stage


class Stage:
    """An open vault and the people behind it. `do` answers one line."""

    def __init__(self, vault: Vault, clock: PlayClock, pharmacist: Pharmacist | None, channel: Path) -> None:
        self.vault, self.clock, self._played = vault, clock, pharmacist
        self.gate = Gate()
        self.address: Callable[[], Said] = dict
        self._stop = serve_channel(vault, channel)
        self._unwatch: Callable[[], None] = lambda: None
        self._stood = self._entries()
        self._does: Mapping[str, Callable[[Asked], Said | None]] = {
            "tick": lambda _: self.vault.tick(),
            "people": self._people,
            "prepare": self._prepare,
            "take_back": self._take_back,
            "values": self._values,
            "show": self._show,
            "settle": self._settle,
            "publish": self._publish,
            "counts": lambda _: cast("Said", dict(self._pharmacist.counts)),
            "rest": lambda _: self._rest(),
            "look": lambda _: {"entries": self._entries()},
            "address": lambda _: self.address(),
        }

    @property
    def _pharmacist(self) -> Pharmacist:
        """Who plays the pharmacy. Raises Refused where nobody does."""
        if self._played is None:
            raise Refused((problem("vault.rehearsal-only"),))
        return self._played

    def _rest(self) -> None:
        """Let time go on by itself, and people look at the pages."""
        self._stood = self._entries()
        self.clock.rest()
        self.gate.open()

    def _entries(self) -> int:
        with self.vault.reading() as reader:
            return sum(head.seq for head in reader.streams())

    def do(self, asked: Asked) -> Said:
        """What came of one line: its answer with the moment at which it was done, or what stood against it."""
        if asked["do"] in ("look", "address"):
            return self._does[asked["do"]](asked) or {}
        if self.clock.rests:
            self.gate.shut()
            self.clock.play(lived=self._entries() != self._stood)
        self.clock.at = max(self.clock.at, dt.datetime.fromisoformat(asked["at"]))
        try:
            said = self._does[asked["do"]](asked) or {}
        except Refused as refused:
            return _faults(refused.problems)
        return {"at": self.clock.at.isoformat(), **said}

    def watch(self) -> None:
        """Do what is due by the clock from now on, in a thread of its own: nobody plays."""
        self._unwatch = watch_clock(self.vault)

    def close(self) -> None:
        """Stop listening and give everything back."""
        self._unwatch()
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
