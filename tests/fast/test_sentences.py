"""Sentence boundaries: the rules by example, the promises by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.sentences import MAX_CHARS, split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith met J. R. Jones at 3.14 p.m. in the U.S. Congress.", "He left."],
        ["See Fig. 3 and No. 5.", "It is e.g. fine, i.e. good etc. and so on."],
        ["The treaty was signed by the U.S.", "The war ended."],
        ["Smith et al. (2020) showed it.", "Others did not."],
        ["It takes vitamin C.", "It is sold by Apple Inc.", "The price is $3.50."],
        ['He said "Stop."', "Then he left."],
        ['"What?" she asked.', "(It was late.)", "Wait... what?"],
        ["Costs fell in 2019.[12]", "They rose again!", "Why?", "5 people know."],
        ["Use example.org for tests.", "iPhones are sold there.", "np.array(x) is a call."],
        ["And so it goes…", "Next one."],
        ["Is the answer no?", "No.", "I do not know."],
    ],
)
def test_english_stops(expected):
    assert sentences(" ".join(expected)) == expected


def test_other_scripts_need_no_space_after_the_stop():
    assert sentences("これは文です。次の文です！終わり") == [
        "これは文です。",
        "次の文です！",
        "終わり",
    ]
    assert sentences("「はい。」と言った。彼は去った。") == ["「はい。」と言った。", "彼は去った。"]
    assert sentences("यह वाक्य है। दूसरा वाक्य।") == ["यह वाक्य है।", "दूसरा वाक्य।"]
    assert sentences("هل هذا صحيح؟ نعم.") == ["هل هذا صحيح؟", "نعم."]


def test_wrapped_prose_goes_on_in_the_next_line():
    text = "A paragraph that was wrapped at about seventy characters goes\non here. And\nthen ends."
    assert sentences(text) == [
        "A paragraph that was wrapped at about seventy characters goes\non here.",
        "And\nthen ends.",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["# Heading", "Text below it"],
        ["Short title", "Text below it"],
        ["- first item", "- second item"],
        ["1. First step", "2. Second step"],
        ["Name | Age", "bob | 3"],
        ["name\tage", "bob\t3"],
        [">>> x = f(1)", "result"],
        ["def area(r):", "    return 3 * r"],
        ["total = 1", "print(total)"],
        ["These are the steps:", "open the door"],
        ["one paragraph", "", "another paragraph"],
    ],
)
def test_lines_that_stand_alone(lines):
    assert sentences("\n".join(lines)) == [line.strip() for line in lines if line]


def test_a_number_stays_with_what_it_counts():
    assert sentences("1. First step. Then rest.") == ["1. First step.", "Then rest."]
    assert sentences("Install version 2. The rest is easy.") == [
        "Install version 2.",
        "The rest is easy.",
    ]


def test_long_sentences_are_cut_at_commas_first():
    text = ", ".join(f"part number {n} of the list" for n in range(60))
    pieces = sentences(text)
    assert len(pieces) > 2
    assert all(len(piece) <= MAX_CHARS for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert " ".join(pieces) == text
    assert [len(piece) for piece in sentences("x" * 1500)] == [600, 600, 300]


_PIECES = (
    'Dr.~e.g.~No.~5~word~Word~U.S.~...~…~!~?~.~\n~\n\n~ ~\t~| ~- ~1. ~"~)~(~。~」~と~# ~>>> ~\u2028'
    "~\x85~=~,"
)
_MIXED = st.lists(st.sampled_from(_PIECES.split("~")), max_size=80).map("".join)


@given(st.one_of(st.text(max_size=300), _MIXED))
def test_spans_cover_everything_once(text):
    spans = split_sentences(text)
    covered = ""
    previous_end = 0
    for start, end in spans:
        assert previous_end <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert end - start <= MAX_CHARS
        assert not text[previous_end:start].strip()
        covered += text[start:end]
        previous_end = end
    assert not text[previous_end:].strip()
    assert "".join(covered.split()) == "".join(text.split())
