"""Leaks through what people see: pages, answers to scripts, headers, order, search, counts."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
from typing import Any

from blind.leaks import leak, letter
from blind.plays import CASEBOOKS, FORMS
from blind.secret import DRAWN, MIXED, VALUES
from blind.world import WatchedDesk, World


def _wrap_view(name: str, change: Any) -> None:
    """Change what the desk gives to a page. change: (desk, view) -> view."""
    read = getattr(WatchedDesk, name)

    def changed(desk: Any, *given: Any, **named: Any) -> Any:
        view = read(desk, *given, **named)
        return None if view is None else change(desk, view)

    setattr(WatchedDesk, name, changed)


def _wrap_answers(world: World, about: str, change: Any) -> None:
    """Change answers to addresses that begin so. change: (headers, body) -> (headers, body)."""
    app = world.app

    def changed(environ: dict, start: Any) -> list[bytes]:
        if not environ["PATH_INFO"].startswith(about):
            return app(environ, start)
        kept: list[Any] = []
        body = b"".join(app(environ, lambda status, headers, fault=None: kept.extend((status, headers))))
        headers, body = change(kept[1], body)
        start(kept[0], headers)
        return [body]

    world.app = changed


@leak("L1", "an answer to the page's script carries the allocation in a nested object",
      f"body|*|POST {FORMS}", play="save")  # fmt: skip
def nested_object(world: World) -> None:
    from equipoise.web import sheet

    strip = sheet.strip
    sheet.strip = lambda *given: strip(*given) | {"debug": {"slot": {"code": letter(world)}}}


@leak(
    "L2", "the list of participants stands in the order of their arms", "body|*|GET /subjects", play="search"
)
def order_of_list(world: World) -> None:
    from equipoise.web.views import work

    work.sorted = lambda rows, key: sorted(rows, key=lambda row: (world.arm(row.number), row.number))


@leak(
    "L5", "a casebook says whose arm is the same", f"body|*|{CASEBOOKS}", play="casebook", pair=(DRAWN, MIXED)
)
def same_as(world: World) -> None:
    def told(headers: Any, body: bytes) -> tuple[Any, bytes]:
        same = "=" if world.arm("01001") == world.arm("01003") else "!"
        return headers, body.replace(b"</main>", f"<i>{same}</i></main>".encode())

    _wrap_answers(world, "/subjects/01001", told)


@leak("L6", "a refusal names the arm that the participant has",
      "body|*|POST /subjects/<str:number>/randomize", "outcome|*|Randomize", play="randomized again")  # fmt: skip
def refusal_with_arm(world: World) -> None:
    from equipoise.randomization import decide
    from equipoise.words.problem import problem

    def of_subject(*given: object):
        yield problem("randomization.already-randomized", "subject", number=f"R {letter(world)}")

    decide._of_subject = of_subject


@leak(
    "L7",
    "an ETag is made of the whole record, the hidden part included",
    f"headers|*|{CASEBOOKS}",
    play="casebook",
)
def etag_of_hidden(world: World) -> None:
    def tagged(headers: Any, body: bytes) -> tuple[Any, bytes]:
        return [
            *headers,
            ("ETag", f'"{hashlib.sha256(body + letter(world).encode()).hexdigest()[:16]}"'),
        ], body

    _wrap_answers(world, "/subjects/01001", tagged)


@leak("L8", "a page is packed together with something hidden: unpacked it is the same, its length on the line is not",
      f"wire|*|{CASEBOOKS}", play="casebook")  # fmt: skip
def packed_with_hidden(world: World) -> None:
    def packed(headers: Any, body: bytes) -> tuple[Any, bytes]:
        out = io.BytesIO()
        with gzip.GzipFile("x" * (1 + world.arm("01001")), "wb", fileobj=out, mtime=0) as file:
            file.write(body)
        kept = [(name, value) for name, value in headers if name != "Content-Length"]
        return [*kept, ("Content-Encoding", "gzip")], out.getvalue()

    _wrap_answers(world, "/subjects/01001", packed)


@leak(
    "L9",
    "one arm's page takes more work: something is opened that need not be",
    f"work|*|{CASEBOOKS}",
    play="measured",
)
def more_work(world: World) -> None:
    arm = world.arm("01001")  # asked beforehand: the asking is work, too

    def worked(desk: Any, view: Any) -> Any:
        for _ in range(arm * 20):
            hashlib.sha256(b"opened")
        return view

    _wrap_view("subject", worked)


@leak(
    "L15",
    "the history of a form counts an event more for one arm",
    f"body|*|GET {FORMS}/history",
    play="history",
)
def event_more(world: World) -> None:
    _wrap_view("history", lambda desk, rows: tuple(
        dataclasses.replace(row, seq=row.seq + world.arm("01001")) for row in rows))  # fmt: skip


@leak("L19", "a refusal repeats the laboratory value that may not be here", f"body|*|POST {FORMS}", "outcome|*|RecordForm",
      play="laboratory", pair=(DRAWN, VALUES))  # fmt: skip
def value_repeated(world: World) -> None:
    from equipoise.capture import parsing
    from equipoise.words.problem import problem

    def told(rule: str, where: str = "", **arguments: object) -> object:
        if rule == "capture.revealing-item":
            arguments["item"] = f"CD4 {world.secret.value(10, 90, 'CD4')}"
        return problem(rule, where, **arguments)

    parsing.problem = told


@leak(
    "L20",
    "a check that reads a hidden value shows that it fired",
    f"*|*|GET {FORMS}",
    play="form",
    pair=(DRAWN, VALUES),
)
def check_on_hidden(world: World) -> None:
    limit = sum(int(secret.value(0, 255, "CD4")) for secret in (DRAWN, VALUES)) / 2
    fired = int(world.secret.value(0, 255, "CD4")) > limit

    def shown(desk: Any, view: Any) -> Any:
        return dataclasses.replace(view, missing_items=("HTN",) if fired else ())

    def marked(headers: Any, body: bytes) -> tuple[Any, bytes]:
        return headers, body.replace(b"</main>", b"<b>?</b></main>" if fired else b"<b>!</b></main>")

    _wrap_view("form", shown)
    _wrap_answers(world, "/subjects/01001/forms", marked)


@leak("L24", "a count on Today is of one arm only", "body|*|GET /today", play="today")
def count_of_one_arm(world: World) -> None:
    numbers = ("01001", "01002", "01003")
    _wrap_view("today", lambda desk, view: dataclasses.replace(
        view, randomized=sum(world.arm(number) == 0 for number in numbers)))  # fmt: skip


@leak("L26", "a store of pages, kept by address alone, gives a blinded person what an unblinded one was shown",
      f"body|*|{CASEBOOKS}", play="unblinded first")  # fmt: skip
def page_kept(world: World) -> None:
    app, kept = world.app, {}

    def cached(environ: dict, start: Any) -> list[bytes]:
        if environ["PATH_INFO"] != "/subjects/01001":
            return app(environ, start)
        if not kept:
            kept["page"] = f"<p>Unblinded desk: {letter(world)}</p>".encode()
        start("200 OK", [("Content-Type", "text/html")])
        return [kept["page"]]

    world.app = cached


@leak("L27", "a search finds participants by what they get", "*|*|GET /subjects", play="search")
def found_by_arm(world: World) -> None:
    app = world.app

    def searched(environ: dict, start: Any) -> list[bytes]:
        if environ["QUERY_STRING"] == "q=cells":
            environ = {**environ, "QUERY_STRING": "q=01001" if world.arm("01001") else "q=none"}
        return app(environ, start)

    world.app = searched


@leak("L29", "somebody at this door is shown a page as an unblinded person would see it", "*|pharmacist|GET /today",
      play="today")  # fmt: skip
def view_as(world: World) -> None:
    from equipoise.desk.views import TodayView

    read = WatchedDesk.today

    def shown(desk: Any, who: Any) -> Any:
        if who.role == "pharmacist":
            return TodayView(screening=world.arm("01001"), randomized=3, cap=86, open_queries=0, tasks=())
        return read(desk, who)

    WatchedDesk.today = shown
