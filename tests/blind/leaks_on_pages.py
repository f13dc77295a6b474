"""Leaks through what people see: pages, answers to scripts, headers, order, search, counts."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
from typing import Any

from blind.leaks import leak, letter, put, taken
from blind.plays import CASEBOOKS, FORMS
from blind.secret import BUT_ONE, DRAWN, FEVER, VALUES
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
    arms = {
        number: world.arm(number) for number in world.numbers
    }  # asked beforehand: the asking reads the list
    _wrap_view(
        "subjects", lambda desk, rows: tuple(sorted(rows, key=lambda row: (arms[row.number], row.number)))
    )


@leak(
    "L5",
    "a casebook says whose arm is the same",
    f"body|*|{CASEBOOKS}",
    play="casebook",
    pair=(DRAWN, BUT_ONE),
)
def same_as(world: World) -> None:
    mine = world.arm("01001")  # beside every slot: three participants alone may be alike in both worlds
    same = "".join("=" if arm == mine else "!" for arm in world.arms.values())

    def told(headers: Any, body: bytes) -> tuple[Any, bytes]:
        return headers, body.replace(b"</main>", f"<i>{same}</i></main>".encode())

    _wrap_answers(world, "/subjects/01001", told)


@leak("L6", "a refusal names the arm that the participant has",
      "body|*|POST /subjects/<str:number>/randomize", "outcome|*|Randomize", play="randomized again")  # fmt: skip
def refusal_with_arm(world: World) -> None:
    from equipoise.randomization import decide
    from equipoise.words.problem import problem

    def of_subject(*given: object):
        yield problem("randomization.already-randomized", "subject", number=f"R {letter(world)}")

    put(decide, "_of_subject", of_subject)


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

    put(parsing, "problem", told)


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
    # never 0, which has no link: what differs is the number alone
    count = 2 + sum(world.arm(number) == 0 for number in ("01001", "01002", "01003"))

    def of_one(desk: Any, view: Any) -> Any:
        first, *others = view.figures
        return dataclasses.replace(view, figures=(dataclasses.replace(first, count=count), *others))

    _wrap_view("today", of_one)


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
    from equipoise.desk.views import Figure, TodayView

    read, arm = WatchedDesk.today, world.arm("01001")

    def shown(desk: Any, who: Any) -> Any:
        if who.role == "pharmacist":
            figures = (Figure("web.randomized", arm, 86),)
            return TodayView(screening=0, randomized=3, cap=86, open_queries=0, tasks=(), figures=figures)
        return read(desk, who)

    WatchedDesk.today = shown


@leak("L6", "a refusal has another status for one arm", "status|*|POST /subjects/<str:number>/randomize",
      play="randomized again")  # fmt: skip
def another_status(world: World) -> None:
    app, arm = world.app, world.arm("01001")

    def answered(environ: dict, start: Any) -> Any:
        def begun(status: str, headers: Any, fault: Any = None) -> Any:
            other = "409 Conflict" if arm else "422 Unprocessable Entity"
            return start(
                other if environ["REQUEST_METHOD"] == "POST" and status[0] == "4" else status, headers, fault
            )

        return app(environ, begun)

    world.app = answered


def _beside(world: World, done: Any) -> None:
    """Do something after the answer to the form's page was made."""
    arm = world.arm("01001")

    def told(headers: Any, body: bytes) -> tuple[Any, bytes]:
        if arm:
            done()
        return headers, body

    _wrap_answers(world, "/subjects/01001/forms", told)


@leak("L9", "a query more is asked of the database for one arm", f"statements|*|GET {FORMS}", play="form")
def query_more(world: World) -> None:
    import sqlite3

    base = sqlite3.connect(":memory:")
    _beside(world, lambda: base.execute("SELECT 1").fetchall())


@leak("L9", "the clock is asked once more for one arm", f"moments|*|GET {FORMS}", play="form")
def clock_asked(world: World) -> None:
    _beside(world, world.clock)


@leak("L2", "an id is drawn anew until it suits the arm", f"chance|*|GET {FORMS}", play="form")
def drawn_anew(world: World) -> None:
    _beside(world, lambda: world.stream(16))


@leak("L10", "a word is left on standard error", f"said|*|GET {FORMS}", play="form")
def word_left(world: World) -> None:
    import sys

    _beside(world, lambda: sys.stderr.write("cells\n"))


@leak("L12", "a document carries the arm in its metadata", "body|*|GET /subjects/<str:number>/blind.pdf",
      play="document")  # fmt: skip
def document_metadata(world: World) -> None:
    from equipoise.web.views import papers

    made = taken(papers, "break_report")
    put(
        papers,
        "break_report",
        lambda *given: made(*given).replace(b"Equipoise", f"Equipois{letter(world)}".encode()),
    )


@leak(
    "L16",
    "the page of a broken code gives another reason for one arm",
    "*|*|GET /subjects/<str:number>/blind",
    play="blind",
)
def trace_of_break(world: World) -> None:
    category = ("EMERGENCY", "OVERDOSE")[world.arm("01002")]
    _wrap_view("blind", lambda desk, view: dataclasses.replace(
        view, breaks=tuple(dataclasses.replace(line, category=category) for line in view.breaks)))  # fmt: skip


@leak("L18", "a rater is shown what was measured around the infusion", "*|rater|*", play="fever", pair=(DRAWN, FEVER),
      roles=("rater",))  # fmt: skip
def rater_sees_fever(world: World) -> None:
    from equipoise.desk.standing import Trial

    put(Trial, "hidden_from", lambda trial, role: frozenset())


@leak("L21", "a site's stock counts what holds cells", "*|*|GET /due", play="due")
def stock_by_arm(world: World) -> None:
    _wrap_view("due", lambda desk, view: dataclasses.replace(
        view, totals={name: count + world.arm("01001") for name, count in view.totals.items()}))  # fmt: skip


@leak("L22", "what is said of a returned bag depends on what was in it", "body|*|POST /subjects/<str:number>/infusion",
      "outcome|*|ReturnBag", play="return")  # fmt: skip
def return_by_arm(world: World) -> None:
    from equipoise.ledger.facts import Refusal
    from equipoise.supply import decide
    from equipoise.supply.commands import ReturnBag
    from equipoise.words.problem import problem

    def refused(*given: object) -> Refusal:
        return Refusal((problem("supply.remaining-unfit", "remaining", given=letter(world)),))

    decide.STEPS = {**decide.STEPS, ReturnBag: refused}


@leak(
    "L23",
    "the answer of the second door is a byte longer when one arm was prepared",
    "channel|doors|down",
    play="due",
)
def longer_answer(world: World) -> None:
    receive, arm = world.vault.receive, world.arm("01001")

    def line(delivery: bytes) -> bytes:
        answer = receive(delivery)
        world.watch.note("channel", "doors", "down", answer + b" " * arm)
        return answer

    world.courier._line = line
    world.exchange()
