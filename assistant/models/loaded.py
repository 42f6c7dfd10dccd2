"""Language, span and tag models of a process, each loaded once and shared between threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from assistant.models.importing import LOADING
from assistant.models.shipped import (
    CONVERSATION,
    READER_SPAN,
    READER_WORDS,
    REWRITER,
    REWRITER_WRITES,
    SMALL_EMBEDDER,
    shipped,
)
from assistant.models.store import ModelStore
from assistant.settings import Settings
from indexes.encoders.dense import embedder_fingerprint

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.distillation.message_encoder import MessageEncoder
    from assistant.distillation.spans.model import SpanModel
    from assistant.distillation.tags.model import TagModel
    from assistant.models.answer_cache import AnswerCache

_SMALL_CONTEXT = 1024  # tokens: a question and a sentence, or a few messages, and what is written


class LoadedModels:
    """The local answerer, the small reader's two models, two rewriters, the encoder of messages.

    Args:
        cache: where whole answers of the answerer and of the rewriter that writes are kept by
            prompt; None asks anew every time.
    """

    def __init__(self, models: ModelStore, settings: Settings) -> None:
        self.cache: AnswerCache | None = None
        self._models = models
        self._settings = settings.models
        self._lock = threading.RLock()
        self._answerer: BaseChatModel | None = None
        self._span_model: SpanModel | None = None
        self._wording_model: BaseChatModel | None = None
        self._rewriting_model: BaseChatModel | None = None
        self._tag_model: TagModel | None = None
        self._message_encoder: MessageEncoder | None = None
        self._message_space = ""
        self._small_space = ""

    def answerer(self) -> BaseChatModel:
        """The language model that writes answers.

        Raises:
            ModelMissingError: its weights are not installed.
            ModelRuntimeError: the GGUF runtime is not installed.
        """
        from assistant.models.gguf import GGUFChat

        with self._lock:
            if self._answerer is None:
                self._answerer = GGUFChat(
                    model_path=str(self._models.path(self._settings.answerer)),
                    n_ctx=self._settings.context_tokens,
                    n_threads=self._settings.threads,
                    cache=self.cache,
                )
            return self._answerer

    def span_model(self) -> SpanModel:
        """What points at the words that answer.

        Raises:
            ModelMissingError, ModelCorruptError: its weights, or the embedder's that it builds on.
        """
        # The locks first: what is imported here imports transformers.
        with self._lock, LOADING:
            from assistant.distillation.spans.model import SpanModel

            if self._span_model is None:
                base = self._models.path("minilm")
                self._span_model = SpanModel.load(shipped(READER_SPAN), base=base)
            return self._span_model

    def tag_model(self) -> TagModel:
        """What says which words of a conversation belong to its last message.

        Raises:
            ModelMissingError, ModelCorruptError: its weights, or the embedder's that it builds on.
        """
        with self._lock, LOADING:
            from assistant.distillation.tags.model import TagModel

            if self._tag_model is None:
                base = self._models.path("minilm")
                self._tag_model = TagModel.load(shipped(REWRITER), base=base)
            return self._tag_model

    def message_space(self) -> str:
        """The fingerprint of the embedder beside which `message_encoder` puts messages.

        Raises:
            ModelMissingError: that embedder is not installed.
        """
        if not self._message_space:  # reading the weights takes a quarter of a second
            self._message_space = embedder_fingerprint(self._models.path("minilm"))
        return self._message_space

    def query_space(self, embedder: str) -> str:
        """The fingerprint of what encodes queries where `embedder` encoded the passages.

        Raises:
            ModelMissingError, ModelCorruptError: weights that the settings name are not there.
        """
        if self._settings.embedder != SMALL_EMBEDDER or self._settings.int8:
            return embedder
        if not self._small_space:
            with LOADING:  # it may have to be put together first
                self._small_space = embedder_fingerprint(self._models.path(SMALL_EMBEDDER))
        return self.message_space() if embedder == self._small_space else embedder

    def message_encoder(self) -> MessageEncoder:
        """What gives a message the vector of the question that it stands for.

        Raises:
            ModelMissingError, ModelCorruptError: its weights, or the embedder's that it builds on.
        """
        if self._message_encoder is not None:  # without waiting for others that are being loaded
            return self._message_encoder
        with self._lock, LOADING:
            from assistant.distillation.message_encoder import MessageEncoder

            if self._message_encoder is None:
                base = self._models.path("minilm")
                self._message_encoder = MessageEncoder.load(
                    shipped(CONVERSATION), base=base, space=self.message_space()
                )
            return self._message_encoder

    def wording_model(self) -> BaseChatModel:
        """The small language model with the adapter that words answers.

        Raises:
            ModelMissingError: its weights are not installed.
        """
        with self._lock:
            if self._wording_model is None:
                self._wording_model = self._small_model(READER_WORDS)
            return self._wording_model

    def rewriting_model(self) -> BaseChatModel:
        """The small language model with the adapter that rewrites messages.

        Raises:
            ModelMissingError: its weights are not installed.
        """
        with self._lock:
            if self._rewriting_model is None:
                self._rewriting_model = self._small_model(REWRITER_WRITES)
            return self._rewriting_model

    def _small_model(self, adapter: str) -> BaseChatModel:
        from assistant.models.gguf import GGUFChat

        return GGUFChat(
            model_path=str(self._models.path("smollm2-135m")),
            adapter_path=str(shipped(adapter) / "adapter.gguf"),
            n_ctx=_SMALL_CONTEXT,
            n_threads=self._settings.threads,
            cache=self.cache if adapter == REWRITER_WRITES else None,
        )
