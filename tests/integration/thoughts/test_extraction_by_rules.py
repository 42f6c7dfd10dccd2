"""The rules over the real parser: what sentences state, and what odd passages do not."""

from __future__ import annotations

import logging
import re

import pytest

from assistant.models.store import ModelStore
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.sentences import MAX_MENTIONS
from assistant.thoughts.extraction.statements import MAX_RELATION, MAX_TRIPLES
from assistant.thoughts.extraction.types import Extraction, Source
from assistant.thoughts.model import MAX_LABEL, normal_form
from assistant.understanding.parser import Parser
from tests.conftest import MODELS, weights
from tests.fast.assistant.thoughts.extraction.attacks import ATTACKS, OPERATIONS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def extractor() -> DeterministicExtractor:
    weights("en-core-web-sm")
    return DeterministicExtractor(Parser(ModelStore(MODELS), "en-core-web-sm"))


def _facts(extraction: Extraction) -> list[str]:
    """ "subject | relation | object", with " not" or " maybe" and the period behind."""
    found = []
    for t in extraction.triples:
        text = f"{t.subject.label} | {t.relation} | {t.object.label}"
        text += " not" * t.negated + " maybe" * t.hedged
        if t.valid_from or t.valid_to:
            text += f" {t.valid_from}..{t.valid_to}"
        found.append(text)
    return found


SENTENCES: list[tuple[str, str, list[str]]] = [
    # text, title, facts
    ("Gustave Eiffel designed the tower.", "", ["Gustave Eiffel | design | tower"]),
    ("The tower was designed by Gustave Eiffel.", "", ["Gustave Eiffel | design | tower"]),
    ("Marie Curie was born in Warsaw in 1867.", "", ["Marie Curie | born in | Warsaw", "Marie Curie | born in | 1867"]),
    ("The museum is located in Lyon.", "", ["museum | located in | Lyon"]),
    ("The otter is a mammal.", "", ["otter | is a | mammal"]),
    ("Paris is the capital of France.", "", ["Paris | capital of | France"]),
    ("The capital of France is Paris.", "", ["Paris | capital of | France"]),
    ("Singapore's official mascot is the Merlion.", "", ["Merlion | official mascot of | Singapore"]),
    ("Tenet is Nolan's film.", "", ["Tenet | film of | Nolan"]),
    ("BM25 is one of the ranking functions.", "", ["BM25 | is one of | ranking functions"]),
    ("Everest is the highest mountain in Asia.", "", ["Everest | is | highest mountain in Asia"]),
    ("Lyon is famous for its food.", "", ["Lyon | famous for | food"]),
    ("The tower is heavier than the bridge.", "", ["tower | heavier than | bridge"]),
    ("The tower is in Paris.", "", ["tower | is in | Paris"]),
    ("There are two bridges in the town.", "", ["two bridges | is in | town"]),
    # values
    ("The tower is 330 metres tall.", "", ["tower | tall | 330 metres"]),
    ("Brass weighs 8.5 kg.", "", ["Brass | weigh | 8.5 kg"]),
    ("The population of Lyon is 520,774.", "", ["Lyon | population | 520,774"]),
    ("The bridge has a length of 300 metres.", "", ["bridge | length | 300 metres"]),
    ("The graph has 14 nodes and 20 edges.", "", ["graph | has | 14 nodes", "graph | has | 20 edges"]),
    # appositions, examples, "with"
    ("Maurice Koechlin, a Swiss engineer, designed the tower.", "", ["Maurice Koechlin | is a | Swiss engineer", "Maurice Koechlin | design | tower"]),
    ("German novelist Thomas Mann lived in Lübeck.", "", ["Thomas Mann | is a | German novelist", "Thomas Mann | live in | Lübeck"]),
    ("The city of Pilsen lies in Bohemia.", "", ["Pilsen | is a | city", "Pilsen | lie in | Bohemia"]),
    ("The firm makes drinks such as cola and lemonade.", "", ["firm | make | drinks", "cola | is a | drinks", "lemonade | is a | drinks"]),
    ("The iris is a flower with three petals.", "", ["iris | is a | flower", "iris | has | three petals"]),
    ("Ann Lee (born 5 May 1950) wrote novels.", "", ["Ann Lee | born | 5 May 1950", "Ann Lee | write | novels"]),
    # coordination
    ("Kepler and Galileo studied planets.", "", ["Kepler | study | planets", "Galileo | study | planets"]),
    ("The company makes and sells bread.", "", ["company | make | bread", "company | sell | bread"]),
    ("Kaya is made from eggs and sugar.", "", ["Kaya | made from | eggs", "Kaya | made from | sugar"]),
    ("The river flows through Lyon and Avignon.", "", ["river | flow through | Lyon", "river | flow through | Avignon"]),
    # relative and participle clauses, chains
    ("Bees produce honey, which contains sugar.", "", ["Bees | produce | honey", "honey | contain | sugar"]),
    ("Anna, who founded the school, lives in Oslo.", "", ["Anna | found | school", "Anna | live in | Oslo"]),
    ("The bridge that Telford built crosses the river.", "", ["Telford | build | bridge", "bridge | cross | river"]),
    ("Founded in 1996, Blic is owned by Ringier.", "", ["Blic | founded in | 1996", "Ringier | own | Blic"]),
    ("The team started training in March 2001.", "", ["team | start training in | March 2001"]),
    ("The method is used to rank pages.", "", ["method | used to rank | pages"]),
    ("The heart plays a role in the circulation.", "", ["heart | play role in | circulation"]),
    ("The scientists discovered that the planet has two moons.", "", ["planet | has | two moons"]),
    # denied, hedged, for a time
    ("Penguins do not live in Greenland.", "", ["Penguins | live in | Greenland not"]),
    ("No penguin lives in Greenland.", "", ["penguin | live in | Greenland not"]),
    ("The disease may cause fever.", "", ["disease | cause | fever maybe"]),
    ("The drug probably reduces pain.", "", ["drug | reduce | pain maybe"]),
    ("According to Pliny, the volcano destroyed the town.", "", ["volcano | destroy | town maybe"]),
    ("Lyon seems to attract visitors.", "", ["Lyon | attract | visitors maybe"]),
    ("The tower is believed to be the oldest building in the town.", "", ["tower | is | oldest building in the town maybe"]),
    ("The term has been in use since 1970.", "", ["term | is in | use 1970.."]),
    ("She served as mayor of Lyon from 1990 to 1995.", "Ann Lee", ["Ann Lee | serve as mayor of | Lyon 1990..1995"]),
    ("He became president of Chile.", "Salvador Allende", ["Salvador Allende | become president of | Chile"]),
    # no fact: question, order, condition, advice, claim, what nobody names
    ("Is the tower in Paris?", "", []),
    ("Put the tower in the box.", "", []),
    ("If the tower falls, the bridge breaks the wall.", "", []),
    ("You should visit the tower.", "", []),
    ("It was built in 1889.", "", []),
    ("I like the tower.", "", []),
    ("He claims that the earth has two moons.", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "title", "facts"), SENTENCES, ids=[s[0][:40] for s in SENTENCES])
def test_sentence_states(
    extractor: DeterministicExtractor, text: str, title: str, facts: list[str]
) -> None:
    (one,) = extractor.extract([Source("p", text, title)])
    assert sorted(_facts(one)) == sorted(facts)
    assert all((t.start, t.end) == (0, len(text)) for t in one.triples)


@pytest.mark.parametrize(
    ("text", "title", "fact"),
    [
        ("It was built in 1889.", "Eiffel Tower", "Eiffel Tower | built in | 1889"),
        ("The tower was built in 1889.", "Eiffel Tower", "Eiffel Tower | built in | 1889"),
        ("He studied in Zurich.", "Albert Einstein", "Albert Einstein | study in | Zurich"),
        ("Einstein studied in Zurich.", "Albert Einstein", "Albert Einstein | study in | Zurich"),
        ("The company sells bread.", "Acme Foods", "Acme Foods | sell | bread"),
        ("Acme Foods Inc. sells bread.", "Acme Foods", "Acme Foods | sell | bread"),
        (
            "Pep Guardiola trained Barcelona. Pep later moved to Munich.",
            "",
            "Pep Guardiola | move to | Munich",
        ),
        (
            "Viva is a Polish channel. The channel broadcasts music.",
            "",
            "Viva | broadcast | music",
        ),
        (
            "Irritable bowel syndrome (IBS) is a disorder. IBS affects the intestine.",
            "",
            "Irritable bowel syndrome | affect | intestine",
        ),
        (
            "Berge studied graphs. It contains nodes.",
            "Graph theory",
            "Graph theory | contain | nodes",
        ),
        (
            "A social network introduced by David Krackhardt.",
            "Kite Graph",
            "Kite Graph | is a | social network",
        ),
    ],
)
def test_what_words_refer_to(
    extractor: DeterministicExtractor, text: str, title: str, fact: str
) -> None:
    (one,) = extractor.extract([Source("p", text, title)])
    assert fact in _facts(one)


def test_reference_ends_with_a_change_of_subject(extractor: DeterministicExtractor) -> None:
    text = "The museum was opened in 1900. The library was opened in 1950. It has 300 rooms."
    (one,) = extractor.extract([Source("p", text)])
    assert "library | has | 300 rooms" in _facts(one)
    assert "museum | has | 300 rooms" not in _facts(one)


def test_innermost_heading_that_names_something_is_the_subject(
    extractor: DeterministicExtractor,
) -> None:
    source = Source("p", "It was built in 1889.", "City guide", ("Eiffel Tower", "History"))
    (one,) = extractor.extract([source])
    assert _facts(one) == ["Eiffel Tower | built in | 1889"]
    assert [m.term.label for m in one.mentions if m.about] == ["Eiffel Tower"]


def test_mentions_have_types_and_places(extractor: DeterministicExtractor) -> None:
    text = "Marie Curie was born in Warsaw in 1867. She liked it and the old town."
    (one,) = extractor.extract([Source("p", text, "Marie Curie")])
    about, *others = one.mentions
    assert about.about and text[about.start : about.end] == "Marie Curie"
    found = {text[m.start : m.end]: m.term for m in others}
    assert found["Warsaw"].type == "gpe" and found["Warsaw"].named
    assert found["1867"].kind == "value" and found["1867"].type == "date"
    assert not found["old town"].named
    assert "She" not in found and "it" not in found
    absent = extractor.extract([Source("p", "It is old.", "Marie Curie")])[0].mentions[0]
    assert (absent.about, absent.start, absent.end) == (True, 0, 0)


def test_sentence_offsets_survive_what_is_taken_out(extractor: DeterministicExtractor) -> None:
    text = "Old text [1].\n\n  ``Kelp`` grows (fast) in\ncold water [2]_. More."
    (one,) = extractor.extract([Source("p", text)])
    (triple,) = one.triples
    assert text[triple.start : triple.end] == "Kelp`` grows (fast) in\ncold water [2]_."


# -- robustness ---------------------------------------------------------------------------------

_OPERATION = re.compile(r"[(){}\[\]=;<>|\"'\\/]|add_fact|retract\(|merge_entities|os\.")


def _words(text: str) -> set[str]:
    return set(normal_form(text).split())


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_only_words_of_the_passage_come_out(
    extractor: DeterministicExtractor, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    title = "City guide"
    with caplog.at_level(logging.WARNING):
        (one,) = extractor.extract([Source("p", text, title)])
    assert caplog.records == []  # nothing failed on the way
    assert len(one.triples) <= MAX_TRIPLES and len(one.mentions) <= MAX_MENTIONS
    letters = re.sub(r"[\W_]", "", normal_form(f"{title} {text}"))
    for term in [
        *(m.term for m in one.mentions),
        *(t.subject for t in one.triples),
        *(t.object for t in one.triples),
    ]:
        assert len(term.label) <= MAX_LABEL
        for word in _words(term.label):
            assert re.sub(r"[\W_]", "", word) in letters
    for triple in one.triples:
        assert not _OPERATION.search(triple.relation) and len(triple.relation) <= MAX_RELATION
        assert 0 <= triple.start < triple.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [t for t in OPERATIONS if t.startswith(("add", "{", "Please", "Retract", "You", "If", "Add"))],
)
def test_orders_state_nothing(extractor: DeterministicExtractor, text: str) -> None:
    (one,) = extractor.extract([Source("p", text)])
    assert _facts(one) == []


def test_long_passage_is_read_in_part(extractor: DeterministicExtractor) -> None:
    text = "".join(f"Town{n} lies near Lake{n}. " for n in range(5_000))
    assert len(text) > 100_000
    (one,) = extractor.extract([Source("p", text)])
    assert 0 < len(one.triples) <= MAX_TRIPLES
    assert 0 < len(one.mentions) <= MAX_MENTIONS


PASSAGES = [Source(f"s{n}", text, title) for n, (text, title, _) in enumerate(SENTENCES)]


def test_batch_does_not_matter(extractor: DeterministicExtractor) -> None:
    together = extractor.extract(PASSAGES)
    assert extractor.extract(PASSAGES) == together
    assert [extractor.extract([one])[0] for one in PASSAGES] == together
    assert extractor.extract(PASSAGES[::-1]) == together[::-1]
    assert [one.passage_id for one in together] == [source.id for source in PASSAGES]


def test_processes_do_not_matter(extractor: DeterministicExtractor) -> None:
    two = DeterministicExtractor(Parser(ModelStore(MODELS), "en-core-web-sm"), processes=2)
    assert two.extract([*PASSAGES, *PASSAGES]) == extractor.extract([*PASSAGES, *PASSAGES])


def test_nothing_to_read(extractor: DeterministicExtractor) -> None:
    assert extractor.extract([]) == []
    assert extractor.extract([Source("p", "")]) == [Extraction("p", (), ())]
