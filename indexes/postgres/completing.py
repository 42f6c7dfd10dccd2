"""Having every text of a generation encoded, by this process and others, and graphs built."""

from __future__ import annotations

import time

from indexes.encoders import Encoders
from indexes.errors import ModelRuntimeError
from indexes.postgres import generations, tasks
from indexes.postgres.encodings import KnownEncoder, build_graph, register
from indexes.postgres.session import Session
from indexes.postgres.worker import Work, Worker
from indexes.progress import OnProgress, Progress

_STAGES = ("dense", "sparse")
_POLL_SECONDS = 0.5


class Completion:
    """Completes generations. The arguments are those of `PostgresWriter`.

    Args:
        worker: encodes in this process, where it takes part.
    """

    def __init__(
        self,
        worker: Worker,
        encoders: Encoders,
        *,
        take_part: bool,
        batch: int,
        graph_above: int,
        graph_memory: str,
        on_progress: OnProgress,
    ) -> None:
        self._worker, self._encoders = worker, encoders
        self._take_part, self._batch = take_part, batch
        self._graph_above, self._graph_memory = graph_above, graph_memory
        self._report = on_progress

    def run(self, session: Session, number: int) -> Work:
        """Encode what is lacking; a stage is searched as soon as it is complete.

        Returns:
            What this process encoded.

        Raises:
            ModelMissingError: an encoder's weights are missing here.
            ModelRuntimeError: batches are left that no worker could encode.
        """
        total = Work()
        size = int(session.value("SELECT passages FROM generations WHERE number = %s", (number,)))
        for stage in _STAGES:
            encoder = self._encoders.dense() if stage == "dense" else self._encoders.sparse()
            known = register(session, stage, encoder.fingerprint, encoder.dimensions)
            if tasks.enqueue(session, known, self._batch):
                total += self._until_encoded(session, known)
            session.run(f"ANALYZE {known.table}")
            if size > self._graph_above:
                started = time.monotonic()
                build_graph(session, known, self._graph_memory)
                seconds = time.monotonic() - started
                self._report(Progress(f"{stage} graph", size, size, "passages", seconds))
            generations.note_encoder(session, number, stage, known.id)
        return total

    def _until_encoded(self, session: Session, known: KnownEncoder) -> Work:
        """Encode beside the other workers; wait for what they hold, and take it if they die."""
        total, started = Work(), time.monotonic()
        while True:
            if self._take_part:
                total += self._worker.work_on(session, known)
            left = tasks.open_work(session, known.id)
            if not left.batches:
                return total
            if left.stuck == left.batches:
                raise ModelRuntimeError(
                    f"{left.stuck} batches could not be encoded: each stopped "
                    f"{tasks.MOST_ATTEMPTS} workers",
                    remedy="look at the workers' messages, then run the same command again",
                )
            if not self._take_part:
                seconds = time.monotonic() - started
                self._report(Progress(known.stage, 0, left.texts, "passages", seconds))
            time.sleep(_POLL_SECONDS)
