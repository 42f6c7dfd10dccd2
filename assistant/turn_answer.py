"""The answer of a turn: written, checked sentence by sentence, translated where that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.answering.citing import CitationWriter
from assistant.answering.dial import leans_on_model, share_of
from assistant.answering.evidence import Evidence, Sentence
from assistant.answering.facts import facts_to_tell
from assistant.answering.readers import NotFound, Reader, Worded
from assistant.answering.support import SupportScorer
from assistant.answering.translating import translated
from assistant.clock import Clock
from assistant.endings import answered
from assistant.events import Event, FoundPassage, SentenceChecked, StepDecided, Token
from assistant.knowledge.reading import entries_for
from assistant.reading import answering_model
from assistant.thoughts.likeness import Likeness
from assistant.thoughts.outcome import Outcome
from assistant.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader is given.

    Attributes:
        question: standing alone.
        encoder: compares sentences; None: words decide.
        about_person: statements of the person that matter here.
        outcome: of thinking; None where there was none.
    """

    question: str
    evidence: Evidence
    passages: tuple[FoundPassage, ...]
    encoder: Likeness | None
    about_person: Sequence[str] = ()
    outcome: Outcome | None = None


def answer(workspace: Workspace, reader: Reader, asked: Asked, clock: Clock) -> Iterator[Event]:
    """The events of writing and checking; the last one is `AnswerDone`."""
    settings = workspace.settings.answering
    passages, outcome = asked.passages, asked.outcome
    writer = CitationWriter(
        passages,
        SupportScorer(asked.evidence.sentences, asked.encoder),
        drop=settings.unsupported == "drop",
    )
    refusal, quotes, worded = "", 0, 0
    with clock.step("answer"):
        budget = settings.evidence_tokens
        facts = facts_to_tell(outcome, passages, settings.knowledge_form, budget=budget)
        prepared = entries_for(passages) if settings.prepared else ()
        for piece in reader.write(
            asked.question, asked.evidence, passages, asked.about_person, facts, prepared
        ):
            if isinstance(piece, NotFound):
                refusal = piece.why
            elif isinstance(piece, Sentence):
                quotes += 1
                yield Token(f"{piece.text} [{piece.number}] ")
                yield writer.quote(piece)
            elif isinstance(piece, Worded):
                checked = writer.word(piece.text, piece.sentence)
                if checked.text == piece.text:
                    worded += 1
                    clock.first("first word")
                else:
                    quotes += 1
                yield Token(f"{checked.text} [{piece.sentence.number}] ")
                yield checked
            else:
                worded += 1
                clock.first("first word")
                yield Token(piece)
                yield from writer.feed(piece)
        yield from writer.finish()
    sentences = tuple(writer.sentences)
    found = {sentence.status for sentence in sentences}
    # Where the dial leans on the model, what it knows by itself is wanted, marked as such.
    own = "unsupported" in found and leans_on_model(share_of(settings.reliance))
    if not refusal and "supported" not in found and not own:
        refusal = "nothing that was written is supported by a passage"
    if refusal:
        yield StepDecided("abstain", refusal)
    elif settings.language != "auto" and reader.kind in ("answerer", "remote"):
        yield StepDecided("translate", "the checked sentences are translated one by one")
        with clock.step("translate"):
            sentences = _in_language(workspace, sentences)
    yield answered(
        asked.question,
        sentences,
        passages,
        reader,
        clock,
        abstained=bool(refusal),
        quoted=quotes > 0 and not worded,
        missing_fact=outcome.missing_fact() if outcome is not None else "",
    )


def _in_language(
    workspace: Workspace, sentences: Sequence[SentenceChecked]
) -> tuple[SentenceChecked, ...]:
    model, _ = answering_model(workspace)
    return tuple(translated(model, sentences, workspace.settings.answering.language))
