"""Addresses that answer, but not as an endpoint does; on a real server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant.errors import ModelRuntimeError
from assistant.models.remote import remote_chat
from assistant.settings import ModelSettings


class _Server(ThreadingHTTPServer):
    status, media_type, body = 200, "text/html", b""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.media_type)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    made = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def _invoke(url: str) -> object:
    settings = ModelSettings.model_validate({"remote_url": url, "remote_model": "m"})
    return remote_chat(settings, max_retries=0).invoke("Hello")


def _stream(url: str) -> object:
    settings = ModelSettings.model_validate({"remote_url": url, "remote_model": "m"})
    return list(remote_chat(settings, max_retries=0).stream("Hello"))


@pytest.mark.parametrize("ask", [_invoke, _stream])
@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/html", b"<html>welcome</html>"),
        ("application/json", b"<html>"),
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("text/event-stream", b"data: {broken\n\n"),
        ("text/event-stream", b""),
    ],
)
def test_something_else_answers(
    server: _Server, ask: Callable[[str], object], media_type: str, body: bytes
) -> None:
    server.media_type, server.body = media_type, body
    with pytest.raises(ModelRuntimeError, match="does not answer as") as caught:
        ask(f"http://127.0.0.1:{server.server_port}/v1")
    assert "remote_url" in caught.value.remedy


@pytest.mark.parametrize("ask", [_invoke, _stream])
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "refused the request"),
        (401, "refused the key"),
        (403, "refused the key"),
        (404, "does not know"),
        (429, "more requests"),
        (500, "answered 500"),
    ],
)
def test_refusals(server: _Server, ask: Callable[[str], object], status: int, message: str) -> None:
    server.status, server.media_type = status, "application/json"
    server.body = b'{"error": {"message": "no"}}'
    with pytest.raises(ModelRuntimeError, match=message) as caught:
        ask(f"http://127.0.0.1:{server.server_port}/v1")
    assert caught.value.remedy


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "127.0.0.1:9/v1", "not an address"])
def test_nobody_answers(url: str) -> None:
    with pytest.raises(ModelRuntimeError, match="cannot be reached"):
        _invoke(url)
