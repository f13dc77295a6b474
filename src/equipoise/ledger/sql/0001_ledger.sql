-- The ledger: entries and their sealed bodies, which can only be added to, and the snapshots, which can be lost.
-- What header and leaf already say (stream, seq, key, part) stands beside them for the indexes; the verifier
-- holds each column to the header. `shapes` says which read tables stand beside them.

CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    stream   TEXT NOT NULL,
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    key      TEXT NOT NULL,
    part     INTEGER NOT NULL CHECK (part >= 0),
    leaf     TEXT NOT NULL,
    header   BLOB NOT NULL,
    UNIQUE (stream, seq),
    UNIQUE (stream, key, part)
) STRICT;

CREATE TABLE bodies (
    stream TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    part   TEXT NOT NULL CHECK (part IN ('main', 'aside')),
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, seq, part),
    FOREIGN KEY (stream, seq) REFERENCES entries (stream, seq)
) STRICT;

CREATE TABLE snapshots (
    stream TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,
    leaf   TEXT NOT NULL,
    code   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    digest TEXT NOT NULL
) STRICT;

CREATE TABLE shapes (
    name  TEXT PRIMARY KEY,
    shape TEXT NOT NULL
) STRICT;

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'ledger: an entry is never changed'); END;

CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'ledger: an entry is never removed'); END;

-- INSERT OR REPLACE removes the row in its way, and runs no DELETE trigger on a connection where recursive
-- triggers are off. This one runs on every connection, before anything is removed.
CREATE TRIGGER entries_no_replace BEFORE INSERT ON entries
WHEN NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM entries WHERE stream = NEW.stream)
  OR NEW.position <> 1 + (SELECT coalesce(max(position), 0) FROM entries)
  OR EXISTS (SELECT 1 FROM entries WHERE stream = NEW.stream AND key = NEW.key AND part = NEW.part)
BEGIN SELECT RAISE(ABORT, 'ledger: an entry only follows the last one'); END;

CREATE TRIGGER bodies_no_update BEFORE UPDATE ON bodies
BEGIN SELECT RAISE(ABORT, 'ledger: a body is never changed'); END;

CREATE TRIGGER bodies_no_delete BEFORE DELETE ON bodies
BEGIN SELECT RAISE(ABORT, 'ledger: a body is never removed'); END;

CREATE TRIGGER bodies_no_replace BEFORE INSERT ON bodies
WHEN EXISTS (SELECT 1 FROM bodies WHERE stream = NEW.stream AND seq = NEW.seq AND part = NEW.part)
BEGIN SELECT RAISE(ABORT, 'ledger: a body is never changed'); END;
