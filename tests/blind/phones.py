"""The part of the script in which phones are set up and speak: everybody takes a card, sets a phone up and says hello.

Whoever is signed in on the same browser, the answers to a phone are the same: no cookie counts there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from blind.browser import ask
from equipoise.diary.packets import seal, unb64

if TYPE_CHECKING:
    from blind.course import Play

TURNS = 3


def phones_set_up(play: Play) -> Iterator[str]:
    """Three times: everybody is handed a card, sets up a phone by it and sends one packet; a wrong PIN opens nothing."""
    world = play.world
    for turn in range(TURNS):
        for person in world.people.values():
            if not person.first:
                continue
            page = ask(world, person, "POST", "/diary/card", {"side": "PARTICIPANT"})
            assert page.status == 200, page.said()
            code = re.search(r"/diary/#([\w-]+)", page.text)[1]
            pin = re.search(r'id="diary-pin">(\d{6})<', page.text)[1]
            wrong = {"code": code, "pin": "000000" if pin != "000000" else "111111"}
            refused = ask(world, person, "POST", "/diary/enrol", sent=wrong)
            assert refused.status == 422, refused.said()
            made = ask(world, person, "POST", "/diary/enrol", sent={"code": code, "pin": pin})
            assert made.status == 200, made.said()
            said = json.loads(made.text)
            hello = {"v": 1, "kind": "hello", "zone": "Asia/Shanghai"}
            packet = seal(
                unb64(said["key"]), said["device"], f"hello-{turn}-{person.role}"[:60], bytes(12), hello
            )
            taken = ask(world, person, "POST", "/diary/intake", sent={"packets": [json.loads(packet)]})
            assert json.loads(taken.text)["answers"][0]["state"] == "HOSPITAL", taken.text
            ask(world, person, "POST", "/diary/intake", sent={"packets": "none"})
        yield f"phones set up {turn}"
