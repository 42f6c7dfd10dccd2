"""What a model adds to the work: facts that the rules missed, what is missing, and votes.

A model is asked only within the budget, one call after the other, and each call can only do two
things: add facts that its passages say, and name what to search for. Votes are different readings
(other passages, another order), never copies of one, and stop as soon as they are decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from assistant.answering.evidence import Evidence, select_evidence
from assistant.answering.prompts import NOT_FOUND, answer_messages, passages_block
from assistant.errors import BudgetSpentError, GraphError, KnowledgeAssistantError
from assistant.events import Event, FoundPassage, GraphChanged, StepDecided
from assistant.retrieving import found_passages
from assistant.thoughts.model import normal_form
from assistant.thoughts.operations import AddFact
from assistant.thoughts.results import FactAdded
from assistant.thoughts.steps import Sentenced, take_step
from assistant.thoughts.work import Work
from assistant.understanding.words import content_words
from indexes.index import Hit

SHOWN = 8  # passages that the model is shown sentences of
SHOWN_TOKENS = 280
MISSING_WEIGHT = 1.0  # of a search for what is missing, beside the question itself
SAME_WORDS = 0.8  # share of two questions' words from which they are one question
VOTE_TOKENS = 40  # longest answer of a vote


def deliberate(work: Work, model: BaseChatModel) -> Iterator[Event]:
    """Steps with the model while something is missing and the budget lasts, then votes."""
    out, votes = work.outcome, work.outcome.effort.votes
    try:
        while work.budget.calls_left > votes:
            passages = shown_passages(work)
            evidence = _evidence(work, passages)
            if not evidence.sentences:
                return
            by_number = {passage.number: passage.passage_id for passage in passages}
            shown = [Sentenced(s.number, by_number[s.number], s.text) for s in evidence.sentences]
            question, block = out.question.text, passages_block(evidence, passages)
            step = take_step(model, work.budget, question, shown, block)
            for why in step.refused:
                yield StepDecided("not used", why)
            yield from _add(work, step.facts)
            if not step.missing or any(
                says_the_same(step.missing, earlier)
                for earlier in (out.question.text, *out.asked, *out.searched)
            ):
                break  # it has nothing new to look for
            out.asked.append(step.missing)
            yield from work.look_for([step.missing], MISSING_WEIGHT)
        if votes > 1:
            yield from _vote(work, model, votes)
    except BudgetSpentError as error:
        out.stopped = error.message
        yield StepDecided("think", error.message)


def shown_passages(work: Work) -> tuple[FoundPassage, ...]:
    """The passages that lead the ranking, numbered from 1."""
    ranked = [(i, score) for i, score in work.ranking() if i in work.passages][:SHOWN]
    top = max((score for _, score in ranked), default=1.0) or 1.0
    hits = [Hit(work.passages[i], n, s / top, {}) for n, (i, s) in enumerate(ranked, start=1)]
    return found_passages(hits)


def _evidence(work: Work, passages: Sequence[FoundPassage]) -> Evidence:
    out = work.outcome
    return select_evidence(
        out.evidence_for(out.question.text),
        passages,
        work.means.encoder,
        budget=SHOWN_TOKENS,
        carried=out.carried,
    )


def _add(work: Work, facts: Sequence[AddFact]) -> Iterator[Event]:
    for fact in facts:
        try:
            result = work.operations.execute(
                fact,
                author="model",
                reason="the model read it",
                step=work.outcome.rounds,
            )
        except GraphError as error:
            yield StepDecided("not used", error.message)
            continue
        if isinstance(result, FactAdded):
            work.outcome.chosen.append(result.fact.id)
            if result.batch is not None:
                yield GraphChanged(result.batch)


def _vote(work: Work, model: BaseChatModel, most: int) -> Iterator[Event]:
    """Short answers from different readings until one cannot be overtaken any more."""
    out = work.outcome
    short = model.bind(max_tokens=VOTE_TOKENS)
    given: Counter[str] = Counter()
    words: dict[str, str] = {}
    readings = _readings(work)[:most]
    for number, messages in enumerate(readings, start=1):
        if not work.budget.calls_left:
            break
        try:
            text = str(work.budget.ask(short, messages).text).strip()
        except BudgetSpentError:
            raise
        except KnowledgeAssistantError as error:
            yield StepDecided("vote", f"a reading failed: {error.message}")
            continue
        answer = "" if NOT_FOUND in text.upper() else normal_form(text)
        given[answer] += 1
        words.setdefault(answer, text[:200])
        yield StepDecided("vote", f"{number}: {words[answer] if answer else 'no answer'}")
        if decided(given, len(readings) - number):
            break
    (best, count), *_ = given.most_common(1) or [("", 0)]
    if best and count > 1:
        out.vote = words[best]


def says_the_same(text: str, earlier: str) -> bool:
    """Whether a question asks nothing that an earlier one did not ask: nearly all of the words of
    either are in the other."""
    words, others = set(content_words(text)), set(content_words(earlier))
    if not words or not others:
        return words == others
    return len(words & others) >= SAME_WORDS * max(len(words), len(others))


def decided(given: Counter[str], left: int) -> bool:
    """Whether the votes that are left cannot change which answer leads."""
    counts = [count for _, count in given.most_common(2)] + [0, 0]
    return counts[0] > counts[1] + left


def _readings(work: Work) -> list[list[BaseMessage]]:
    """Prompts that show different passages, or the same in another order; no two alike."""
    passages = shown_passages(work)
    halves = (passages[::2], passages[1::2])
    orders = [passages, passages[::-1], passages[:4], *halves]
    prompts = []
    for order in orders:
        numbered = [_renumbered(passage, n) for n, passage in enumerate(order, start=1)]
        evidence = _evidence(work, numbered)
        if evidence.sentences:
            prompts.append(
                answer_messages(work.outcome.question.text, evidence, numbered, short=True)
            )
    seen: set[str] = set()
    different = []
    for prompt in prompts:
        text = str(prompt[-1].content)
        if text not in seen:
            seen.add(text)
            different.append(prompt)
    return different


def _renumbered(passage: FoundPassage, number: int) -> FoundPassage:
    return replace(passage, number=number)
