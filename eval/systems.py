"""The systems that an evaluation of distillation compares, each a reader of the product.

    teacher         the answerer, asked for a phrase
    untrained       the student's language model as it was before training, asked like the teacher
    student         the small reader, answering with the words that its span model points at
    teacher-words   the answerer, asked for sentences with citations
    student-words   the small reader as a person meets it: sentences with citations
    extractive      the best sentences, quoted: no language model

Phrases are measured by EM and F1, sentences by their citations. Any name followed by `+knowledge`
is the same reader on passages found with the knowledge store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.answering.readers import ExtractiveReader, ModelReader, Reader
from assistant.answering.small_reader import SmallReader, SpanSource
from assistant.distillation.spans.asking import Asked, Span
from assistant.errors import UnknownNameError
from assistant.models.gguf import GGUFChat
from assistant.reading import small_reader
from assistant.workspace import Workspace

KNOWLEDGE = "+knowledge"
UNTRAINED_MODEL = "smollm2-135m"
SLOW = ("teacher", "teacher-words", "untrained")
"""A language model writes these answers: seconds each."""


class RememberedSpans:
    """A span source that keeps what it found last.

    So the scores of an answer can be asked for after it was written, at no cost and without a
    second measurement of time.
    """

    def __init__(self, source: SpanSource) -> None:
        self._source = source
        self._asked: list[Asked] = []
        self._options: tuple[int, int] = (0, 0)
        self._found: list[list[Span]] = []

    def find(
        self, asked: Sequence[Asked], *, n_best: int = 1, batch_tokens: int = 4096
    ) -> list[list[Span]]:
        """See `SpanSource`."""
        if list(asked) != self._asked or (n_best, batch_tokens) != self._options:
            self._found = self._source.find(asked, n_best=n_best, batch_tokens=batch_tokens)
            self._asked, self._options = list(asked), (n_best, batch_tokens)
        return self._found


@dataclass(frozen=True, slots=True)
class System:
    """A reader under the name it is compared by; `worded` says that it writes sentences."""

    name: str
    reader: Reader
    worded: bool


def system_names() -> tuple[str, ...]:
    """What `make_system` makes."""
    return tuple(_MAKERS)


def make_system(workspace: Workspace, name: str) -> System:
    """A system by its name; its models are loaded at the first answer at the latest.

    Raises:
        UnknownNameError: there is none of that name.
        ModelMissingError: its weights are not installed.
    """
    bare = name.removesuffix(KNOWLEDGE)
    if bare not in _MAKERS:
        raise UnknownNameError("reader", name, _MAKERS)
    return System(name, _MAKERS[bare](workspace), bare in ("teacher-words", "student-words"))


def _teacher(workspace: Workspace, *, short: bool) -> Reader:
    return ModelReader(
        workspace.answerer(),
        "answerer",
        max_tokens=workspace.settings.answering.max_tokens,
        short=short,
        logprobs=True,
    )


def _untrained(workspace: Workspace) -> Reader:
    models = workspace.settings.models
    model = GGUFChat(
        model_path=str(workspace.models.path(UNTRAINED_MODEL)),
        n_ctx=models.context_tokens,
        n_threads=models.threads,
    )
    return ModelReader(model, "answerer", max_tokens=64, short=True, logprobs=True)


def _student(workspace: Workspace, *, short: bool) -> SmallReader:
    return small_reader(workspace, short=short, through=RememberedSpans)


_MAKERS: dict[str, Callable[[Workspace], Reader]] = {
    "teacher": lambda workspace: _teacher(workspace, short=True),
    "untrained": _untrained,
    "student": lambda workspace: _student(workspace, short=True),
    "teacher-words": lambda workspace: _teacher(workspace, short=False),
    "student-words": lambda workspace: _student(workspace, short=False),
    "extractive": lambda workspace: ExtractiveReader(workspace.settings.answering.sentences),
}
