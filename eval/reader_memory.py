"""The most memory that a reader needs, measured in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from assistant.settings import Settings
from assistant.workspace import Workspace
from eval.answers import WHOLE_PASSAGE
from eval.distillation import answer_question
from eval.open_book import given
from eval.questions import Question
from eval.systems import make_system

_MEGABYTE = 1024  # the kernel counts in units of 1,024 bytes
_EVERY = 0.01  # seconds


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB of a process; NaN where the kernel does not tell.

    Attributes:
        peak: the most it ever had: interpreter, libraries, and the weights that the reader needs.
            Pages of weights that are mapped from a file count once they were read. No index.
        before: what it had when nothing of the reader was loaded yet: interpreter and libraries,
            which a process of the assistant has in any case.
    """

    peak: float
    before: float

    @property
    def reader(self) -> float:
        """What the reader adds."""
        return self.peak - self.before


def reader_memory(settings: Settings, system: str, questions: Sequence[Question]) -> Memory:
    """The memory of a new process that answers the questions, passages given.

    It is read from outside every hundredth of a second, so a shorter peak may be missed. The
    kernel's own mark (`VmHWM`) is not asked: on one machine, never explained, it was four times
    what the same process has elsewhere.

    Raises:
        UnknownNameError, ModelMissingError: as `make_system`.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        process = pool.submit(os.getpid).result()
        answering = pool.submit(_answer, settings, system, tuple(questions))
        seen = []
        while not answering.done():
            seen.append(_resident(process))
            wait([answering], timeout=_EVERY)
        before, after = answering.result()
    return Memory(max(before, after, *seen), before)


def _answer(settings: Settings, name: str, questions: tuple[Question, ...]) -> tuple[float, float]:
    """Resident memory before the reader is loaded, and after the last answer."""
    workspace = Workspace(settings)
    before = _resident(os.getpid())
    system = make_system(workspace, name)
    encoder = workspace.encoders.dense() if not system.reader.reads_everything else None
    for question in questions:
        answer_question(system, question, given(question), encoder, WHOLE_PASSAGE)
    return before, _resident(os.getpid())


def _resident(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    kilobytes = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return next((int(value) / _MEGABYTE for value in kilobytes), float("nan"))
