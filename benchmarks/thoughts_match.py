"""How long `match` takes on a large graph, against a scan of all facts for each pattern.

    python -m benchmarks.thoughts_match [--facts 100000] [--repeat 20]

The graph is made by chance with a fixed seed: people, works, organisations, towns and years, with
hubs as they occur (few towns, many people). Milliseconds; the target is 50 for three patterns. The
peer reads every fact for every pattern and joins by hash; rdflib is run too where it is installed.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from assistant.thoughts.changes import Change, CreateEdge, CreateNode
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.matching import MAX_ROWS, Pattern, match
from assistant.thoughts.model import Fact, Node, make_fact, node_id

TARGET = 50.0
RELATIONS = (
    # relation, subject's kind, object's kind, share of the facts
    ("born in", "person", "town", 0.2),
    ("study at", "person", "school", 0.15),
    ("design", "person", "work", 0.2),
    ("know", "person", "person", 0.15),
    ("located in", "school", "town", 0.05),
    ("completed in", "work", "year", 0.15),
    ("stand in", "work", "town", 0.1),
)
# Queries: name, patterns. `?` terms are variables.
QUERIES = {
    "bridge": ("?p design work-17", "?p study at ?s", "?s located in ?t"),
    "back": ("?s located in town-3", "?p study at ?s", "?p design ?w"),
    "hub": ("?p born in town-1", "?p design ?w", "?w completed in year-1889"),
    "triangle": ("?a know ?b", "?b know ?c", "?c know ?a"),
    "same town": ("?p born in ?t", "?p design ?w", "?w stand in ?t"),
    "any relation": ("person-5 ?r ?x", "?x ?q ?y", "?y located in ?z"),
    "chain from one": ("person-5 know ?a", "?a know ?b", "?b design ?w"),
    "nothing": ("?p design work-17", "?p born in ?t", "?t design ?w"),
}
Bindings = set[tuple[tuple[str, str], ...]]


def made(count: int, seed: int = 0) -> ThoughtGraph:
    """A graph of that many facts at most (those made twice are one)."""
    chance = random.Random(seed)
    sizes = {
        "person": max(2, count // 5),
        "work": max(2, count // 6),
        "school": max(2, count // 500),
        "town": max(2, count // 1_000),
        "year": 200,
    }

    def some(kind: str) -> str:
        # The lower the number the more frequent, as with names in text.
        number = int(sizes[kind] * chance.random() ** (1.5 if kind in ("town", "school") else 1))
        return f"{kind}-{1800 + number if kind == 'year' else number}"

    facts: dict[str, Fact] = {}
    for relation, subject, object_, share in RELATIONS:
        for _ in range(int(count * share)):
            ends = (node_id("entity", some(subject)), node_id("entity", some(object_)))
            fact = make_fact(ends[0], relation, ends[1])
            facts[fact.id] = fact
    nodes = dict.fromkeys(end for f in facts.values() for end in (f.subject, f.object))
    changes: list[Change] = [CreateNode(Node(i, "entity", i.partition(":")[2])) for i in nodes]
    changes += [CreateEdge(fact) for fact in facts.values()]
    graph = ThoughtGraph()
    graph.apply(changes, author="rule", reason="benchmark")
    return graph


def parsed(query: tuple[str, ...]) -> list[Pattern]:
    patterns = []
    for text in query:
        subject, *relation, object_ = text.split()
        patterns.append(Pattern(subject, " ".join(relation), object_))
    return patterns


def scan(facts: list[Fact], patterns: list[Pattern]) -> Bindings:
    """In the order given: every fact for every pattern, joined by hash on what is bound."""
    rows: list[dict[str, str]] = [{}]
    for pattern in patterns:
        terms = (pattern.subject, pattern.relation, pattern.object)
        wanted = [t if i == 1 else node_id("entity", t) for i, t in enumerate(terms)]
        shared = [t for t in terms if rows and t in rows[0]]
        table: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for fact in facts:
            found: dict[str, str] = {}
            for term, want, value in zip(
                terms, wanted, (fact.subject, fact.relation, fact.object), strict=True
            ):
                if term.startswith("?"):
                    if found.setdefault(term, value) != value:
                        break
                elif want != value:
                    break
            else:
                table.setdefault(tuple(found[t] for t in shared), []).append(found)
        rows = [
            {**row, **found}
            for row in rows
            for found in table.get(tuple(row[t] for t in shared), ())
        ]
    return {tuple(sorted(row.items())) for row in rows}


def rdf_query(graph: ThoughtGraph) -> Callable[[list[Pattern]], int]:
    """rdflib's SPARQL over the same facts: gives the number of solutions."""
    import rdflib  # type: ignore[import-not-found, unused-ignore]

    def uri(text: str) -> Any:
        return rdflib.URIRef("urn:" + text.replace(" ", "_"))

    triples = rdflib.Graph()
    for fact in graph.facts():
        triples.add((uri(fact.subject), uri(fact.relation), uri(fact.object)))

    def run(patterns: list[Pattern]) -> int:
        def term(text: str, relation: bool = False) -> str:
            name = text if relation else node_id("entity", text)
            return text if text.startswith("?") else str(uri(name).n3())

        lines = [f"{term(p.subject)} {term(p.relation, True)} {term(p.object)} ." for p in patterns]
        return len(list(triples.query("SELECT DISTINCT * WHERE { " + " ".join(lines) + " }")))

    return run


def _milliseconds(run: Callable[[], object], repeat: int) -> list[float]:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(1_000 * (time.perf_counter() - start))
    return times


def main(
    facts: Annotated[int, typer.Option(help="how many facts")] = 100_000,
    repeat: Annotated[int, typer.Option(help="runs of each query")] = 20,
) -> None:
    start = time.perf_counter()
    graph = made(facts)
    nodes = sum(1 for _ in graph.nodes())
    print(f"{len(graph):,} facts, {nodes:,} nodes, made in {time.perf_counter() - start:.1f} s")
    known = list(graph.facts())
    rdf = rdf_query(graph) if importlib.util.find_spec("rdflib") else None
    print(
        f"\n{'query':16}{'rows':>8}{'min':>9}{'median':>9}{'max':>9}{'scan':>9}{'ratio':>8}", end=""
    )
    print(f"{'rdflib':>9}{'ratio':>8}" if rdf else "   (rdflib is not installed)")
    medians = []
    for name, query in QUERIES.items():
        patterns = parsed(query)
        found = match(graph, patterns, limit=MAX_ROWS)
        # The peer must find the same, or the comparison says nothing.
        solutions = scan(known, patterns)
        if found.complete and {tuple(sorted(r.bindings)) for r in found.rows} != solutions:
            raise SystemExit(f"{name}: {found.found} rows, the scan has {len(solutions)}")
        times = _milliseconds(lambda p=patterns: match(graph, p), repeat)  # type: ignore[misc]
        peer = statistics.median(
            _milliseconds(lambda p=patterns: scan(known, p), max(1, repeat // 10))  # type: ignore[misc]
        )
        median = statistics.median(times)
        medians.append(median)
        count = f"{found.found:,}" + ("" if found.complete else "+")
        print(
            f"{name:16}{count:>8}{min(times):9.2f}{median:9.2f}{max(times):9.2f}"
            f"{peer:9.1f}{peer / median:8.1f}",
            end="",
        )
        if rdf:
            other = statistics.median(_milliseconds(lambda p=patterns: rdf(p), 3))  # type: ignore[misc]
            print(f"{other:9.1f}{other / median:8.1f}", end="")
        print()
    within = sum(median <= TARGET for median in medians)
    print(
        f"\nmedian over queries {statistics.median(medians):.2f} ms, slowest {max(medians):.1f} ms;"
        f" {within} of {len(medians)} within {TARGET:.0f} ms"
    )


if __name__ == "__main__":
    typer.run(main)
