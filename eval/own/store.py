"""The person's own questions on disk, with the results of every run of them."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, cast, delete, func, select
from sqlalchemy.orm import Session

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.database import Database
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from eval.own.expectations import Check, Expectation, Judged, fingerprint
from eval.own.kept import OwnQuestion, OwnResult, OwnRun
from eval.own.tables import Base, QuestionRow, ResultRow, RunRow

FILE = "own-questions.sqlite"
MAX_QUESTIONS = 1_000
_KEEP_RUNS = 200


class OwnQuestions:
    """The questions of one person. Safe to share between threads and processes.

    Raises:
        StorageError: the file cannot be read or written, or is damaged; so do all methods.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._database = Database(
            self.path,
            Base,
            "own questions",
            # No write-ahead log: it would keep a deleted question until it is overwritten.
            pragmas=("journal_mode = DELETE", "secure_delete = ON", "foreign_keys = ON"),
            lock_first=True,
        )

    # -- questions ------------------------------------------------------------------------------

    def add(
        self, question: str, index: str, expectation: Expectation, *, turn: str = ""
    ) -> OwnQuestion:
        """Keep a question.

        Raises:
            UsageError: it is empty or too long, nothing is expected, or there are too many.
        """
        text, wanted = _question(question), expectation.checked()
        with self._database.session() as session:
            count = session.scalar(select(func.count()).select_from(QuestionRow)) or 0
            if count >= MAX_QUESTIONS:
                raise UsageError(
                    f"{MAX_QUESTIONS:,} questions are kept already", remedy="delete some first"
                )
            row = QuestionRow(
                id=uuid.uuid4().hex[:8],
                question=text,
                index_name=index,
                expectation=wanted.to_json(),
                turn=turn,
                created=datetime.now(UTC),
            )
            session.add(row)
            return _question_of(row)

    def questions(self) -> list[OwnQuestion]:
        """All of them, oldest first."""
        with self._database.session() as session:
            rows = session.scalars(select(QuestionRow).order_by(QuestionRow.created))
            return [_question_of(row) for row in rows]

    def get(self, identity: str) -> OwnQuestion:
        """One of them.

        Raises:
            UnknownNameError: there is none of that id.
        """
        with self._database.session() as session:
            return _question_of(_row(session, identity))

    def of_turn(self, turn: str) -> list[OwnQuestion]:
        """Those that were kept from an answer."""
        with self._database.session() as session:
            rows = session.scalars(select(QuestionRow).where(QuestionRow.turn == turn))
            return [_question_of(row) for row in rows]

    def change(
        self, identity: str, question: str, index: str, expectation: Expectation
    ) -> OwnQuestion:
        """Put other words, another index or another expectation in place. Raises as `add`, `get`.

        Results stay, and are known as those of another test.
        """
        text, wanted = _question(question), expectation.checked()
        with self._database.session() as session:
            row = _row(session, identity)
            row.question, row.index_name = text, index
            row.expectation = wanted.to_json()
            return _question_of(row)

    def delete(self, identity: str) -> OwnQuestion:
        """Remove a question and its results for good. Raises as `get`."""
        with self._database.session() as session:
            row = _row(session, identity)
            gone = _question_of(row)
            session.execute(delete(ResultRow).where(ResultRow.question_id == identity))
            session.delete(row)
        self._database.rewrite()
        return gone

    # -- runs -----------------------------------------------------------------------------------

    def begin(self, questions: int, settings: Mapping[str, Any], mark: str) -> str:
        """Note that a run begins; returns its id. The oldest runs of very many go."""
        identity = uuid.uuid4().hex[:12]
        with self._database.session() as session:
            old = session.scalars(
                select(RunRow.id).order_by(RunRow.started.desc()).offset(_KEEP_RUNS - 1)
            ).all()
            session.execute(delete(ResultRow).where(ResultRow.run_id.in_(old)))
            session.execute(delete(RunRow).where(RunRow.id.in_(old)))
            session.add(
                RunRow(
                    id=identity,
                    started=datetime.now(UTC),
                    ended=None,
                    questions=questions,
                    fingerprint=mark,
                    settings=json.dumps(dict(settings), ensure_ascii=False),
                )
            )
        return identity

    def keep(self, run: str, question: OwnQuestion, generation: str, judged: Judged) -> None:
        """Keep the result of a question; one that was deleted meanwhile is left alone."""
        with self._database.session() as session:
            if session.get(QuestionRow, question.id) is None:
                return
            session.merge(
                ResultRow(
                    run_id=run,
                    question_id=question.id,
                    question=question.question,
                    definition=fingerprint(question.question, question.expectation),
                    index_name=question.index,
                    generation=generation,
                    passed=judged.passed,
                    judged=json.dumps(dataclasses.asdict(judged), ensure_ascii=False),
                )
            )

    def end(self, run: str) -> None:
        """Note that a run went through."""
        with self._database.session() as session:
            if (row := session.get(RunRow, run)) is not None:
                row.ended = datetime.now(UTC)

    def runs(self) -> list[OwnRun]:
        """All runs, oldest first."""
        with self._database.session() as session:
            counts = {
                run: (int(done), int(passed or 0))
                for run, done, passed in session.execute(
                    select(
                        ResultRow.run_id, func.count(), func.sum(cast(ResultRow.passed, Integer))
                    ).group_by(ResultRow.run_id)
                )
            }
            rows = session.scalars(select(RunRow).order_by(RunRow.started))
            return [
                OwnRun(
                    row.id,
                    _time(row.started),
                    _time(row.ended) if row.ended else "",
                    row.questions,
                    *counts.get(row.id, (0, 0)),
                    row.fingerprint,
                    json.loads(row.settings),
                )
                for row in rows
            ]

    def results(self, run: str) -> list[OwnResult]:
        """The results of a run, in the order of the questions."""
        with self._database.session() as session:
            rows = session.scalars(
                select(ResultRow)
                .join(QuestionRow, QuestionRow.id == ResultRow.question_id)
                .where(ResultRow.run_id == run)
                .order_by(QuestionRow.created)
            )
            return [_result_of(row) for row in rows]

    def before(self, run: str) -> dict[str, OwnResult]:
        """By question, the latest result of the runs before `run`."""
        with self._database.session() as session:
            own = session.get(RunRow, run)
            if own is None:
                return {}
            rows = session.scalars(
                select(ResultRow)
                .join(RunRow, RunRow.id == ResultRow.run_id)
                .where(RunRow.started < own.started)
                .order_by(RunRow.started)
            )
            return {row.question_id: _result_of(row) for row in rows}

    def latest(self) -> dict[str, OwnResult]:
        """By question, its latest result."""
        with self._database.session() as session:
            rows = session.scalars(
                select(ResultRow)
                .join(RunRow, RunRow.id == ResultRow.run_id)
                .order_by(RunRow.started)
            )
            return {row.question_id: _result_of(row) for row in rows}

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()


def _question(text: str) -> str:
    line = text.strip()
    if not line:
        raise UsageError("the question is empty", remedy="type a question")
    if len(line) > MAX_QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(line):,} characters, at most "
            f"{MAX_QUESTION_CHARACTERS:,} are read",
            remedy="ask in fewer words",
        )
    return line


def _row(session: Session, identity: str) -> QuestionRow:
    row = session.get(QuestionRow, identity)
    if row is None:
        raise UnknownNameError("question", identity, session.scalars(select(QuestionRow.id)))
    return row


def _question_of(row: QuestionRow) -> OwnQuestion:
    return OwnQuestion(
        row.id,
        row.question,
        row.index_name,
        Expectation.from_json(row.expectation),
        row.turn,
        _time(row.created),
    )


def _result_of(row: ResultRow) -> OwnResult:
    values = json.loads(row.judged)
    values["checks"] = tuple(Check(**check) for check in values["checks"])
    values["sources"] = tuple(values["sources"])
    return OwnResult(
        row.run_id,
        row.question_id,
        row.question,
        row.definition,
        row.index_name,
        row.generation,
        Judged(**values),
    )


def _time(moment: datetime) -> str:
    """SQLite keeps no time zone; all that is written is UTC."""
    return moment.replace(tzinfo=UTC).isoformat(timespec="seconds")
