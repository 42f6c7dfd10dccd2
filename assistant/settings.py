"""One typed settings object: defaults < TOML file < environment < flags.

The file is `config.toml` in the home folder. Environment variables are `ASSISTANT_HOME` and
`ASSISTANT_SECTION__KEY` (two underscores). An unknown key anywhere is an error that names the
nearest known one: a setting that is silently ignored is worse than one that is refused.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.answering.dial import Reliance
from assistant.answering.forms import AnswerLanguage, KnowledgeForm, Length
from assistant.errors import StorageError, UnknownNameError, UsageError

ENV_PREFIX = "ASSISTANT_"
HOME_VARIABLE, PERSON_VARIABLE = f"{ENV_PREFIX}HOME", f"{ENV_PREFIX}PERSON"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(Section):
    """Which weights play which role, and how they run."""

    embedder: str = Field(
        "minilm", description="catalogue name or folder of the dense encoder; minilm-3 is faster"
    )
    sparse: str = Field("splade-tiny", description="catalogue name or folder of the sparse encoder")
    parser: str = Field("en-core-web-sm", description="spaCy model for noun phrases")
    answerer: str = Field("qwen2.5-1.5b", description="catalogue name or GGUF file of the reader")
    threads: int = Field(
        0, ge=0, le=256, description="CPU threads; 0 = OMP_NUM_THREADS, or all cores"
    )
    backend: Literal["torch", "onnx", "openvino"] = Field(
        "torch", description="what runs the embedder; the others are extras to install"
    )
    int8: bool = Field(
        False, description="embedder in 8 bits: faster, other vectors, indexes are encoded again"
    )
    context_tokens: int = Field(4096, ge=512, le=131072, description="context of the answerer")
    remote_url: str = Field("", description="OpenAI-compatible endpoint used as answerer")
    remote_model: str = Field("", description="model name at the remote endpoint")
    remote_key: str = Field("", description="key of the remote endpoint", repr=False)


class RetrievalSettings(Section):
    """How passages are found."""

    index: str = Field("starter", description="the index that is asked by default")
    depth: int = Field(100, ge=1, le=10_000, description="candidates taken from each retriever")
    passages: int = Field(10, ge=1, le=100, description="passages handed to the answer stage")
    lexical_weight: float = Field(0.40, ge=0, le=1, description="share of BM25 in the fusion")
    dense_weight: float = Field(0.35, ge=0, le=1, description="share of the embedder")
    sparse_weight: float = Field(0.25, ge=0, le=1, description="share of the sparse encoder")
    fold: bool = Field(True, description="near-duplicates are listed under the best of them")
    diversity: float = Field(
        0.0, ge=0, le=1, description="how much passages shall differ from those before them"
    )
    reranker: str = Field(
        "off", description="off, distilled, late-interaction, or the folder of a cross-encoder"
    )
    rerank_depth: int = Field(20, ge=1, le=1000, description="passages that are reranked")
    rerank_weight: float = Field(0.3, ge=0, le=1, description="share of the reranker's score")

    @property
    def weights(self) -> dict[str, float]:
        """The fusion's weights by stage."""
        return {
            "lexical": self.lexical_weight,
            "dense": self.dense_weight,
            "sparse": self.sparse_weight,
        }


class UnderstandingSettings(Section):
    """How a message is understood in its conversation, and what is known of the person is used.

    Defaults are measured: docs/ikat.md has the tables.
    """

    way: Literal["auto", "rules", "distilled", "small", "model"] = Field(
        "auto",
        description="auto = the language model where one answers, else rules; rules take "
        "milliseconds, the distilled tagger of words a tenth of a second, the small language model "
        "half a second",
    )
    vector: Literal["conversation", "text"] = Field(
        "conversation",
        description="vector of a follow-up where no language model understands it: conversation = "
        "of the message with what was said before, by a small encoder; text = of its words, "
        "leaning on the last answer",
    )
    followup_dense_weight: float = Field(
        0.70, ge=0, le=1, description="share of the embedder in the fusion of follow-up questions"
    )
    hide_shown: bool = Field(
        True, description="passages that were already shown whole are not offered again"
    )
    clarify: bool = Field(True, description="ask back where a question points at nothing known")
    statement_threshold: float = Field(
        0.30, ge=0, le=1, description="similarity from which a statement about you matters"
    )
    statements: int = Field(3, ge=0, le=10, description="most statements about you used at once")
    statements_in_query: float = Field(
        0.0, ge=0, le=1, description="weight of the chosen statements as a query of their own"
    )
    statements_in_ranking: float = Field(
        0.0, ge=0, le=1, description="weight of the passages' nearness to the chosen statements"
    )
    statements_in_answer: bool = Field(True, description="the reader is told the chosen statements")


class KnowledgeSettings(Section):
    """What a teacher prepared for an index: questions with answers, and statements."""

    use: Literal["auto", "off"] = Field(
        "auto", description="auto = search prepared questions where an index has some"
    )
    weight: float = Field(
        0.25,
        ge=0,
        le=1,
        description="weight of prepared questions, times the share of passages that have some",
    )


class ThoughtsSettings(Section):
    """How the graph of thoughts is built and how hard it is thought."""

    graph: Literal["auto", "off", "rules", "model"] = Field(
        "auto",
        description="graph of an index, made with it; auto = rules if the parser is installed",
    )
    effort: Literal["auto", "off", "quick", "normal", "deep"] = Field(
        "auto",
        description="auto = quick; quick calls no model while thinking, normal calls one at most "
        "3 times and deep 10 times, the answer included",
    )
    rounds: int = Field(2, ge=0, le=5, description="further searches for what is missing, at most")
    seconds: float = Field(
        0.0, ge=0, le=3_600, description="longest thinking for one question; 0 = by effort"
    )


class AnsweringSettings(Section):
    """How an answer is written and checked."""

    reader: Literal["auto", "answerer", "small", "remote", "extractive"] = Field(
        "auto",
        description="auto = remote if set, else the answerer if installed, else small if its "
        "weights are installed, else extractive",
    )
    small_threshold: float | None = Field(
        None,
        description="score (a logit) from which the small reader takes words for an answer; "
        "unset = the one chosen on its held-out questions",
    )
    unsupported: Literal["mark", "drop"] = Field(
        "mark", description="what happens to sentences that no passage supports"
    )
    evidence_tokens: int = Field(
        280, ge=64, le=8192, description="budget of the passages' sentences in the prompt"
    )
    max_tokens: int = Field(220, ge=16, le=4096, description="longest answer")
    length: Length = Field(
        "normal", description="of a model's answer: one sentence, one to four, or five to eight"
    )
    language: AnswerLanguage = Field(
        "auto",
        description="of a model's answer: auto = that of the documents, else an ISO 639-1 code; "
        "checked sentences are translated one by one",
    )
    sentences: int = Field(3, ge=1, le=10, description="sentences quoted by the extractive reader")
    knowledge_form: KnowledgeForm = Field(
        "both", description="given to the model: passages, triples (facts read in them) or both"
    )
    reliance: Reliance = Field(
        "off",
        description="off, or how far a local model leans on itself: 0 (documents) to 1, or auto; "
        "two passes a word",
    )
    prepared: bool = Field(
        False, description="the model is also given what a model prepared from the passages"
    )


class AppSettings(Section):
    """The web page."""

    port: int = Field(8501, ge=1, le=65535, description="port of the page")
    host: str = Field("127.0.0.1", description="address to listen on; keep it local")


class Settings(Section):
    """Everything a person can set."""

    home: Path = Field(description="folder of indexes, conversations and weights")
    models: ModelSettings = ModelSettings()  # type: ignore[call-arg]
    understanding: UnderstandingSettings = UnderstandingSettings()  # type: ignore[call-arg]
    retrieval: RetrievalSettings = RetrievalSettings()  # type: ignore[call-arg]
    knowledge: KnowledgeSettings = KnowledgeSettings()  # type: ignore[call-arg]
    thoughts: ThoughtsSettings = ThoughtsSettings()  # type: ignore[call-arg]
    answering: AnsweringSettings = AnsweringSettings()  # type: ignore[call-arg]
    app: AppSettings = AppSettings()  # type: ignore[call-arg]
    person_folder: Path | None = Field(
        None, description="folder of one person's conversations and statements; None: the home"
    )

    @property
    def config_file(self) -> Path:
        return self.home / "config.toml"

    @property
    def indexes_folder(self) -> Path:
        return self.home / "indexes"

    @property
    def models_folder(self) -> Path:
        return self.home / "models"

    @property
    def jobs_folder(self) -> Path:
        return self.home / "jobs"

    @property
    def own_folder(self) -> Path:
        """Where what belongs to the person is kept."""
        return self.person_folder or self.home

    @property
    def database(self) -> Path:
        return self.own_folder / "conversations.sqlite"

    @property
    def attached_folder(self) -> Path:
        return self.own_folder / "attached"

    @property
    def memory_file(self) -> Path:
        return self.own_folder / "memory.sqlite"


def default_home() -> Path:
    """`ASSISTANT_HOME`, else the user's data directory."""
    configured = os.environ.get(HOME_VARIABLE)
    if configured:
        return Path(configured).expanduser().absolute()
    return Path(platformdirs.user_data_dir("knowledge-assistant"))


def known_keys() -> dict[str, type[Section]]:
    """Dotted names of every setting, e.g. `retrieval.depth`."""
    found: dict[str, type[Section]] = {}
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Section):
            found.update({f"{name}.{key}": section for key in section.model_fields})
    return found


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    *,
    home: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings from all four places.

    Args:
        overrides: flags, by dotted name (`{"retrieval.depth": 50}`); None values are ignored.
        home: the home folder, where it is not the default one.
        environ: stands in for `os.environ` in tests.

    Raises:
        UnknownNameError: a key that does not exist, with the nearest one.
        UsageError: a value out of range, or a file that is not TOML.
    """
    environment = os.environ if environ is None else environ
    folder = home or default_home()
    values: dict[str, Any] = {}
    for key, value, origin in _layers(folder, environment, overrides or {}):
        if key == "home":
            raise UsageError(
                f"the home folder cannot be a setting ({origin})",
                remedy="use --home FOLDER or the environment variable ASSISTANT_HOME",
            )
        if key not in known_keys():
            raise UnknownNameError("setting", key, known_keys(), remedy=f"({origin})")
        _put(values, key, value)
    values["home"] = folder
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting '{name}': {first['msg']}", remedy="see `assistant settings`"
        ) from error


def save_settings(home: Path, changes: Mapping[str, Any]) -> Settings:
    """Merge `changes` (dotted names) into the settings file and return what is then in force.

    The file is replaced in one step, so a reader or a crash never sees half of it.

    Raises:
        UnknownNameError, UsageError: as `load_settings`; nothing is written then.
        StorageError: the file cannot be written.
    """
    stored: dict[str, Any] = dict(_flatten(_read_toml(home / "config.toml")))
    for key, value in changes.items():
        if value is None:
            stored.pop(key, None)
        else:
            stored[key] = value
    load_settings(changes, home=home, environ={})  # refuse before writing
    text = _to_toml(stored)
    target = home / "config.toml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".toml.partial")
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o600)  # the file may hold the key of a remote endpoint
        partial.replace(target)
    except OSError as error:
        raise StorageError(
            f"cannot write {target}: {error.strerror}", remedy="free space or check the permissions"
        ) from error
    return load_settings(home=home)


def _layers(
    folder: Path, environ: Mapping[str, str], overrides: Mapping[str, Any]
) -> Iterator[tuple[str, Any, str]]:
    """Every setting that somebody made, weakest first, with where it was made."""
    file = folder / "config.toml"
    for key, value in _flatten(_read_toml(file)):
        yield key, value, f"in {file}"
    for variable, text in environ.items():
        # Where the settings are, and who asks, are no settings.
        if variable.startswith(ENV_PREFIX) and variable not in (HOME_VARIABLE, PERSON_VARIABLE):
            key = variable.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            yield key, text, f"in the environment: {variable}"
    for key, value in overrides.items():
        if value is not None:
            yield key, value, "on the command line"


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", remedy="mend or delete it"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from error


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, key = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[key] = value


def _to_toml(flat: Mapping[str, Any]) -> str:
    """The few value types that settings have; a library for this would be one more dependency."""
    lines = ["# Settings of Knowledge Assistant; see `assistant settings` for all of them.", ""]
    lines += [f"{key} = {_toml_value(value)}" for key, value in sorted(flat.items())]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    # JSON's escapes are TOML's, but for DEL, which JSON may leave as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
