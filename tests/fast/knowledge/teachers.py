"""A teacher that writes what a test gives it for a passage, and an index to teach about."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from assistant.knowledge.building import BuildOptions, BuildReport, KnowledgeBuilder
from assistant.knowledge.following import KnowledgeCompanion, publish_entries
from assistant.knowledge.teacher import Teacher
from indexes.build import IndexWriter
from indexes.index import Index
from tests.fast.indexes.sources import HashedEncoders, MemorySource

TEXTS: dict[str, str | None] = {
    "lease": "The lease of the flat in Mill Lane ends on 31 March 2027 and renews every year.",
    "boiler": "The boiler in the cellar was installed by Thermo Brothers in 2019 and needs oil.",
    "garden": "The garden of the house has three apple trees, which Aunt Rose planted in 1988.",
}

Write = Callable[[str, int], Any]


class WritingTeacher(BaseChatModel):
    """Writes `write(prompt, how often this prompt was asked)`: a value as JSON, a text as it is;
    an exception is raised."""

    logprob: float = -0.1
    finish: str = "stop"
    _write: Write = PrivateAttr()
    _asked: dict[str, int] = PrivateAttr(default_factory=dict)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def __init__(self, write: Write, **values: Any) -> None:
        super().__init__(**values)
        self._write = write

    @property
    def calls(self) -> int:
        return sum(self._asked.values())

    @property
    def _llm_type(self) -> str:
        return "writing"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        prompt = str(messages[-1].content)
        with self._lock:
            times = self._asked.get(prompt, 0)
            self._asked[prompt] = times + 1
        value = self._write(prompt, times)
        if isinstance(value, BaseException):
            raise value
        text = value if isinstance(value, str) else json.dumps(value)
        told = [{"token": c, "bytes": list(c.encode()), "logprob": self.logprob} for c in text]
        message = AIMessage(
            text,
            response_metadata={"logprobs": {"content": told}, "finish_reason": self.finish},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def pair(question: str, answer: str) -> dict[str, str]:
    return {"question": question, "answer": answer}


def about(prompt: str, _: int = 0) -> dict[str, Any]:
    """Something true about each of `TEXTS`, as a good teacher writes it."""
    for name, (question, answer, statement) in GOOD.items():
        if name in prompt:
            return {"pairs": [pair(question, answer)], "statements": [statement]}
    raise AssertionError(prompt)


GOOD = {
    "lease": (
        "When does the lease of the flat in Mill Lane end?",
        "31 March 2027",
        "The lease of the flat in Mill Lane renews every year.",
    ),
    "boiler": (
        "Who installed the boiler in the cellar?",
        "Thermo Brothers",
        "The boiler in the cellar needs oil.",
    ),
    "garden": (
        "How many apple trees has the garden of the house?",
        "three",
        "Aunt Rose planted three apple trees in 1988.",
    ),
}


class Taught:
    """A small index in `folder` with what fills its store."""

    def __init__(self, folder: Path, texts: dict[str, str | None] | None = None) -> None:
        self.folder, self.encoders = folder, HashedEncoders()
        self.source = MemorySource(dict(TEXTS if texts is None else texts))
        self.companion = KnowledgeCompanion(self.encoders, lambda progress: None)
        self.writer.build([self.source])

    @property
    def writer(self) -> IndexWriter:
        return IndexWriter(self.folder, self.encoders, companions=[self.companion])

    @property
    def index(self) -> Index:
        return Index.open(self.folder, self.encoders)

    def build(
        self, model: BaseChatModel, *, name: str = "toy", publish: bool = True, **options: Any
    ) -> BuildReport:
        """Let a model write; options are those of `BuildOptions`."""
        teacher = Teacher(model, name, questions=1, statements=1)
        wanted = BuildOptions(**{"samples": 1, "slots": 2, **options})
        index = self.index
        builder = KnowledgeBuilder(self.folder, index.store, teacher, self.encoders.dense(), wanted)
        todo, _ = builder.pending()
        builder.report.left = len(todo)
        try:
            return builder.run(iter(todo))
        finally:
            if publish:
                publish_entries(self.folder, self.encoders)
