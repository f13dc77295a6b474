"""A phone of the diary in Python: what the page does, without a page, for rehearsals and for tests of the other side.

The rules that must stay true: an answer is in storage before it is on the screen; a packet is sealed once and sent as
the same bytes until a receipt came; what has a receipt is forgotten, nothing else is; whoever holds the phone is told
of every entry what became of it. The clock of a phone is what somebody set it to, and its counter starts anew with each
opening of the page.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.desk.devices import Enrolled
from equipoise.desk.diary_intake import Answers
from equipoise.diary.packets import NONCE_BYTES, seal, unb64

Send = Callable[[Sequence[bytes]], Answers]
"""A sending and its answer; raises ConnectionError where none comes back."""


@dataclass
class Storage:
    """What outlives the page: gone only when somebody clears it. `queue`: id -> sealed bytes, not yet answered.

    heard: the server's time as last told; last_wall: the phone's own clock at the end of the latest entry since then.
    """

    device: str = ""
    key: bytes = b""
    zone: str = "UTC"
    definition: str = ""
    queue: dict[str, bytes] = field(default_factory=dict)
    draft: dict[str, Any] | None = None  # Any: JSON
    skew_ms: int | None = None
    synced_wall: str = ""
    heard: str | None = None
    last_wall: str | None = None


@dataclass
class Phone:
    """One phone. `now`: the true time, which the phone itself never sees; `ahead`: how far its clock is off.

    `told`: packet id -> what its owner was last told: PHONE, HOSPITAL, or the rule by which it does not count.
    """

    now: Callable[[], dt.datetime]
    draw: random.Random
    storage: Storage = field(default_factory=Storage)
    reporter: str = "PARTICIPANT"
    ahead: dt.timedelta = dt.timedelta(0)
    zone: str = "UTC"
    language: str = "zh"
    told: dict[str, str] = field(default_factory=dict)
    slots: tuple[Any, ...] = ()
    forgot: bool = False
    used: str = ""
    """The device that was set up last: what a card has printed on it, and the site takes out of use."""
    _opened_at: dt.datetime | None = None
    _synced_mono: int | None = None
    _begun_mono: int | None = None

    # --- the page -----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the page: a new counter. A phone without its storage says so, and can only be set up again."""
        self._opened_at, self._synced_mono, self._begun_mono = self.now(), None, None
        self.forgot = not self.storage.key

    def kill(self) -> None:
        """Close the page, whatever was going on; what was tapped is in storage."""
        self._opened_at = None

    def clear(self) -> None:
        """Lose the storage. Every entry that was not at the hospital is lost, and the page says so when it opens."""
        self.storage, self._opened_at = Storage(), None
        for packet, state in self.told.items():
            if state == "PHONE":
                self.told[packet] = "LOST"

    def set_up(self, given: Enrolled) -> None:
        """Keep what the hospital gave when code and PIN were right."""
        self.storage = Storage(given.device, unb64(given.key), given.zone, given.definition)
        self.zone, self.used = given.zone, given.device
        self.reporter = "CAREGIVER" if given.holder == "CAREGIVER" else "PARTICIPANT"
        self.open()

    @property
    def wall(self) -> dt.datetime:
        """What the phone's own clock shows, in the zone that it is in."""
        return (self.now() + self.ahead).astimezone(ZoneInfo(self.zone))

    def _instant(self) -> dict[str, Any]:
        return {"wall": self.wall.isoformat(timespec="milliseconds"), "mono": self._mono()}

    def _mono(self) -> int:
        if self._opened_at is None:
            raise RuntimeError("the page is not open")
        return int((self.now() - self._opened_at) / dt.timedelta(milliseconds=1))

    # --- an entry -----------------------------------------------------------------------------------------------

    def begin(self, form: str, period: str | None) -> None:
        """Begin an entry; another that was begun is given up, as when somebody else goes on answering."""
        begun = self._instant()
        self._begun_mono = begun["mono"]
        synced = (
            {"wall": self.storage.synced_wall, "mono": self._synced_mono}
            if self.storage.synced_wall
            else None
        )
        self.storage.draft = {
            "form": form, "period": period, "begun": begun, "answers": {}, "shown": [], "reporter": self.reporter,
            "skew_ms": self.storage.skew_ms, "synced": synced,
            "heard": self.storage.heard, "after": self.storage.last_wall,
        }  # fmt: skip

    def show(self, items: Sequence[str]) -> None:
        """Show questions of the entry that was begun, whether they are answered or not."""
        draft = self.storage.draft
        if draft is None:
            raise RuntimeError("no entry was begun")
        draft["shown"] += [item for item in items if item not in draft["shown"]]

    def answer(self, item: str, value: str | None = None, missing: str | None = None) -> None:
        """Answer a question of the entry that was begun."""
        draft = self.storage.draft
        if draft is None:
            raise RuntimeError("no entry was begun")
        draft["answers"][item] = {"value": value} if missing is None else {"missing": missing}
        if item not in draft["shown"]:
            draft["shown"].append(item)

    def submit(self, *, offline: bool = False) -> str:
        """Seal the entry; its packet's id. It is on the phone until a receipt comes."""
        draft = self.storage.draft
        if draft is None:
            raise RuntimeError("no entry was begun")
        if self._begun_mono is None:  # the page was opened anew since: the two counters cannot be compared
            draft["begun"]["mono"] = None
        content = {
            "v": 1, "kind": "entry", **draft, "digest": self.storage.definition, "submitted": self._instant(),
            "zone": self.zone, "offline": offline, "language": self.language, "modes": {},
        }  # fmt: skip
        last = (self.storage.last_wall, content["submitted"]["wall"])
        self.storage.last_wall = max((one for one in last if one), key=dt.datetime.fromisoformat)
        self.storage.draft, self._begun_mono = None, None
        return self.put(content)

    def ask(self, entry: str, wish: str) -> str:
        """Ask that an entry be changed; the packet's id."""
        return self.put({"v": 1, "kind": "request", "entry": entry, "wish": wish})

    def put(self, content: Mapping[str, Any]) -> str:
        """Seal any content and queue it; the packet's id."""
        packet = f"{self.draw.getrandbits(96):024x}"
        nonce = self.draw.randbytes(NONCE_BYTES)
        self.storage.queue[packet] = seal(self.storage.key, self.storage.device, packet, nonce, content)
        self.told[packet] = "PHONE"
        return packet

    # --- the hospital -------------------------------------------------------------------------------------------

    def hello(self) -> bytes:
        """A packet that says that the phone is there, and is never kept."""
        content = {"v": 1, "kind": "hello", "submitted": self._instant(), "zone": self.zone}
        return seal(
            self.storage.key, self.storage.device, f"{self.draw.getrandbits(96):024x}",
            self.draw.randbytes(NONCE_BYTES), content,
        )  # fmt: skip

    def sync(self, send: Send, *, at_most: int = 60) -> bool:
        """Send what is queued, and hear what became of it; whether an answer came."""
        if not self.storage.key:
            return False
        sending = list(self.storage.queue.values())[:at_most]
        try:
            answers = send([self.hello(), *sending])
        except ConnectionError:
            return False
        self.hear(answers)
        return True

    def hear(self, answers: Answers) -> None:
        """Take in an answer: what has been decided leaves the queue, and its owner is told."""
        wall = self.wall
        server = dt.datetime.fromisoformat(answers.server_time)
        self.storage.skew_ms = int((server - wall) / dt.timedelta(milliseconds=1))
        self.storage.heard, self.storage.last_wall = answers.server_time, None
        self.storage.synced_wall, self._synced_mono = wall.isoformat(timespec="milliseconds"), self._mono()
        if answers.definition:
            self.storage.definition = answers.definition
            self.slots = answers.slots
        for one in answers.answers:
            if one.id not in self.storage.queue or one.state == "AGAIN_LATER":
                continue
            self.storage.queue.pop(one.id)
            self.told[one.id] = "HOSPITAL" if one.state == "HOSPITAL" else one.rule
