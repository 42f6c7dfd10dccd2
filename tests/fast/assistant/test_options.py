"""Choices for one question: what they change, and that a stored turn says them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from assistant.answering.prompts import answer_messages
from assistant.answering.readers import Piece, first_sentence
from assistant.answering.translating import translated
from assistant.errors import UnknownNameError, UsageError
from assistant.events import AnswerDone, SentenceChecked, TurnStarted, from_json, to_json
from assistant.options import TurnOptions, options_of
from assistant.pipeline import Assistant
from assistant.turn_workspace import TurnWorkspace, with_choices
from assistant.workspace import Workspace
from tests.fast.assistant.helpers import KELP, OTTERS, hashed_workspace, passages
from tests.fast.assistant.test_prompt_forms import evidence


class Echo(BaseChatModel):
    """Answers each prompt with what stands for its sentence in `says`."""

    says: dict[str, str]
    asked: list[str]

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        text = str(messages[-1].content)
        self.asked.append(text)
        answer = next((said for part, said in self.says.items() if part in text), "")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])

    @property
    def _llm_type(self) -> str:
        return "echo"


def checked(text: str, status: str = "supported") -> SentenceChecked:
    return SentenceChecked(0, text, status, 0.9, ())  # type: ignore[arg-type]


def test_options_of_words_that_were_typed() -> None:
    given = {"reader": "small", "effort": None, "language": "german", "reliance": "0.50"}
    assert options_of(given) == TurnOptions(reader="small", language="de", reliance="0.5")
    assert TurnOptions(effort="deep").but(TurnOptions(effort="quick")) == TurnOptions(
        effort="quick"
    )
    for wrong in ({"reader": "smal"}, {"raeder": "small"}, {"language": "Klingon"}):
        with pytest.raises(UnknownNameError):
            options_of(wrong)
    with pytest.raises(UsageError):
        options_of({"reliance": "2"})


def test_a_turn_has_its_own_settings_and_shares_the_rest(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"o": OTTERS})
    own = TurnWorkspace(workspace, TurnOptions(reader="small", length="long", effort="off"))
    assert own.settings.answering.reader == "small"
    assert own.settings.thoughts.effort == "off"
    assert workspace.settings.answering.reader == "extractive"
    assert own.encoders is workspace.encoders
    assert own.loaded is workspace.loaded
    assert own.index("notes") is workspace.index("notes")
    with pytest.raises(UsageError):
        with_choices(workspace.settings, TurnOptions(reader="nobody"))  # type: ignore[arg-type]


def test_a_stored_turn_says_what_it_was_made_with(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"o": OTTERS, "k": KELP})
    options = TurnOptions(reader="extractive", effort="off", length="short")
    started, *_, done = Assistant(workspace).ask("How do sea otters sleep?", options=options)
    assert isinstance(started, TurnStarted) and isinstance(done, AnswerDone)
    stored = workspace.conversations.turn(started.turn_id).events[0]
    assert stored == started
    assert stored.options.chosen == {"reader": "extractive", "effort": "off", "length": "short"}
    assert from_json(to_json(started)) == started
    # Events of before had no options.
    line = to_json(started)
    cut = line[: line.index(', "options"')] + "}"
    assert from_json(cut) == TurnStarted(*[getattr(started, f) for f in started.__slots__[:6]])


def test_a_wrong_option_is_refused_and_nothing_stored(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"o": OTTERS})
    with pytest.raises(UsageError):
        Assistant(workspace).ask("Why?", options=TurnOptions(length="huge"))  # type: ignore[arg-type]
    assert workspace.conversations.list() == []


def test_the_length_is_asked_for() -> None:
    said = {
        length: str(answer_messages("How fast?", evidence(), passages(), length=length)[0].content)
        for length in ("short", "normal", "long")
    }
    assert "one short plain sentence" in said["short"]
    assert "one to four plain sentences" in said["normal"]
    assert "five to eight plain sentences" in said["long"]


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_a_short_answer_ends_with_its_first_sentence(size: int) -> None:
    text = "Dr. Holm was born in 1851 [1]. She studied in Dresden [1]. She died [2]."
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert "".join(map(str, first_sentence(pieces))).strip() == "Dr. Holm was born in 1851 [1]."
    after = iter(["Born in 1851.", " [1]", " She", " studied."])
    assert "".join(map(str, first_sentence(after))).strip() == "Born in 1851. [1]"
    assert list(first_sentence(iter(["Only one [1]."]))) == ["Only one [1]."]


def test_checked_sentences_are_translated_and_say_the_original() -> None:
    model = Echo(
        asked=[],
        says={
            "backs": "Seeotter schlafen auf dem Rücken und treiben dabei.",
            "1952": "Seetang wurde zuerst im Jahr 1953 angebaut.",
            "kelp": "They eat kelp.",
        },
    )
    given = [
        checked("Sea otters sleep on their backs."),
        checked("Kelp was first farmed in 1952 in Japan."),  # the year is lost on the way
        checked("It drops.", "dropped"),
        checked("Seeotter schlafen gern auf dem Rücken im Wasser."),  # in German already
    ]
    first, second, third, fourth = translated(model, given, "de")
    assert first.text == "Seeotter schlafen auf dem Rücken und treiben dabei."
    assert first.original == "Sea otters sleep on their backs."
    assert [second, third, fourth] == given[1:]
    assert len(model.asked) == 2


def test_an_answer_in_another_language_keeps_its_citations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Writes:
        kind = "answerer"
        reads_everything = False

        def write(self, *_: Any, **__: Any) -> Iterator[Piece]:
            yield "Sea otters sleep on their backs [1]."

    german = "Seeotter schlafen immer auf dem Rücken."
    monkeypatch.setattr(Workspace, "answerer", lambda self: Echo(asked=[], says={"backs": german}))
    workspace = hashed_workspace(tmp_path, {"o": OTTERS}, answering__reader="answerer")
    assistant = Assistant(workspace, make_reader=lambda opened: Writes())  # type: ignore[arg-type]
    options = TurnOptions(language="de", effort="off")
    (*_, done) = assistant.ask("How do sea otters sleep?", options=options)
    assert isinstance(done, AnswerDone)
    assert done.text.startswith(german[:-1])
    (sentence,) = done.sentences
    assert sentence.citations[0].quote == "Sea otters sleep on their backs."
    assert sentence.original.startswith("Sea otters sleep")
