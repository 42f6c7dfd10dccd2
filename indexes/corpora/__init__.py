"""Sources of documents, by their spec.

FOLDER or FILE            text, Markdown, HTML, PDF, Word, CSV, JSON
https://…                 one web page or file
beir:FOLDER               a collection in BEIR's layout (corpus.jsonl)
trec:FILE                 passages as JSON lines, as in TREC and ClueWeb; .gz too
packages                  documentation of the Python packages in this environment
packages:NAME,NAME        …of these packages, down to every public module
packages:starter          …a choice of it that is indexed within a minute
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from indexes.corpora.beir import BeirSource
from indexes.corpora.files import FileSource
from indexes.corpora.packages import PackageSource
from indexes.corpora.trec import TrecSource
from indexes.corpora.web import WebSource
from indexes.documents import Source
from indexes.errors import UnknownNameError, UsageError

__all__ = ["BeirSource", "FileSource", "PackageSource", "TrecSource", "WebSource", "open_source"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.S)  # two letters: "C:" is a drive
_OPENERS: dict[str, Callable[[str], Source]] = {
    "beir": BeirSource,
    "trec": TrecSource,
    "packages": PackageSource,
}
_WEB = ("http", "https")


def open_source(spec: str) -> Source:
    """The source that a spec names; nothing is read yet.

    A folder that is called like a scheme is given as `./packages`; a file whose name merely looks
    like a spec ("note: today.txt") is opened where it exists.

    Raises:
        UnknownNameError: there is no such scheme.
        UsageError: the folder, file or package does not exist.
    """
    spec = spec.strip()
    if not spec or "\x00" in spec:
        raise UsageError("no source given", remedy="give a folder, a file or a web address")
    if spec == "packages":
        return PackageSource("")
    found = _SCHEME.fullmatch(spec)
    if found is None:
        return FileSource(spec)
    scheme, rest = found[1].lower(), found[2]
    if scheme in _WEB:
        return WebSource(spec)
    if _exists(spec):
        return FileSource(spec)
    if scheme not in _OPENERS:
        known = [f"{name}:" for name in (*_OPENERS, *_WEB)]
        raise UnknownNameError(
            "source", f"{scheme}:", known, remedy="a folder or file is given by its path alone"
        )
    if not rest.strip() and scheme != "packages":
        raise UsageError(f"'{spec}' names no file", remedy=f"for example {scheme}:/path/to/it")
    return _OPENERS[scheme](rest.strip())


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # too long for a path, or no right to look
        return False
