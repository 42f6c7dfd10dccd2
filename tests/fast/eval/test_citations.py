"""Citations of worded answers, judged by hand-made answers."""

from __future__ import annotations

from dataclasses import replace

from assistant.answering.evidence import whole_evidence
from assistant.answering.readers import NotFound, Worded
from eval.citations import CitationsJudged, checked, holds, judge_citations, summarise
from tests.fast.assistant.helpers import passages
from tests.fast.indexes.sources import HashedDense

FOUND = passages()
EVIDENCE = whole_evidence(FOUND)
KELP = next(s for s in EVIDENCE.sentences if s.number == 2)
OTTERS = next(s for s in EVIDENCE.sentences if s.number == 1)


def check(*pieces):
    return checked(pieces, FOUND, EVIDENCE, HashedDense())


def test_quotations_and_wordings_are_cited() -> None:
    sentences = check(KELP, Worded("Kelp grows half a metre in a day.", KELP))
    assert [s.citations[0].quote for s in sentences] == [KELP.text, KELP.text]
    judged = judge_citations(sentences, FOUND, ["half a metre"])
    assert judged == CitationsJudged(valid=True, citations=2, holding=2, said=True)


def test_a_sentence_stands_for_the_wording_that_it_does_not_support() -> None:
    (sentence,) = check(Worded("Penguins live far away from any harbour.", KELP))
    assert (sentence.text, sentence.citations[0].quote) == (KELP.text, KELP.text)
    judged = judge_citations([sentence], FOUND, ["half a metre"])
    assert (judged.valid, judged.holding) == (True, 1)


def test_written_text_with_marks() -> None:
    sentences = check("Kelp grows half a metre a day ", "[2]. Sea otters sleep on their backs [1].")
    judged = judge_citations(sentences, FOUND, ["their backs"])
    assert judged == CitationsJudged(valid=True, citations=2, holding=1, said=True)


def test_abstaining_has_no_sentences() -> None:
    assert check(NotFound("no")) == ()


def test_what_does_not_stand_there_is_not_valid() -> None:
    (sentence,) = check(KELP)
    (citation,) = sentence.citations

    def judged(**changes) -> bool:
        made = replace(sentence, citations=(replace(citation, **changes),))
        return judge_citations([made], FOUND, []).valid

    assert judged()
    assert not judged(number=3)
    assert not judged(passage_id="p1")
    assert not judged(quote="Kelp grows a whole metre a day.")
    assert not judged(start=citation.start + 1)
    assert not judge_citations([replace(sentence, citations=())], FOUND, []).valid


def test_a_passage_that_does_not_begin_its_document() -> None:
    (sentence,) = check(OTTERS)  # its passage begins at character 100
    assert sentence.citations[0].start == 100
    assert judge_citations([sentence], FOUND, []).valid


def test_summary_by_hand() -> None:
    judged = [
        CitationsJudged(valid=True, citations=1, holding=1, said=True),
        CitationsJudged(valid=True, citations=2, holding=0, said=True),
        None,  # abstained, although there is an answer
        CitationsJudged(valid=False, citations=1, holding=0, said=False),  # there is no answer
        None,
    ]
    found = summarise(judged, [True, True, True, False, False])
    assert found == {"valid": 0.6667, "precision": 0.25, "recall": 0.3333, "said": 0.6667}
    assert set(summarise([None], [False]).values()) == {0.0}


def test_an_answer_stands_as_whole_words() -> None:
    assert holds("The Kelp grows: half a metre!", ["metre half"]) is False
    assert holds("It grows half a Metre.", ["half a metre"])
    assert not holds("In 1952.", ["195"])
    assert not holds("The.", ["the"])  # nothing is left of it
