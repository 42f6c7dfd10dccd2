"""A turn as the page shows it."""

from __future__ import annotations

import dataclasses

from app.components.answer import answer_markdown, loosely, marks, quotation_markdown
from app.components.source import cut_of
from app.components.trace import trace_rows
from app.components.turn import Source, steps_of, view_of
from assistant.events import (
    AnswerDone,
    Citation,
    Event,
    EvidenceSelected,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    StageScore,
    StepDecided,
    Token,
    TurnFailed,
    TurnStarted,
    TurnStopped,
)
from indexes.store import StoredDocument
from tests.fast.assistant.helpers import OTTERS, passages

CITATION = Citation(1, "p1", 100, 132, "Sea otters sleep on their backs.", 0.9, True)
SUPPORTED = SentenceChecked(0, "They sleep on their backs.", "supported", 0.9, (CITATION,))
UNSUPPORTED = SentenceChecked(1, "They cost $5 and $6.", "unsupported", 0.1, ())
DROPPED = SentenceChecked(2, "They fly.", "dropped", 0.0, ())


def answer(*sentences: SentenceChecked, **changes: object) -> AnswerDone:
    done = AnswerDone("text", sentences, "answerer", False, False, "", (), {"total": 2.0})
    return dataclasses.replace(done, **changes)


def events(last: Event) -> list[Event]:
    first, second = passages()
    scored = dataclasses.replace(first, stages=(StageScore("lexical", 2, 1.5),))
    return [
        TurnStarted("t", "c", "How do otters sleep?", "notes", "2026-01-01T00:00:00"),
        QueriesWritten("How do otters sleep?", ("otters sleep",), ("otters",), ""),
        PassagesFound((scored, second), ("lexical", "dense"), ("sparse",), 0.123),
        StepDecided("retrieve", "without the sparse stage: not encoded yet"),
        EvidenceSelected(("p1",), 3, 1, 80),
        Token("They sleep"),
        last,
    ]


def test_steps_say_what_was_done() -> None:
    assert steps_of(events(answer(SUPPORTED))) == [
        "Understood as: How do otters sleep? (from before: otters)",
        "Searched by words and meaning: 2 passages in 0.12 s",
        "Without the sparse stage: not encoded yet",
        "Reading 3 sentences from 1 passage; 1 left out for length",
    ]


def test_sources_are_the_cited_passages_once_each() -> None:
    again = dataclasses.replace(SUPPORTED, position=1)
    (source,) = view_of(events(answer(SUPPORTED, again))).sources
    assert source.passage.passage_id == "p1"
    assert source.label == "[1] Otters"
    assert source.spans == ((100, 132), (100, 132))
    assert source.quotes == ("Sea otters sleep on their backs.",)


def test_a_dropped_sentence_gives_no_source_and_is_not_shown() -> None:
    dropped = dataclasses.replace(DROPPED, citations=(CITATION,))
    assert view_of(events(answer(dropped))).sources == []
    assert answer_markdown([dropped]) == ""


def test_abstention_offers_the_closest_passages() -> None:
    view = view_of(events(answer(UNSUPPORTED, abstained=True, closest=(2,))))
    assert [source.passage.number for source in view.sources] == [2]
    assert view.sources[0].spans == ()


def test_a_sentence_without_support_is_marked() -> None:
    text = answer_markdown([SUPPORTED, UNSUPPORTED])
    assert marks(SUPPORTED) == r":green[\[1\]]"
    assert text.startswith(r"They sleep on their backs\. :green[\[1\]]")
    assert text.endswith(r"\$5 and \$6\. :orange-badge[not supported]")


def test_a_passage_that_supports_loosely_is_said_so() -> None:
    weak = dataclasses.replace(CITATION, number=2, support=0.6)
    both = dataclasses.replace(SUPPORTED, citations=(CITATION, weak))
    assert marks(both) == r":green[\[1\]] :gray[\[2 loosely\]]"
    assert loosely([both]) and not loosely([SUPPORTED, DROPPED])


def test_quotations_are_paragraphs_in_quotation_marks() -> None:
    first, second = quotation_markdown([SUPPORTED, DROPPED, SUPPORTED]).split("\n\n")
    assert first == second == r"“They sleep on their backs\.” :green[\[1\]]"


def test_summaries() -> None:
    assert view_of(events(answer(SUPPORTED))).summary == (
        "Searched, found 2 passages, answered in 2.0 s"
    )
    stopped = view_of(events(TurnStopped("They")))
    assert (stopped.summary, stopped.written) == ("Stopped", "They")
    assert view_of(events(TurnFailed("broken", "mend it"))).summary == "Could not answer"
    assert view_of(events(answer(SUPPORTED))[:-1]).summary == "Interrupted"


def test_the_trace_has_rank_and_score_of_each_stage() -> None:
    first, second = trace_rows(view_of(events(answer(SUPPORTED))))
    assert first["lexical"] == "#2 (1.500)"
    assert first["dense"] == "–"
    assert (first["read"], second["read"]) == (True, False)
    assert "page" not in first


def document(text: str) -> StoredDocument:
    return StoredDocument("d1", "/notes/1.md", "Otters", "", "", None, "", "en", text, ())


def test_a_source_is_shown_within_its_document() -> None:
    source = Source(passages()[0], ((100, 132),), ())
    cut = cut_of(source, document(f"{'Before. ' * 12}    {OTTERS} After."))
    ((start, end),) = cut.spans
    assert cut.text[start:end] == "Sea otters sleep on their backs."
    assert cut.text.endswith("After.")


def test_a_changed_or_lost_document_leaves_the_passage() -> None:
    source = Source(passages()[0], ((100, 132),), ())
    for gone in (document("something else"), None):
        cut = cut_of(source, gone)
        ((start, end),) = cut.spans
        assert cut.text == OTTERS
        assert cut.text[start:end] == "Sea otters sleep on their backs."
