"""A page, or any readable file, at a web address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urlsplit

from indexes.corpora.formats import HTML, LARGEST_FILE, format_of, oversized, parse
from indexes.corpora.html import read_html
from indexes.documents import Document, Entry, ReadFailure, document_id
from indexes.errors import ReadError, UsageError

if TYPE_CHECKING:
    import httpx

SCHEMES = ("http", "https")
TIMEOUT_SECONDS = 20.0  # to connect, and for each piece
MOST_REDIRECTS = 10
_AGENT = "knowledge-assistant (reads single pages for their user)"
_REMEDIES = {
    401: "the page asks for a login: save it from the browser and add the file",
    403: "the site refuses programs: save the page from the browser and add the file",
    404: "check the address",
    410: "the page is gone for good: remove it from the index",
    429: "the site asks to wait: try again later",
}


@dataclass(frozen=True, slots=True)
class _Fetched:
    data: bytes
    url: str  # after redirects
    media_type: str
    charset: str | None


class WebSource:
    """One web address; the page itself, not what it links to.

    Raises:
        UsageError: it is not a web address.
    """

    def __init__(self, url: str) -> None:
        self.url = urldefrag(url.strip()).url
        try:
            parts = urlsplit(self.url)
            valid = parts.scheme.lower() in SCHEMES and bool(parts.hostname)
        except ValueError:
            valid = False
        if not valid:
            raise UsageError(f"'{url}' is not a web address", remedy="for example https://a.org/b")

    @property
    def spec(self) -> str:
        return self.url

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """The page with the hash of its bytes; fetched once, parsed from the same bytes."""
        try:
            fetched = _fetch(self.url)
        except ReadError as error:
            yield ReadFailure(self.url, error.message, error.remedy)
            return
        fingerprint = hashlib.sha256(fetched.data).hexdigest()
        yield Entry(self.url, fingerprint, lambda: self._document(fetched, fingerprint))

    def _document(self, fetched: _Fetched, fingerprint: str) -> Document:
        name = _name(fetched.url)
        announced = format_of(name, fetched.media_type)
        unsaid = fetched.media_type in ("", "application/octet-stream", "binary/octet-stream")
        if announced is None and not unsaid and not fetched.media_type.startswith("text/"):
            raise ReadError(
                f"{self.url} is {fetched.media_type}, which cannot be read", remedy="leave it out"
            )
        if announced is HTML:
            announced = replace(HTML, read=lambda data, n: read_html(data, n, fetched.charset))
        parsed, form = parse(fetched.data, name, announced)
        return Document(
            id=document_id(self.url),
            uri=self.url,
            title=parsed.title or name,
            text=parsed.text,
            blocks=parsed.blocks,
            media_type=form.media_type,
            fingerprint=fingerprint,
        )


def _name(url: str) -> str:
    """The last part of the path, or the site's name."""
    parts = urlsplit(url)
    return unquote(PurePosixPath(parts.path).name) or parts.hostname or url


def _fetch(url: str) -> _Fetched:
    """The bytes at an address.

    Raises:
        ReadError: no answer, an answer that says no, or one that never ends.
    """
    import httpx

    try:
        with (
            httpx.Client(
                follow_redirects=True,
                timeout=TIMEOUT_SECONDS,
                max_redirects=MOST_REDIRECTS,
                headers={"User-Agent": _AGENT, "Accept": "text/html,application/pdf,*/*;q=0.5"},
            ) as client,
            client.stream("GET", url) as response,
        ):
            _check(response, url)
            data = bytearray()
            for piece in response.iter_bytes():
                data += piece
                if len(data) > LARGEST_FILE:
                    raise oversized(url, len(data))
            kind = response.headers.get("content-type", "")
            return _Fetched(
                bytes(data),
                str(response.url),
                kind.partition(";")[0].strip().lower(),
                response.charset_encoding,
            )
    except httpx.TooManyRedirects as error:
        raise ReadError(f"{url} redirects without end", remedy="check the address") from error
    except httpx.TimeoutException as error:
        raise ReadError(
            f"{url} did not answer within {TIMEOUT_SECONDS:.0f} s", remedy="try again later"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ReadError(
            f"{url} cannot be reached: {error or type(error).__name__}",
            remedy="check the address and the connection",
        ) from error


def _check(response: httpx.Response, url: str) -> None:
    if response.status_code != 200:
        remedy = _REMEDIES.get(response.status_code, "try again later")
        raise ReadError(
            f"{url} answers {response.status_code} {response.reason_phrase}".rstrip(),
            remedy=remedy,
        )
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_FILE:
        raise oversized(url, int(length))
