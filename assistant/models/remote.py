"""Any OpenAI-compatible endpoint as a chat model, with its errors in the project's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from langchain_core.language_models import BaseChatModel

from assistant.errors import ModelRuntimeError, UsageError
from assistant.settings import ModelSettings

_TIMEOUT = 120.0  # seconds; a small machine behind the endpoint may be slow
_CONNECT_TIMEOUT = 10.0


def remote_chat(settings: ModelSettings, **options: Any) -> BaseChatModel:
    """The endpoint of the settings, ready to be asked.

    Nothing leaves the machine unless `models.remote_url` is set.

    Raises:
        UsageError: address or model name is not set.
        ModelRuntimeError: the extra `remote` is not installed.
    """
    if not settings.remote_url or not settings.remote_model:
        raise UsageError(
            "the remote endpoint is not set",
            remedy="assistant settings models.remote_url=URL models.remote_model=NAME",
        )
    kind: Any = _chat_class()
    chat: BaseChatModel = kind(
        base_url=settings.remote_url,
        model=settings.remote_model,
        api_key=settings.remote_key or "none",
        stream_usage=True,
        **{"timeout": _timeout(), "max_retries": 1, **options},
    )
    return chat


def _timeout() -> Any:
    import httpx

    return httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT)


@cache
def _chat_class() -> type[BaseChatModel]:
    try:
        from langchain_openai import ChatOpenAI
    except ImportError as error:
        raise ModelRuntimeError(
            "remote endpoints need another package",
            remedy="pip install 'knowledge-assistant[remote]'",
        ) from error

    class RemoteChat(ChatOpenAI):
        """`ChatOpenAI` whose errors are the project's."""

        @classmethod
        def is_lc_serializable(cls) -> bool:
            return False  # made in a function, and it holds a key

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            with _translated(self.openai_api_base):
                return super()._generate(*args, **kwargs)

        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            empty = True
            with _translated(self.openai_api_base):
                for chunk in super()._stream(*args, **kwargs):
                    empty = False
                    yield chunk
            if empty:
                raise _not_an_endpoint(self.openai_api_base, "it sent nothing")

        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            with _translated(self.openai_api_base):
                return await super()._agenerate(*args, **kwargs)

        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            empty = True
            with _translated(self.openai_api_base):
                async for chunk in super()._astream(*args, **kwargs):
                    empty = False
                    yield chunk
            if empty:
                raise _not_an_endpoint(self.openai_api_base, "it sent nothing")

    return RemoteChat


@contextmanager
def _translated(address: str | None) -> Iterator[None]:
    import openai

    try:
        yield
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise ModelRuntimeError(
            f"the endpoint {address} refused the key", remedy="set models.remote_key"
        ) from error
    except openai.NotFoundError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} does not know the model or the path: {error.message}",
            remedy="check models.remote_model and models.remote_url (it often ends in /v1)",
        ) from error
    except openai.APITimeoutError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} did not answer in time", remedy="ask again"
        ) from error
    except openai.APIConnectionError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} cannot be reached",
            remedy="check models.remote_url (http://… or https://…), or remove it to answer here",
        ) from error
    except openai.RateLimitError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} refuses more requests for now: {error.message}",
            remedy="wait a while, or look at the account's limits",
        ) from error
    except openai.BadRequestError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} refused the request: {error.message}",
            remedy="lower answering.evidence_tokens if the prompt is too long for the model",
        ) from error
    except openai.APIStatusError as error:
        raise ModelRuntimeError(
            f"the endpoint {address} answered {error.status_code}: {error.message}",
            remedy="look into the endpoint's own log",
        ) from error
    except (openai.OpenAIError, ValueError, LookupError, AttributeError, TypeError) as error:
        # The bare ones are what the client runs into when a web page answers instead of the API.
        raise _not_an_endpoint(address, str(error)) from error


def _not_an_endpoint(address: str | None, why: str) -> ModelRuntimeError:
    return ModelRuntimeError(
        f"{address} does not answer as an OpenAI-compatible endpoint does: {why[:200]}",
        remedy="check models.remote_url (it often ends in /v1)",
    )
