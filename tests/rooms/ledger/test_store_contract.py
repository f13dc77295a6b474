"""What every store must do, whichever database is behind it. A second store joins by one line in STORES."""

from __future__ import annotations

import hashlib
import itertools
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.chain import ZEROS
from equipoise.ledger.entries import Part
from equipoise.ledger.sqlite import open_store
from equipoise.ledger.store import Head, NewEntry, ReadTable, Stale, Store, StoredSnapshot, StoreFault

STORES = {"sqlite": lambda folder: open_store(folder / "ledger.sqlite", "write", create=True)}


@pytest.fixture(params=sorted(STORES))
def make(request, tmp_path):
    """Opens the store in a folder; called again, the same store again."""
    opened: list[Store] = []

    def opening(folder: Path = tmp_path) -> Store:
        store = STORES[request.param](folder)
        opened.append(store)
        return store

    yield opening
    for store in opened:
        store.close()


def entry(head: Head, key: str, part: int = 0, aside: bool = False) -> NewEntry:
    """An entry after `head`. A store does not look into headers, so these are any bytes."""
    seq = head.seq + 1
    sealed: dict[Part, bytes] = {"main": f"main {key}".encode(), **({"aside": b"aside"} if aside else {})}
    leaf = hashlib.sha256(f"{head.stream} {seq} {key}".encode()).hexdigest()
    return NewEntry(
        head.stream, seq, head.leaf, key, part, leaf, f"{head.stream} {key} {part}".encode(), sealed
    )


def after(new: NewEntry) -> Head:
    return Head(new.stream, new.seq, new.leaf, new.header)


def add(store: Store, stream: str, *keys: str) -> None:
    for key in keys:
        with store.writing([stream]) as transaction:
            transaction.append([entry(transaction.head(stream), key)])


def names(store: Store) -> list[tuple[str, int, str]]:
    with store.reading() as reading:
        return [(one.stream, one.seq, one.key) for one in reading.walk()]


def test_an_empty_store_has_no_heads(make):
    with make().reading() as reading:
        assert reading.head("subject/a") == Head("subject/a", 0, ZEROS, None)
        assert (reading.heads(), reading.entries("subject/a"), list(reading.walk())) == ((), (), [])
        assert reading.snapshot("subject/a") is None


def test_what_was_appended_is_read_back_in_order_and_after_opening_again(make):
    store = make()
    with store.writing(["a", "b"]) as transaction:
        first = entry(transaction.head("a"), "k1", aside=True)
        second = entry(after(first), "k1", 1)
        other = entry(transaction.head("b"), "k1")
        transaction.append([first, other, second])
    store.close()
    with make().reading() as reading:
        assert [(one.stream, one.seq) for one in reading.walk()] == [("a", 1), ("b", 1), ("a", 2)]
        assert [one.position for one in reading.walk()] == sorted(one.position for one in reading.walk())
        found = reading.entries("a")
        assert [(one.seq, one.key, one.part, one.leaf, one.header) for one in found] == [
            (new.seq, new.key, new.part, new.leaf, new.header) for new in (first, second)
        ]
        assert [dict(one.sealed) for one in found] == [dict(first.sealed), dict(second.sealed)]
        assert reading.entries("a", after=1) == found[1:]
        assert reading.keyed("a", "k1") == found
        assert reading.keyed("a", "k2") == ()
        assert reading.head("a") == after(second)
        assert reading.heads() == (after(second), after(other))
        assert [one.sealed for one in reading.walk(bodies=False)] == [{}, {}, {}]
        assert [one.position for one in reading.walk(after=found[0].position)] == [
            one.position for one in list(reading.walk())[1:]
        ]


def test_a_walk_is_whole_over_more_entries_than_are_fetched_at_once(make):
    store = make()
    with store.writing(["a"]) as transaction:
        head = transaction.head("a")
        for number in range(1203):
            new = entry(head, f"k{number}")
            transaction.append([new])
            head = after(new)
    with store.reading() as reading:
        walked = list(reading.walk())
        assert [one.seq for one in walked] == list(range(1, 1204))
        assert all(one.sealed for one in walked)


@pytest.mark.parametrize("change", ["an older head", "a head that is not there", "another leaf"])
def test_an_append_that_does_not_follow_the_head_is_stale_and_writes_nothing(make, change):
    store = make()
    add(store, "a", "k1", "k2")
    before = names(store)
    with pytest.raises(Stale), store.writing(["a", "b"]) as transaction:  # noqa: PT012 the block is the append
        head = transaction.head("a")
        wrong = {
            "an older head": transaction.entries("a")[0],
            "a head that is not there": Head("a", head.seq + 1, head.leaf),
            "another leaf": Head("a", head.seq, ZEROS),
        }[change]
        transaction.append([entry(transaction.head("b"), "k9"), entry(wrong, "k3")])
    assert names(store) == before


def test_a_key_and_part_stand_once_in_a_stream_and_freely_in_another(make):
    store = make()
    add(store, "a", "k1")
    with pytest.raises(Stale):
        add(store, "a", "k1")
    add(store, "b", "k1")
    assert names(store) == [("a", 1, "k1"), ("b", 1, "k1")]


def test_an_exception_in_the_block_undoes_everything(make):
    store = make()
    table = ReadTable("notes", {"id": "text"}, ("id",))
    with store.writing(()) as transaction:
        transaction.prepare([table], "1")
    with pytest.raises(ZeroDivisionError), store.writing(["a"]) as transaction:  # noqa: PT012 the block is undone
        transaction.append([entry(transaction.head("a"), "k1")])
        transaction.put(table, {"id": "x"})
        transaction.keep_snapshot(StoredSnapshot("a", 1, ZEROS, "c", b"s"))
        raise ZeroDivisionError
    with store.reading() as reading:
        assert (reading.heads(), reading.count(table), reading.snapshot("a")) == ((), 0, None)
    add(store, "a", "k1")
    assert names(store) == [("a", 1, "k1")]


def test_a_reading_sees_one_moment(make):
    store = make()
    add(store, "a", "k1")
    with store.reading() as before:
        assert before.head("a").seq == 1
        add(store, "a", "k2")
        assert [one.seq for one in before.entries("a")] == [1]
        with store.reading() as now:
            assert [one.seq for one in now.entries("a")] == [1, 2]
    assert len(names(store)) == 2


def test_a_transaction_reads_what_it_wrote(make):
    store = make()
    with store.writing(["a"]) as transaction:
        transaction.append([entry(transaction.head("a"), "k1")])
        assert transaction.head("a").seq == 1
        assert len(transaction.keyed("a", "k1")) == 1


def test_a_snapshot_takes_the_place_of_the_one_before(make):
    store = make()
    add(store, "a", "k1", "k2")
    for seq in (1, 2):
        with store.writing(["a"]) as transaction:
            transaction.keep_snapshot(StoredSnapshot("a", seq, str(seq), "code", b"state"))
    with store.reading() as reading:
        assert reading.snapshot("a") == StoredSnapshot("a", 2, "2", "code", b"state")
        assert reading.snapshot("b") is None


def test_a_write_within_a_write_is_a_fault_of_the_program_not_a_wait_for_ever(make):
    store = make()
    with store.writing(["a"]), pytest.raises(RuntimeError), store.writing(["b"]):
        pass
    add(store, "a", "k1")
    assert names(store) == [("a", 1, "k1")]


def test_eight_threads_on_one_stream_leave_no_gap_and_none_is_refused(make):
    store = make()
    refused = []

    def work(name: int) -> None:
        for number in range(25):
            try:
                add(store, "hot", f"{name}.{number}")
            except (Stale, StoreFault) as fault:
                refused.append(fault)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert [seq for _, seq, _ in names(store)] == list(range(1, 201))


# --- read tables -------------------------------------------------------------------------------------------------

PEOPLE = ReadTable(
    "people",
    {"site": "text", "number": "integer", "name": "text", "age": "integer"},
    ("site", "number"),
    (("name",), ("age", "name")),
)
CELLS = st.none() | st.integers(-3, 3)
WORDS = st.sampled_from(["", "a", "b", "ab", "é"])
PERSON = st.fixed_dictionaries(
    {"site": WORDS, "number": st.integers(0, 4), "name": st.none() | WORDS, "age": CELLS}
)
CONDITIONS = st.fixed_dictionaries(
    {}, optional={"site": WORDS | st.lists(WORDS, max_size=3), "name": st.none() | WORDS, "age": CELLS}
)


def sort_key(row, columns):
    return [(row[name] is not None, row[name]) for name in columns]  # None before every value


def meets(row, where):
    return all(
        row[name] in wanted if isinstance(wanted, list) else row[name] == wanted
        for name, wanted in where.items()
    )


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """One store per kind for the property below, which empties its table each time."""
    stores = {name: opening(tmp_path_factory.mktemp(name)) for name, opening in STORES.items()}
    for store in stores.values():
        with store.writing(()) as transaction:
            transaction.prepare([PEOPLE], "1")
    yield stores
    for store in stores.values():
        store.close()


@pytest.mark.parametrize("name", sorted(STORES))
@given(
    rows=st.lists(PERSON, max_size=12),
    gone=st.lists(st.tuples(WORDS, st.integers(0, 4)), max_size=3),
    where=CONDITIONS,
    order=st.sampled_from([(), ("name",), ("age", "name"), ("number",)]),
    descending=st.booleans(),
    page=st.integers(1, 4),
)
def test_read_tables_answer_as_a_list_would(people, name, rows, gone, where, order, descending, page):
    # The oracle is a dict by key, a filter, and Python's own sort.
    model = {}
    with people[name].writing(()) as transaction:
        transaction.clear(PEOPLE)
        for row in rows:
            transaction.put(PEOPLE, row)
            model[row["site"], row["number"]] = row
        for key in gone:
            transaction.remove(PEOPLE, key)
            model.pop(key, None)
    full = (*order, *PEOPLE.key)
    wanted = sorted((row for row in model.values() if meets(row, where)), key=lambda row: sort_key(row, full))
    wanted = wanted[::-1] if descending else wanted
    with people[name].reading() as reading:
        assert list(reading.find(PEOPLE, where, order=order, descending=descending)) == wanted
        assert reading.count(PEOPLE, where) == len(wanted)
        for key, row in itertools.islice(model.items(), 3):
            assert reading.get(PEOPLE, key) == row
        assert reading.get(PEOPLE, ("nowhere", 0)) is None
        paged: list = []
        while True:
            start = [paged[-1][column] for column in full] if paged else ()
            found = reading.find(PEOPLE, where, order=order, after=start, descending=descending, limit=page)
            paged += found
            if len(found) < page:
                break
        assert paged == wanted


def test_read_tables_stay_while_they_mean_the_same_and_are_emptied_when_not(make):
    store = make()
    row = {"site": "01", "number": 1, "name": None, "age": None}

    def prepared(tables, code):
        with store.writing(()) as transaction:
            return transaction.prepare(tables, code)

    assert prepared([PEOPLE], "1") is False
    with store.writing(()) as transaction:
        transaction.put(PEOPLE, row)
    assert prepared([PEOPLE], "1") is True
    with store.reading() as reading:
        assert reading.find(PEOPLE) == (row,)
    assert prepared([PEOPLE], "2") is False
    with store.reading() as reading:
        assert reading.find(PEOPLE) == ()
    narrower = ReadTable("people", {"site": "text"}, ("site",))
    assert prepared([narrower], "2") is False
    assert prepared([], "2") is False
    with store.writing(()) as transaction:
        transaction.prepare([narrower], "2")
        with pytest.raises(ValueError, match="columns"):
            transaction.put(narrower, row)


@pytest.mark.parametrize("name", ["people; DROP TABLE entries", "People", "", "a" * 60, '"x"'])
def test_a_read_table_with_a_name_that_is_no_name_is_a_fault_of_the_program(make, name):
    with pytest.raises(ValueError, match="name"), make().writing(()) as transaction:
        transaction.prepare([ReadTable(name, {"id": "text"}, ("id",))], "1")


def test_only_the_stores_own_files_know_which_database_it_is(root):
    # keys.py has a file format of its own, verify.py reads stores without the program.
    allowed = {"sqlite.py", "sqlite_rows.py", "keys.py", "verify.py"}
    room = root / "src" / "equipoise" / "ledger"
    naming = {path.name for path in room.glob("*.py") if "sqlite3" in path.read_text("utf-8")}
    assert naming == allowed
    importing = {
        path.relative_to(root / "src").as_posix()
        for path in (root / "src").rglob("*.py")
        if "ledger.sqlite" in path.read_text("utf-8") and "import" in path.read_text("utf-8")
        for line in path.read_text("utf-8").splitlines()
        if line.lstrip().startswith(("from equipoise.ledger.sqlite", "import equipoise.ledger.sqlite"))
    }
    assert importing <= {"equipoise/ledger/opening.py", "equipoise/ledger/sqlite.py"}
