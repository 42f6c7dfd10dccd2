"""Files of one conversation: found in it, nowhere else, and gone with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.attachments import MAX_BYTES, MAX_FILES
from assistant.errors import UnknownNameError, UsageError
from assistant.events import AnswerDone, PassagesFound, TurnFailed
from assistant.fusing import together
from assistant.pipeline import Assistant
from assistant.workspace import Workspace
from indexes.documents import Passage
from indexes.index import DEFAULT_WEIGHTS, Hit, SearchResult, StagePlace
from tests.fast.assistant.helpers import KELP, OTTERS, hashed_workspace

RENT = ("rent.md", b"# Flat\n\nThe rent of the flat in Lyon is 870 euros a month.\n")
QUESTION = "How much is the rent of the flat in Lyon?"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return hashed_workspace(tmp_path, {"o": OTTERS, "k": KELP})


def answer(workspace: Workspace, question: str, conversation: str | None) -> AnswerDone:
    (*_, done) = Assistant(workspace).ask(question, conversation)
    assert isinstance(done, AnswerDone)
    return done


def test_an_attached_file_is_found_and_cited_in_its_conversation_alone(
    workspace: Workspace,
) -> None:
    conversation = workspace.conversations.start()
    (file,) = workspace.attachments.add(conversation, [RENT])
    assert (file.name, file.passages) == ("rent.md", 1)
    done = answer(workspace, QUESTION, conversation)
    assert "870 euros" in done.text
    (turn,) = workspace.conversations.turns(conversation)
    (found, *_) = [event for event in turn.events if isinstance(event, PassagesFound)]
    assert [p.title for p in found.passages if p.attached] == ["Flat"]
    assert any(not p.attached for p in found.passages)
    assert answer(workspace, QUESTION, None).abstained
    assert "backs" in answer(workspace, "How do sea otters sleep?", conversation).text
    assert [manifest.name for manifest in workspace.indexes()] == ["notes"]


def test_it_goes_with_its_conversation(workspace: Workspace) -> None:
    conversation, other = workspace.conversations.start(), workspace.conversations.start()
    for one in (conversation, other):
        workspace.attachments.add(one, [RENT])
    workspace.conversations.delete(conversation)
    folder = workspace.settings.attached_folder
    assert [path.name for path in folder.iterdir()] == [other]
    assert workspace.attachments.list(conversation) == []


def test_one_file_is_removed_and_the_others_stay(workspace: Workspace) -> None:
    conversation = workspace.conversations.start()
    kept = workspace.attachments
    kept.add(conversation, [RENT, ("tea.txt", b"Tea is drunk at five in the hall.")])
    kept.remove(conversation, "rent.md")
    assert [file.name for file in kept.list(conversation)] == ["tea.txt"]
    root = workspace.settings.attached_folder
    assert not any(b"870 euros" in f.read_bytes() for f in root.rglob("*") if f.is_file())
    with pytest.raises(UnknownNameError):
        kept.remove(conversation, "rent.md")
    kept.remove(conversation, "tea.txt")
    assert kept.index(conversation) is None
    assert not any(root.iterdir())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.png", b"\x89PNG"),
        ("empty.txt", b""),
        ("broken.pdf", b"%PDF-1.4\nnothing"),
        ("large.txt", b"x" * (MAX_BYTES + 1)),
        ("../../etc/passwd", b"root"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_lost(
    workspace: Workspace, name: str, data: bytes
) -> None:
    conversation = workspace.conversations.start()
    workspace.attachments.add(conversation, [RENT])
    with pytest.raises(UsageError):
        workspace.attachments.add(conversation, [(name, data)])
    assert [file.name for file in workspace.attachments.list(conversation)] == ["rent.md"]
    assert "870 euros" in answer(workspace, QUESTION, conversation).text


def test_a_first_file_that_is_damaged_leaves_nothing(workspace: Workspace) -> None:
    conversation = workspace.conversations.start()
    with pytest.raises(UsageError):
        workspace.attachments.add(conversation, [("broken.pdf", b"%PDF-1.4\nnothing")])
    assert workspace.attachments.list(conversation) == []
    assert "backs" in answer(workspace, "How do sea otters sleep?", conversation).text


def test_a_damaged_file_of_the_same_name_leaves_the_old_one(workspace: Workspace) -> None:
    conversation = workspace.conversations.start()
    workspace.attachments.add(conversation, [RENT])
    with pytest.raises(UsageError):
        workspace.attachments.add(conversation, [("rent.md", b"")])
    assert "870 euros" in answer(workspace, QUESTION, conversation).text


def test_too_many_files_are_refused(workspace: Workspace) -> None:
    conversation = workspace.conversations.start()
    files = [(f"{number}.txt", b"Tea.") for number in range(MAX_FILES + 1)]
    with pytest.raises(UsageError, match="at most"):
        workspace.attachments.add(conversation, files)


def test_attached_files_answer_where_the_index_is_not_there(workspace: Workspace) -> None:
    conversation = workspace.conversations.start()
    workspace.attachments.add(conversation, [RENT])
    (*_, done) = Assistant(workspace).ask(QUESTION, conversation, index="none")
    assert isinstance(done, AnswerDone)
    assert "870 euros" in done.text
    (*_, failed) = Assistant(workspace).ask(QUESTION, None, index="none")
    assert isinstance(failed, TurnFailed)


def hit(name: str, rank: int, **scores: float) -> Hit:
    stages = {stage: StagePlace(rank, score) for stage, score in scores.items()}
    return Hit(Passage(name, name, name, 0, 1), rank, 1.0, stages)


def names(result: SearchResult) -> list[str]:
    return [hit.passage.id for hit in result.hits]


def test_a_best_passage_that_does_not_fit_comes_after_one_that_does() -> None:
    index = SearchResult(
        "q",
        [hit("fits", 1, lexical=9.0, dense=0.8), hit("near", 2, lexical=2.0, dense=0.5)],
        ("lexical", "dense"),
    )
    other = SearchResult("q", [hit("beside", 1, lexical=0.4, dense=0.1)], ("lexical", "dense"))
    for first, second in ((index, other), (other, index)):
        merged = together(first, second, DEFAULT_WEIGHTS, 10)
        assert names(merged)[0] == "fits"
        assert [one.rank for one in merged.hits] == [1, 2, 3]
        assert sorted(names(merged)) == ["beside", "fits", "near"]
    assert names(together(index, other, DEFAULT_WEIGHTS, 1)) == ["fits"]


def test_a_stage_that_one_index_lacks_does_not_decide() -> None:
    encoded = SearchResult("q", [hit("a", 1, lexical=3.0, dense=0.9)], ("lexical", "dense"))
    words = SearchResult("q", [hit("b", 1, lexical=5.0)], ("lexical",))
    merged = together(encoded, words, DEFAULT_WEIGHTS, 10)
    assert {one.score for one in merged.hits} == {1.0}
    nothing = replace(words, hits=[])
    assert names(together(encoded, nothing, DEFAULT_WEIGHTS, 10)) == ["a"]
