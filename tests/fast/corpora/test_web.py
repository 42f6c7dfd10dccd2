"""Web pages, from a real server on this machine."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from indexes.corpora import open_source, web
from indexes.documents import Document, Entry, ReadFailure
from indexes.errors import ReadError
from tests.fast.corpora.helpers import check, pdf

PROSE = "The library opens at nine in the morning and closes at six in the evening. " * 4
PAGE = f"<html><head><title>Hours</title></head><body><main><h1>Hours</h1><p>{PROSE}</p></main>"

Answer = tuple[int, dict[str, str], bytes]


class Site:
    """What a server answers by path, and how often it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.address = ""

    def add(self, path: str, body: bytes, kind: str = "text/html", status: int = 200, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (status, {"Content-Type": kind, **named}, body)
        return self.address + path


@pytest.fixture
def site() -> Iterator[Site]:
    known = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            answer = known.answers.get(self.path, (404, {}, b"not here"))
            if callable(answer):
                answer(self)
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield known
    server.shutdown()
    server.server_close()


def document(url: str) -> Document:
    (entry,) = open_source(url).entries()
    assert isinstance(entry, Entry), entry
    loaded = entry.load()
    check(loaded)
    assert loaded.fingerprint == entry.fingerprint
    return loaded


def failure(url: str) -> ReadFailure:
    (item,) = open_source(url).entries()
    assert isinstance(item, ReadFailure), item
    return item


def test_a_page(site):
    url = site.add("/hours", PAGE.encode())
    found = document(f"{url}#top")
    assert (found.uri, found.title, found.media_type) == (url, "Hours", "text/html")
    assert found.text == f"Hours\n\n{PROSE.strip()}"
    assert site.asked == ["/hours"]  # once: hashed and parsed from the same bytes


@pytest.mark.parametrize(
    ("path", "kind", "body", "text", "media_type"),
    [
        ("/a", "application/pdf", pdf([["On paper."]]), "On paper.", "application/pdf"),
        ("/a.pdf", "application/octet-stream", pdf([["By name."]]), "By name.", "application/pdf"),
        ("/b", "text/html", pdf([["Called HTML."]]), "Called HTML.", "application/pdf"),
        (
            "/c.md",
            "text/plain; charset=utf-8",
            b"# Top\n\n*words*",
            "Top\n\nwords",
            "text/markdown",
        ),
        ("/d.csv", "text/csv", b"a,b\n1,2\n", "a: 1; b: 2", "text/csv"),
        ("/e", "application/json", b'{"a": 1}', "a: 1", "application/json"),
        ("/f", "text/plain", b"plain", "plain", "text/plain"),
        (
            "/g",
            "text/html; charset=iso-8859-2",
            "<p>Łódź</p>".encode("iso8859_2"),
            "Łódź",
            "text/html",
        ),
        ("/h", "", b"<html><p>untyped</p></html>", "untyped", "text/html"),
    ],
)
def test_the_reader_is_chosen_by_type_name_and_content(site, path, kind, body, text, media_type):
    found = document(site.add(path, body, kind))
    assert (found.text, found.media_type) == (text, media_type)


def test_redirects_and_compression(site):
    site.add("/new", gzip.compress(PAGE.encode()), Content_Encoding="gzip")
    url = site.add("/old", b"", status=301, Location="/new")
    found = document(url)
    assert (found.uri, found.title) == (url, "Hours")


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (404, "check the address"),
        (403, "save the page from the browser"),
        (401, "login"),
        (429, "try again later"),
        (500, "try again later"),
        (204, "try again later"),
    ],
)
def test_answers_that_say_no_come_with_a_remedy(site, status, remedy):
    url = site.add("/x", b"", status=status)
    found = failure(url)
    assert found.uri == url
    assert f"answers {status}" in found.reason
    assert remedy in found.remedy


def test_redirects_in_a_circle_end(site):
    url = site.add("/a", b"", status=302, Location="/b")
    site.add("/b", b"", status=302, Location="/a")
    assert "redirects without end" in failure(url).reason
    assert len(site.asked) <= web.MOST_REDIRECTS + 1


def test_a_page_that_never_ends_is_cut_off(site, monkeypatch):
    monkeypatch.setattr(web, "LARGEST_FILE", 100_000)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 10_000)
        except OSError:
            pass  # the reader has hung up, as it should

    site.answers["/endless"] = endless
    assert "the limit is" in failure(f"{site.address}/endless").reason
    url = site.add("/announced", b"", Content_Length="999999999")
    assert "1000 MB" in failure(url).reason


def test_a_bomb_in_a_compressed_page_is_cut_off(site, monkeypatch):
    monkeypatch.setattr(web, "LARGEST_FILE", 100_000)
    url = site.add("/bomb", gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    assert "the limit is" in failure(url).reason


def test_a_server_that_does_not_answer_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT_SECONDS", 0.2)
    done = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        done.wait(30)

    site.answers["/silent"] = silent
    assert "did not answer" in failure(f"{site.address}/silent").reason
    done.set()


def test_a_connection_that_breaks_is_a_failure(site):
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(b"only the beginning")

    site.answers["/broken"] = broken
    found = failure(f"{site.address}/broken")
    assert "cannot be reached" in found.reason
    assert "connection" in found.remedy


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://no-such-host.invalid/"])
def test_nobody_there(url):
    assert "cannot be reached" in failure(url).reason


def test_a_picture_is_refused_when_it_is_loaded(site):
    url = site.add("/a.png", b"\x89PNG\r\n\x1a\n", "image/png")
    (entry,) = open_source(url).entries()
    with pytest.raises(ReadError, match="is image/png, which cannot be read"):
        entry.load()


def test_a_page_that_a_script_fills_asks_to_save_it(site):
    url = site.add("/app", b"<html><body><div id='root'></div><script>run()</script></body></html>")
    (entry,) = open_source(url).entries()
    with pytest.raises(ReadError, match="save the page there"):
        entry.load()
