"""The small reader: pointing, wording, quoting and abstaining, with told spans and wordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import Field

from assistant.answering.accounts import asks_for_account
from assistant.answering.evidence import Evidence, Sentence, gather_evidence, whole_evidence
from assistant.answering.readers import NotFound, Piece, Worded
from assistant.answering.small_forms import WORDING_SYSTEM, wording_prompt
from assistant.answering.small_reader import SmallReader
from assistant.distillation.spans.asking import Span
from assistant.events import AnswerDone, EvidenceSelected, SentenceChecked, StepDecided, Token
from assistant.pipeline import Assistant
from tests.fast.assistant.helpers import hashed_workspace, passage, passages
from tests.fast.assistant.spans import TellingSpans

QUESTION = "How much does kelp grow in a day?"
QUOTE = "Kelp grows half a metre a day."
SENTENCE = "Kelp grows half a metre in a day."


class Saying(GenericFakeChatModel):
    """Says what it was told and keeps what it was asked."""

    asked: list = Field(default_factory=list)

    def _generate(self, messages, *rest, **options):
        self.asked.append((messages, options))
        return super()._generate(messages)


def saying(*texts: str) -> Saying:
    return Saying(messages=iter([AIMessage(text) for text in texts]), asked=[])


def read(reader: SmallReader, found=None) -> list[Piece]:
    shown = passages() if found is None else found
    return list(reader.write(QUESTION, whole_evidence(shown), shown))


def test_words_are_worded_and_keep_their_source() -> None:
    model = saying(SENTENCE)
    spans = TellingSpans({"half a metre": 3.0})
    (piece,) = read(SmallReader(spans, model, threshold=0.0))
    assert isinstance(piece, Worded)
    assert (piece.text, piece.sentence.text, piece.sentence.number) == (SENTENCE, QUOTE, 2)
    ((messages, options),) = model.asked
    assert messages == [
        SystemMessage(WORDING_SYSTEM),
        HumanMessage(wording_prompt(QUESTION, "Kelp", QUOTE, "half a metre")),
    ]
    assert options["temperature"] == 0.0
    # every passage is read, with its title
    assert [(a.question, a.title) for a in spans.asked] == [
        (QUESTION, "Otters"),
        (QUESTION, "Kelp"),
    ]


@pytest.mark.parametrize(
    "slip",
    [
        "Kelp grows a whole metre in a day.",  # leaves the words out
        "Kelp grows half a metre a day in California.",  # says more
        "Kelp grows half a metre in 24 hours a day.",  # a number of its own
        "Kelp grows half a metre in a day",  # is not finished
        "",
    ],
)
def test_a_wording_that_slips_is_not_shown(slip: str) -> None:
    (piece,) = read(SmallReader(TellingSpans({"half a metre": 3.0}), saying(slip), threshold=0.0))
    assert isinstance(piece, Sentence) and piece.text == QUOTE


def test_a_wording_that_only_shortens_a_short_quotation_is_not_shown() -> None:
    quote = "A kelp forest is a habitat that holds more species than any other."
    found = [passage(1, quote)]
    for said, shown in (
        ("A kelp forest is a habitat.", Sentence),  # the quotation says more
        ("A kelp forest is a habitat in a day.", Worded),  # "day" is the question's
    ):
        reader = SmallReader(TellingSpans({"a habitat": 3.0}), saying(said), threshold=0.0)
        (piece,) = read(reader, found)
        assert isinstance(piece, shown)


def test_lines_that_are_no_sentences_come_only_where_no_sentence_does() -> None:
    found = [passage(1, "kelp = Plant(9)"), passage(2, "It is a brown plant.")]
    spans = TellingSpans({"Plant": 5.0, "a brown plant": 4.0})
    pieces = read(SmallReader(spans, None, threshold=0.0, sentences=3), found)
    assert [p.text for p in pieces] == ["It is a brown plant."]
    pieces = read(SmallReader(spans, None, threshold=0.0), found[:1])
    assert [p.text for p in pieces] == ["kelp = Plant(9)"]


def test_a_heading_or_a_name_alone_is_no_answer() -> None:
    heading, name = passage(1, "How kelp does grow"), passage(2, "kelp_growth()")
    spans = TellingSpans({"grow": 5.0, "kelp_growth": 5.0, "slowly": 1.0})
    (piece,) = read(SmallReader(spans, None, threshold=0.0), [heading, name])
    assert isinstance(piece, NotFound) and "headings" in piece.why
    # far below the best score, and yet all that says something
    found = [heading, name, passage(3, "In the dark it grows slowly.")]
    (piece,) = read(SmallReader(spans, None, threshold=0.0), found)
    assert isinstance(piece, Sentence) and piece.text == "In the dark it grows slowly."
    (row,) = read(
        SmallReader(TellingSpans({"9 cm": 5.0}), None, threshold=0.0),
        [passage(1, "Kelp in a day: 9 cm")],
    )
    assert isinstance(row, Sentence)


def test_without_a_language_model_it_quotes() -> None:
    (piece,) = read(SmallReader(TellingSpans({"half a metre": 3.0}), None, threshold=0.0))
    assert isinstance(piece, Sentence)
    assert piece.text == QUOTE
    shown = passages()[1]
    assert shown.text[piece.start - shown.start : piece.end - shown.start] == QUOTE


def test_words_that_are_the_sentence_need_no_wording() -> None:
    model = saying(SENTENCE)
    spans = TellingSpans({"Kelp grows half a metre a day": 3.0})
    (piece,) = read(SmallReader(spans, model, threshold=0.0))
    assert isinstance(piece, Sentence) and model.asked == []


@pytest.mark.parametrize("short", [True, False])
def test_below_the_threshold_it_abstains(short: bool) -> None:
    spans = TellingSpans({"half a metre": 1.0})
    (piece,) = read(SmallReader(spans, None, threshold=1.5, short=short))
    assert isinstance(piece, NotFound)
    assert "1.0, below 1.5" in piece.why
    # the threshold itself is enough
    (piece,) = read(SmallReader(spans, None, threshold=1.0, short=short))
    assert not isinstance(piece, NotFound)


def test_nothing_to_point_at() -> None:
    (piece,) = read(SmallReader(TellingSpans({}), None, threshold=-100.0))
    assert isinstance(piece, NotFound)
    (piece,) = read(SmallReader(TellingSpans({}), None, threshold=-100.0), found=[])
    assert isinstance(piece, NotFound) and "no passage" in piece.why


def test_a_name_of_code_is_asked_of_the_passages_that_hold_it() -> None:
    question = "What does st.cache_data keep?"
    other = passage(1, "The cache keeps time zones.")
    named = passage(2, "`st.cache_data` keeps tables.")
    spans = TellingSpans({"time zones": 5.0, "tables": 3.0})
    reader = SmallReader(spans, None, threshold=0.0)
    for found, said in (([other, named], named.text), ([other], None)):
        (piece,) = reader.write(question, whole_evidence(found), found)
        assert isinstance(piece, NotFound) if said is None else piece.text == said


def test_short_is_the_words_alone() -> None:
    spans = TellingSpans({"half a metre": 3.0, "1952": 2.9})
    assert read(SmallReader(spans, saying(SENTENCE), threshold=0.0, short=True)) == ["half a metre"]


def test_further_sentences_only_near_the_best_and_above_the_threshold() -> None:
    spans = TellingSpans({"half a metre": 5.0, "1952": 3.5, "kelp": 2.9})
    texts = [p.text for p in read(SmallReader(spans, None, threshold=0.0, sentences=3))]
    assert texts == [QUOTE, "It was first farmed in 1952 in Japan."]  # 2.9 is too far below
    texts = [p.text for p in read(SmallReader(spans, None, threshold=4.0, sentences=3))]
    assert texts == [QUOTE]
    texts = [p.text for p in read(SmallReader(spans, None, threshold=0.0, sentences=1))]
    assert texts == [QUOTE]


def test_pointing_is_ordered_and_without_repetition() -> None:
    class Twice(TellingSpans):
        def find(self, asked, **_):
            at = asked[0].passage.index
            return [
                [Span(at("backs"), at("backs") + 5, 1.0), Span(at("sleep"), at("sleep") + 5, 2.0)]
            ] + [[] for _ in asked[1:]]

    reader = SmallReader(Twice({}), None, threshold=0.0)
    assert [p.words for p in reader.point(QUESTION, passages())] == ["sleep"]  # one a sentence
    again = (passage(1, "It is blue. Very much."), passage(2, "The sea: it is Blue. Yes."))
    spans = TellingSpans({"blue": 1.0, "Blue": 2.0})
    found = SmallReader(spans, None, threshold=0.0).point(QUESTION, again)
    assert [(p.words, p.sentence.number) for p in found] == [("Blue", 2)]  # no words twice


def test_spaces_of_the_document_are_not_in_the_words() -> None:
    found = [passage(1, "Kelp grows half\n  a metre a day. More.", title="Kelp")]
    reader = SmallReader(TellingSpans({"half\n  a metre": 1.0}), None, threshold=0.0)
    (pointed,) = reader.point(QUESTION, found)
    assert (pointed.words, pointed.sentence.text) == ("half a metre", QUOTE)


@pytest.mark.parametrize(
    ("question", "account"),
    [
        ("How do I descale the boiler?", True),
        ("What does the damping factor do?", True),
        ("Why does kelp grow so fast?", True),
        ("What is the difference between kelp and moss?", True),
        ("kelp farming", True),
        ("What are my options for a refund?", True),
        ("What should I do when the pump fails?", True),
        ("What happens when the filter is full?", True),
        ("What does the warranty mean?", True),
        ("Tell me who farms kelp and how.", True),
        ("How much does kelp grow in a day?", False),
        ("What does the zeppelin ticket cost?", False),
        ("Who lit the lamp?", False),
        ("What did the Normans bring to England?", False),
        ("What cells attack the parasite?", False),
        ("In what country is Normandy?", False),
        ("What are the four levels of the court?", False),
        ("What is the capital of France?", False),
        ("In which year was kelp first farmed?", False),
    ],
)
def test_an_account_is_told_from_a_fact(question: str, account: bool) -> None:
    assert asks_for_account(question) is account


def test_a_question_for_an_account_is_answered_by_quotations() -> None:
    shown = passages()
    selected: list[str] = []

    def scored(best: float) -> Evidence:
        def select() -> Evidence:
            selected.append("")
            sentences = [
                replace(s, score=best if s.text == QUOTE else 0.1)
                for s in whole_evidence(shown).sentences
            ]
            return Evidence(tuple(sentences), 0, 0)

        return whole_evidence(shown, (), select)

    def answers(
        question: str, *, short: bool = False, score: float = -3.0, best: float = 0.9
    ) -> list[Piece]:
        spans = TellingSpans({"half a metre": score})
        reader = SmallReader(spans, None, threshold=0.0, short=short)
        return list(reader.write(question, scored(best), shown))

    (piece,) = answers("How does kelp grow?")
    assert isinstance(piece, Sentence) and piece.text == QUOTE
    assert len(selected) == 1
    # Words that were found go before; a fact has to be words; and so has a short answer.
    (piece,) = answers("How does kelp grow?", score=3.0)
    assert isinstance(piece, Sentence)
    assert isinstance(answers(QUESTION)[0], NotFound)
    assert isinstance(answers("How does kelp grow?", short=True)[0], NotFound)
    assert len(selected) == 1
    (piece,) = answers("How does kelp grow?", best=0.1)
    assert isinstance(piece, NotFound) and "best sentence scores 0.10" in piece.why


def test_an_account_is_no_line_of_code_where_a_sentence_is_near() -> None:
    code, sentence = "clustering(G, nodes=None)", "It is the share of possible triangles."
    found = [passage(1, f"{code}\n\n{sentence}")]
    reader = SmallReader(TellingSpans({"clustering": 5.0}), None, threshold=0.0)
    question = "How does clustering get computed?"
    for score, said in ((0.9, sentence), (0.1, code)):
        sentences = tuple(replace(s, score=score) for s in whole_evidence(found).sentences)
        chosen = Evidence(tuple(s for s in sentences if s.text == sentence), 0, 0)
        shown = whole_evidence(found, select=lambda chosen=chosen: chosen)
        pieces = list(reader.write(question, shown, found))
        assert [piece.text for piece in pieces if isinstance(piece, Sentence)] == [said]


def test_what_is_worth_reading_is_selected_when_it_is_wanted() -> None:
    shown = passages()
    arguments = {"budget": 30, "carried": ("kelp",), "without": ["It is a brown plant."]}
    whole = gather_evidence(QUESTION, shown, None, everything=True, **arguments)
    chosen = gather_evidence(QUESTION, shown, None, everything=False, **arguments)
    assert whole.omitted == 0 and len(whole.sentences) > len(chosen.sentences)
    assert whole.select is not None and whole.select() == chosen
    assert chosen.select is None


def test_what_is_not_to_be_read_is_not_pointed_at() -> None:
    shown = passages()
    reader = SmallReader(TellingSpans({"half a metre": 3.0}), None, threshold=0.0)
    (piece,) = reader.write(QUESTION, whole_evidence(shown, [QUOTE]), shown)
    assert isinstance(piece, NotFound)


def test_a_turn_with_the_small_reader(tmp_path: Path) -> None:
    workspace = hashed_workspace(
        tmp_path, {"kelp.md": f"{QUOTE} It was first farmed in 1952 in Japan."}
    )
    reader = SmallReader(TellingSpans({"half a metre": 3.0}), saying(SENTENCE), threshold=0.0)
    events = list(Assistant(workspace, make_reader=lambda opened: reader).ask(QUESTION))
    (token,) = [e for e in events if isinstance(e, Token)]
    assert token.text == f"{SENTENCE} [1] "
    (sentence,) = [e for e in events if isinstance(e, SentenceChecked)]
    assert sentence.status == "supported"
    (citation,) = sentence.citations
    assert (citation.quote, citation.number, citation.by_model) == (QUOTE, 1, True)
    (evidence,) = [e for e in events if isinstance(e, EvidenceSelected)]
    assert evidence.omitted == 0  # it reads whole passages
    done = events[-1]
    assert isinstance(done, AnswerDone)
    assert (done.text, done.reader, done.abstained) == (f"{SENTENCE} [1]", "small", False)
    assert not done.quoted
    workspace.conversations.close()


def test_a_turn_of_quotations_says_so(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"kelp.md": QUOTE})
    reader = SmallReader(TellingSpans({"half a metre": 3.0}), None, threshold=0.0)
    *_, done = Assistant(workspace, make_reader=lambda opened: reader).ask(QUESTION)
    assert isinstance(done, AnswerDone) and (done.text, done.quoted) == (f"{QUOTE} [1]", True)
    workspace.conversations.close()


def test_a_turn_quotes_what_does_not_support_its_wording(tmp_path: Path) -> None:
    quote = "It grew half a metre."
    worded = "The brown giant kelp forest of Monterey harbour grew half a metre."
    workspace = hashed_workspace(tmp_path, {"kelp.md": quote})
    reader = SmallReader(TellingSpans({"half a metre": 3.0}), saying(worded), threshold=0.0)
    question = "How much did the brown giant kelp forest of Monterey harbour grow?"
    events = list(Assistant(workspace, make_reader=lambda opened: reader).ask(question))
    assert [e.text for e in events if isinstance(e, Token)] == [f"{quote} [1] "]
    done = events[-1]
    assert isinstance(done, AnswerDone)
    assert (done.text, done.quoted, done.abstained) == (f"{quote} [1]", True, False)
    workspace.conversations.close()


def test_a_turn_in_which_it_abstains(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"kelp.md": QUOTE})
    reader = SmallReader(TellingSpans({"half a metre": -3.0}), None, threshold=0.0)
    events = list(Assistant(workspace, make_reader=lambda opened: reader).ask(QUESTION))
    done = events[-1]
    assert isinstance(done, AnswerDone) and done.abstained and done.sentences == ()
    assert any(isinstance(e, StepDecided) and "-3.0, below 0.0" in e.reason for e in events)
    workspace.conversations.close()
