"""The starter library answers what a new user is offered to ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.events import AnswerDone, PassagesFound
from assistant.pipeline import Assistant
from assistant.settings import load_settings
from assistant.starter import STARTER_INDEX, STARTER_QUESTIONS, STARTER_SOURCE
from assistant.workspace import Workspace
from indexes.corpora import open_source
from tests.conftest import MODELS, weights

pytestmark = pytest.mark.integration

EXPECTED = dict(
    zip(
        STARTER_QUESTIONS,
        [
            ("package:networkx#", "incoming links"),
            ("package:networkx#", "minimum sum of edge weights"),
            ("package:knowledge-assistant", "assistant index build"),
        ],
        strict=True,
    )
)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    weights("embedder"), weights("sparse")
    home = tmp_path_factory.mktemp("starter")
    Path(home / "models").symlink_to(MODELS, target_is_directory=True)
    opened = Workspace(load_settings({"answering.reader": "extractive"}, home=home, environ={}))
    result = opened.writer(STARTER_INDEX).build([open_source(STARTER_SOURCE)])
    assert result.changes.failures == []
    # Encoded in about a minute on two cores: more passages would make the first run longer.
    assert 500 <= result.manifest.passages <= 1300
    return Assistant(opened)


@pytest.mark.parametrize("question", STARTER_QUESTIONS)
def test_offered_question_is_answered(assistant: Assistant, question: str) -> None:
    events = list(assistant.ask(question))
    done = events[-1]
    assert isinstance(done, AnswerDone) and not done.abstained
    uri, words = EXPECTED[question]
    found = next(event for event in events if isinstance(event, PassagesFound))
    citations = [c for s in done.sentences for c in s.citations if words in c.quote]
    assert citations, done.text
    assert found.passages[citations[0].number - 1].uri.startswith(uri)
