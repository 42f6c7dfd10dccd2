"""Documentation of the Python packages that are installed beside the assistant.

Every installation has it, and it is real text: what a package says about itself, and the
docstrings of its modules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

from indexes.corpora.blocks import DocumentBuilder
from indexes.corpora.descriptions import add_description, media_type_of, raw_metadata
from indexes.corpora.docstrings import add_docstrings, has_docstrings
from indexes.corpora.starter import STARTER_WORDS, is_starter_module
from indexes.documents import Document, Entry, ReadFailure, content_hash, document_id
from indexes.errors import UnknownNameError

SCHEME = "packages"
STARTER = "starter"
OWN = "knowledge-assistant"
_NOT_PUBLIC = re.compile(
    r"_|(?:tests?|testing|conftest|vendor(?:ed)?|extern(?:als?)?|benchmarks?|examples?|docs|bin|"
    r"migrations)$|test_|.*_tests?$"
)


class PackageSource:
    """Descriptions and docstrings of installed packages.

    Args:
        names: "" for all packages (descriptions, and the docstrings of top-level modules);
            "starter" for the library of a fresh installation; else names with commas between
            (descriptions, and the docstrings of every public module).

    Raises:
        UnknownNameError: a package is not installed here.
    """

    def __init__(self, names: str = "") -> None:
        wanted = list(dict.fromkeys(_canonical(name) for name in names.split(",") if name.strip()))
        self._starter = wanted == [STARTER]
        self._wanted = [] if self._starter else wanted
        installed = _distributions()
        for name in self._wanted:
            if name not in installed:
                raise UnknownNameError("package", name, installed)

    @property
    def spec(self) -> str:
        names = STARTER if self._starter else ",".join(self._wanted)
        return f"{SCHEME}:{names}" if names else SCHEME

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """The assistant's own description first, then package by package."""
        installed = _distributions()
        names = self._wanted or sorted(installed, key=lambda name: (name != OWN, name))
        for name in names:
            if name not in installed:  # uninstalled since
                continue
            distribution = installed[name]
            shortened = self._starter and name != OWN  # our own handbook is read whole
            yield _description(name, distribution, STARTER_WORDS if shortened else None)
            for module, path in _modules(distribution):
                if self._wants(name, module):
                    yield from _docstrings(name, module, path)

    def _wants(self, name: str, module: str) -> bool:
        if self._starter:
            return is_starter_module(module)
        return bool(self._wanted) or (module.count(".") <= 1 and name != OWN)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _distributions() -> dict[str, metadata.Distribution]:
    """Installed distributions by canonical name; of doubles the one that is imported.

    An `egg-info` folder in the working directory may be left over from an older installation, so
    a `dist-info` folder is believed rather.
    """
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if not name:
            continue
        other = found.get(_canonical(name))
        if other is None or (_is_leftover(other) and not _is_leftover(distribution)):
            found[_canonical(name)] = distribution
    return found


def _is_leftover(distribution: metadata.Distribution) -> bool:
    return str(getattr(distribution, "_path", "")).endswith(".egg-info")


def _description(name: str, distribution: metadata.Distribution, most_words: int | None) -> Entry:
    uri = f"package:{name}"
    about = raw_metadata(distribution)
    fingerprint = content_hash(f"{name}\n{distribution.version}\n{most_words}\n{about}")

    def load() -> Document:
        builder = DocumentBuilder(name)
        add_description(builder, distribution, most_words)
        return _document(builder, uri, media_type_of(distribution), fingerprint)

    return Entry(uri, fingerprint, load)


def _docstrings(name: str, module: str, path: Path) -> Iterator[Entry | ReadFailure]:
    """The entry of a module; nothing where it documents nothing."""
    uri = f"package:{name}#{module}"
    try:
        source = path.read_bytes()
        found = has_docstrings(source)
    except OSError as error:
        yield ReadFailure(uri, f"cannot open {path}: {error.strerror}", "reinstall the package")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield ReadFailure(uri, f"{path} is not Python: {error}", "reinstall the package")
    else:
        if found:
            fingerprint = content_hash(f"{name} {module} {hashlib.sha256(source).hexdigest()}")
            load = partial(_load_module, uri, module, source, fingerprint)
            yield Entry(uri, fingerprint, load)


def _load_module(uri: str, module: str, source: bytes, fingerprint: str) -> Document:
    builder = DocumentBuilder(module)
    add_docstrings(builder, source, module)
    return _document(builder, uri, "text/x-python", fingerprint)


def _document(builder: DocumentBuilder, uri: str, kind: str, fingerprint: str) -> Document:
    parsed = builder.parsed()
    return Document(
        document_id(uri), uri, parsed.title, parsed.text, parsed.blocks, kind, fingerprint
    )


def _modules(distribution: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of the public modules, by file."""
    for file in sorted(distribution.files or [], key=str):
        if file.suffix == ".py" and _is_public(file.with_suffix("").parts):
            parts = file.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if module:
                yield module, Path(str(file.locate()))


def _is_public(parts: Sequence[str]) -> bool:
    return all(
        part == "__init__" or (part.isidentifier() and not _NOT_PUBLIC.match(part))
        for part in parts
    )
