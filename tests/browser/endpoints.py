"""Endpoints on this machine: one writes about the small folder's documents, as a teacher does, one
writes slowly, so that there is time to stop it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SAYS: dict[str, dict[str, Any]] = {
    "Agnes Thorvald": {
        "pairs": [{"question": "Who lit the Kerring lamp in 1974?", "answer": "Agnes Thorvald"}],
        "statements": ["Agnes Thorvald was the last keeper of the Kerring lighthouse."],
    },
    "purple sea urchin": {
        "pairs": [{"question": "What do sea otters like to eat?", "answer": "purple sea urchin"}],
        "statements": ["Sea otters open the purple sea urchin with a flat stone."],
    },
}


SLOWLY = "The tower of the lighthouse is forty-one metres high [1]. "
_PAUSE = 0.1  # seconds between two words


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "toy",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text in self.words(asked):
            self.wfile.write(_chunk({"role": "assistant", "content": text}))
        self.wfile.write(_chunk({}, "stop"))
        self.wfile.write(b"data: [DONE]\n\n")

    def words(self, asked: str) -> Iterator[str]:
        raise NotImplementedError

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


class _Teacher(_Handler):
    def words(self, asked: str) -> Iterator[str]:
        # The prompt's own examples come first; the passage is the last thing in it.
        says = [value for word, value in SAYS.items() if word in asked]
        yield json.dumps(says[-1] if says else {"pairs": [], "statements": []})


class _Slow(_Handler):
    def words(self, asked: str) -> Iterator[str]:
        for word in (SLOWLY * 60).split(" "):
            time.sleep(_PAUSE)
            yield f"{word} "


def teacher_endpoint() -> AbstractContextManager[str]:
    """The address of the teacher while it is there."""
    return _endpoint(_Teacher)


def slow_endpoint() -> AbstractContextManager[str]:
    """The address of one that takes a minute to say what it says."""
    return _endpoint(_Slow)


@contextmanager
def _endpoint(handler: type[_Handler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
