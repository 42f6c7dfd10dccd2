"""Answers of language models kept on disk by their prompt, for evaluations that are run again.

Behind LangChain's cache interface: give it to a chat model as `cache`. The key is the whole prompt
together with the model's parameters, so a changed prompt, schema or model asks again. The file is
written as each answer comes, so a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from langchain_core.caches import RETURN_VAL_TYPE, BaseCache
from langchain_core.messages import message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration

from assistant.errors import StorageError


class AnswerCache(BaseCache):
    """One SQLite file. Safe to share between threads and processes.

    Attributes:
        hits, misses: look-ups since it was opened.
        saved: seconds that the answers found here took when they were written.

    Raises:
        StorageError: the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hits = self.misses = 0
        self.saved = 0.0
        self._asked: dict[str, float] = {}  # when each prompt that missed was asked
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path, timeout=30, check_same_thread=False, isolation_level=None
            )
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(key TEXT PRIMARY KEY, value TEXT NOT NULL, seconds REAL NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"the cache of model answers {path} cannot be opened: {error}",
                remedy="check the folder, or delete the file: it is only a cache",
            ) from error

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """The answer to this prompt by this model, or None."""
        key = _key(prompt, llm_string)
        with self._lock:
            row = self._run("SELECT value, seconds FROM answers WHERE key = ?", (key,))
            if row is None:
                self.misses += 1
                self._asked[key] = time.monotonic()
                return None
            self.hits += 1
            self.saved += row[1]
        try:
            (message,) = messages_from_dict([json.loads(row[0])])
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the cache of model answers {self.path} has an answer that cannot be read",
                remedy="delete the file: it is only a cache",
            ) from error
        return [ChatGeneration(message=message)]

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep an answer."""
        (generation,) = return_val
        assert isinstance(generation, ChatGeneration)
        value = json.dumps(message_to_dict(generation.message))
        key = _key(prompt, llm_string)
        with self._lock:
            asked = self._asked.pop(key, None)
            seconds = time.monotonic() - asked if asked is not None else 0.0
            self._run("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, value, seconds))

    def clear(self, **kwargs: Any) -> None:
        """Forget everything."""
        with self._lock:
            self._run("DELETE FROM answers", ())

    def close(self) -> None:
        self._database.close()

    def _run(self, statement: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise StorageError(
                f"the cache of model answers {self.path} cannot be read or written: {error}",
                remedy="free space, or delete the file: it is only a cache",
            ) from error
        return row


def _key(prompt: str, llm_string: str) -> str:
    return hashlib.sha256(f"{llm_string}\0{prompt}".encode()).hexdigest()
