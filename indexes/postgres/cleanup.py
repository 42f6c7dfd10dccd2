"""What no reader needs any more leaves the tables, and a deleted document's encodings with it."""

from __future__ import annotations

from indexes.postgres import generations
from indexes.postgres.encodings import known_encoders
from indexes.postgres.schema import FOREVER
from indexes.postgres.session import Session


def clean(session: Session) -> None:
    """Remove ended documents and passages, encodings of texts that are gone, unused encoders.

    Ends with VACUUM, so that the server may write over the freed space. What the server keeps in
    its write-ahead log and backups is in its administrator's hands.
    """
    needed = generations.forget_old(session)
    with session.transaction():
        session.run(
            "UPDATE batches SET done = now() WHERE done IS NULL AND NOT EXISTS "
            "(SELECT FROM queue q WHERE q.batch = batches.id)"
        )
        gone = session.run("DELETE FROM passages WHERE until <= %s", (needed,))
        gone += session.run("DELETE FROM documents WHERE until <= %s", (needed,))
        session.run(
            "WITH old AS (DELETE FROM frequencies WHERE since <= %s AND lexeme IN "
            "(SELECT lexeme FROM frequencies WHERE since <= %s GROUP BY lexeme "
            "HAVING count(*) > 1) RETURNING lexeme, change) "
            "INSERT INTO frequencies (lexeme, since, change) SELECT lexeme, %s, sum(change) "
            "FROM old GROUP BY lexeme HAVING sum(change) > 0",
            (needed, needed, needed),
        )
        used = {
            number
            for row in session.rows("SELECT dense, sparse FROM generations")
            for number in row
            if number is not None
        }
        used |= {number for (number,) in session.rows("SELECT DISTINCT encoder FROM queue")}
        for known in known_encoders(session):
            if known.id not in used:
                session.run(f"DROP TABLE IF EXISTS {known.table}")
                session.run("DELETE FROM encoders WHERE id = %s", (known.id,))
            elif gone:
                session.run(
                    f"DELETE FROM {known.table} e WHERE NOT EXISTS "
                    "(SELECT FROM passages p WHERE p.key = e.key)"
                )
    tables = ["documents", "passages", "lexical", "frequencies"]
    tables += [known.table for known in known_encoders(session)]
    for table in tables:
        session.run(f"VACUUM (ANALYZE) {table}" if gone else f"ANALYZE {table}")


def end_documents(session: Session, numbers: list[int], staged: int) -> None:
    """Take documents out of the generation that is staged; readers of older ones keep them."""
    if not numbers:
        return
    session.run("DELETE FROM documents WHERE number = ANY(%s) AND since = %s", (numbers, staged))
    for table, column in (("documents", "number"), ("passages", "document")):
        session.run(
            f"UPDATE {table} SET until = %s WHERE {column} = ANY(%s) AND until = {FOREVER}",
            (staged, numbers),
        )
