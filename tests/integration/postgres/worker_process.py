"""A worker as a process of its own, slowed down, for tests that kill it.

    python -m tests.integration.postgres.worker_process ADDRESS SECONDS_PER_BATCH LEASE_SECONDS

Writes a line to standard output before each batch is encoded and after all is done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from indexes.postgres.address import Address
from indexes.postgres.worker import Worker
from tests.fast.indexes.sources import HashedDense, HashedEncoders, HashedSparse


class SlowDense(HashedDense):
    pause = 0.0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        print(f"encoding {len(texts)}", flush=True)
        time.sleep(self.pause)
        return super().encode(texts)


class SlowSparse(HashedSparse):
    pause = 0.0

    def encode(self, texts: Sequence[str]) -> Any:
        print(f"encoding {len(texts)}", flush=True)
        time.sleep(self.pause)
        return super().encode(texts)


class SlowEncoders(HashedEncoders):
    def __init__(self, pause: float) -> None:
        super().__init__()
        self._dense, self._sparse = SlowDense(), SlowSparse()
        self._dense.pause = self._sparse.pause = pause


if __name__ == "__main__":
    where, pause, lease = sys.argv[1:]
    worker = Worker(Address.parse(where), SlowEncoders(float(pause)), lease_seconds=float(lease))
    work = worker.run()
    print(f"done {work.batches} {work.texts}", flush=True)
