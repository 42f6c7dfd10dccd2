"""Whole turns for tasks, without weights: hashed encoders and a reader that says what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.answering.readers import NotFound, Piece
from assistant.errors import KnowledgeAssistantError
from assistant.events import (
    AnswerDone,
    Citation,
    FoundPassage,
    PassagesFound,
    SentenceChecked,
    TurnFailed,
)
from assistant.pipeline import Assistant
from assistant.retrieving import history_of
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.collections import load_corpus
from eval.response_tasks import Exchange, ResponseTask
from eval.responses import (
    Response,
    evaluate_responses,
    groundedness,
    measure,
    private_workspace,
    response_of,
    store_history,
)
from eval.retrieval import index_collection
from tests.fast.assistant.helpers import KELP, OTTERS, passage
from tests.fast.indexes.sources import HashedDense, HashedEncoders

CORPUS = {
    "o": "Sea otters wrap themselves in kelp so as not to drift away while they sleep.",
    "k": "Kelp grows half a metre a day in cold water.",
    "b": "The boiler was serviced in October by Thermeo.",
}


class TellingReader:
    """Writes what it is told for a message; remembers what it was asked."""

    kind = "answerer"
    reads_everything = False

    def __init__(self, says: dict[str, str] | None = None) -> None:
        self.says, self.asked = says or {}, []

    def write(
        self, question, evidence, passages, about_person=(), facts=(), prepared=()
    ) -> Iterator[Piece]:
        self.asked.append((question, tuple(about_person)))
        text = next((t for key, t in self.says.items() if key in question), evidence.best[0].text)
        if text == "refuse":
            yield NotFound("told so")
        elif text == "break":
            raise RuntimeError("told so")
        else:
            yield text


def task(identity: str = "t1", text: str = "How fast does kelp grow?", **changes) -> ResponseTask:
    values = {
        "history": (),
        "answerability": "ANSWERABLE",
        "question_types": ("Factoid",),
        "multi_turn": (),
        "references": ("Kelp grows half a metre a day in cold water.",),
        "reference_passages": ("k",),
        **changes,
    }
    return ResponseTask(identity, text, **values)


@pytest.fixture
def personal(tmp_path: Path) -> Workspace:
    opened = Workspace(load_settings({"understanding.way": "rules"}, home=tmp_path, environ={}))
    opened.encoders = HashedEncoders()
    return opened


@pytest.fixture
def workspace(personal: Workspace, collection: Path) -> Iterator[Workspace]:
    with private_workspace(personal) as opened:
        index_collection(opened, load_corpus(collection), lambda progress: None)
        yield opened


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "collection"
    folder.mkdir()
    rows = [json.dumps({"_id": k, "title": "", "text": v}) for k, v in CORPUS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n")
    return folder


def respond(workspace: Workspace, reader: TellingReader, *tasks: ResponseTask, **options):
    (manifest,) = workspace.indexes()
    told = Assistant(workspace, make_reader=lambda opened: reader)
    return evaluate_responses(workspace, tasks, manifest.name, assistant=told, **options)


def test_a_right_answer(workspace: Workspace) -> None:
    reader = TellingReader({"kelp": f"{CORPUS['k']} [1]"})
    seen = []
    (found,) = respond(workspace, reader, task(), on_progress=seen.append)
    assert found.response.outcome == "answered"
    assert found.response.text == CORPUS["k"]  # as it is read, without marks
    assert found.response.cited == {"k"}
    assert found.values == pytest.approx(
        dict.fromkeys(("rouge_l", "similarity", "groundedness", "cited_recall", "found_recall"), 1)
    )
    assert [(p.stage, p.done, p.total) for p in seen] == [("respond", 1, 1)]


def test_an_invented_sentence_and_a_passage_not_cited(workspace: Workspace) -> None:
    reader = TellingReader({"kelp": f"{CORPUS['k']} [1] Napoleon rode a very tall white horse."})
    (found,) = respond(workspace, reader, task(reference_passages=("k", "absent")))
    assert found.values["groundedness"] == 0.5
    assert found.values["cited_recall"] == found.values["found_recall"] == 0.5
    # LCS 10 of 17 written and of 10 wanted words
    assert found.values["rouge_l"] == pytest.approx(20 / 27)


def test_canonical_history_is_what_the_turn_understands(workspace: Workspace) -> None:
    reader = TellingReader()
    history = (Exchange("What is kelp?", "Kelp is a seaweed of cold water."),)
    respond(workspace, reader, task(text="How fast does it grow?", history=history))
    ((question, _),) = reader.asked  # the earlier message was not asked again
    assert "kelp" in question.lower()


def test_own_history_asks_the_earlier_messages(workspace: Workspace) -> None:
    reader = TellingReader({"otters": CORPUS["o"]})
    history = (Exchange("How do sea otters sleep?", "CANONICAL REPLY"),)
    (found,) = respond(
        workspace, reader, task(text="And how fast does it grow?", history=history), history="own"
    )
    assert next(question for question, _ in reader.asked) == "How do sea otters sleep?"
    assert len(reader.asked) == 2
    (conversation,) = workspace.conversations.list()
    first, second = workspace.conversations.turns(conversation.id)
    assert CORPUS["o"] in first.answer and "CANONICAL" not in first.answer
    assert second.question == found.response.task.text


def test_abstention_and_small_talk(workspace: Workspace) -> None:
    reader = TellingReader({"boiler": "refuse"})
    refused, thanked = respond(
        workspace,
        reader,
        task("a", "Who serviced the boiler in May?", references=("I do not know.",)),
        task("b", "Thanks a lot!", history=(Exchange("Hi?", "Hi."),), reference_passages=()),
    )
    assert refused.response.outcome == "abstained"
    assert refused.response.text.startswith("This is not in your documents.")
    assert refused.values["groundedness"] is None
    assert refused.values["cited_recall"] == 0.0
    assert thanked.response.outcome == "replied"
    assert thanked.values["cited_recall"] is thanked.values["found_recall"] is None
    assert len(reader.asked) == 1


def test_a_failed_turn_counts_and_the_rest_goes_on(workspace: Workspace) -> None:
    reader = TellingReader({"boiler": "break"})
    failed, answered = respond(workspace, reader, task("a", "Why the boiler?"), task("b"))
    assert failed.response.outcome == "failed"
    assert "told so" in failed.response.error
    assert failed.values["rouge_l"] == failed.values["similarity"] == 0.0
    assert failed.values["groundedness"] is None
    assert answered.response.outcome == "answered"


def test_nothing_but_failures_is_an_error(workspace: Workspace) -> None:
    with pytest.raises(KnowledgeAssistantError, match=r"every turn failed.*told so"):
        respond(workspace, TellingReader({"kelp": "break"}), task())


def test_unknown_index_is_refused_before_anything_is_asked(workspace: Workspace) -> None:
    with pytest.raises(KnowledgeAssistantError):
        evaluate_responses(workspace, [task()], "no-such-index")
    assert workspace.conversations.list() == []


def test_the_person_is_left_out_of_it(personal: Workspace, collection: Path) -> None:
    personal.person.add("I live near cold water where kelp grows")
    personal.conversations.start("mine")
    reader = TellingReader()
    with private_workspace(personal) as opened:
        index_collection(opened, load_corpus(collection), lambda progress: None)
        respond(opened, reader, task(), task("c", "Remember that kelp grows slowly here."))
        assert len(opened.conversations.list()) == 2
        home = opened.settings.home
    assert reader.asked[0][1] == ()  # the statement was not told to the reader
    assert [c.title for c in personal.conversations.list()] == ["mine"]
    assert len(personal.person.statements()) == 1
    assert not home.exists()
    (manifest,) = personal.indexes()  # what was built is kept, and found again
    assert manifest.passages == len(CORPUS)


def test_stored_history_is_read_back_in_order(workspace: Workspace) -> None:
    exchanges = [Exchange(f"question {n}", f"answer {n}" if n != 1 else "") for n in range(4)]
    conversation = store_history(workspace.conversations, exchanges)
    messages = history_of(workspace.conversations.turns(conversation))
    expected = [text for e in exchanges for text in (e.message, e.reply) if text]
    assert [message.content for message in messages] == expected
    assert [m.role for m in messages[:3]] == ["user", "assistant", "user"]


def sentence(text: str, status: str, cites: str = "") -> SentenceChecked:
    citations = (Citation(1, cites, 0, 1, text, 1.0, True),) if cites else ()
    return SentenceChecked(0, text, status, 1.0, citations)


def response(*sentences: SentenceChecked, passages: tuple[FoundPassage, ...] = ()) -> Response:
    text = " ".join(s.text for s in sentences)
    return Response(task(), "answered", text, sentences, passages, "rules", False, "answerer", 0.1)


def test_groundedness_looks_at_all_retrieved_passages() -> None:
    """The check knows the sentences that were read; here it is every sentence that was found."""
    found = (passage(1, OTTERS), passage(2, KELP))
    unseen = sentence("Kelp grows half a metre a day.", "unsupported")
    wrong_year = sentence("It was first farmed in 1852 in Japan.", "unsupported")
    quoted = sentence("Sea otters sleep on their backs.", "supported", "p1")
    encoder = HashedDense()
    assert groundedness(response(unseen, passages=found), encoder) == 1.0
    assert groundedness(response(unseen, passages=found[:1]), encoder) == 0.0
    assert groundedness(response(quoted, unseen, wrong_year, passages=found), encoder) == (
        pytest.approx(2 / 3)
    )
    assert groundedness(response(quoted), encoder) == 1.0
    assert groundedness(response(), encoder) is None


def test_without_references_no_likeness() -> None:
    bare = Response(
        task(references=(), reference_passages=()), "answered", "x", (), (), "", False, "", 0.0
    )
    assert set(measure(bare, HashedDense()).values()) == {None}


def test_dropped_sentences_are_no_part_of_the_response() -> None:
    told = (sentence("Kelp grows.", "supported", "k"), sentence("Nonsense.", "dropped"))
    done = AnswerDone("Kelp grows. [1]", told, "answerer", False, False, "", ())
    found = response_of(task(), [done], 1.5)
    assert (found.text, len(found.sentences), found.seconds) == ("Kelp grows.", 1, 1.5)


def test_a_search_without_a_stage_is_no_evaluation() -> None:
    events = [
        PassagesFound((), ("lexical",), ("dense",), 0.1),
        TurnFailed("x", "y"),
    ]
    with pytest.raises(KnowledgeAssistantError, match="without every stage: dense"):
        response_of(task(), events, 0.0)
