"""How `assistant index search --explain` and `--why-not` show things (docs/command-line.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape

from assistant.cli.output import console, messages, table, write_json
from assistant.workspace import Workspace
from indexes.documents import Passage
from indexes.explaining.explain import ExplainedHit, Explanation, StageList, explain
from indexes.explaining.matched import Match, MatchedTerm
from indexes.explaining.why_not import WhyNot, why_not
from indexes.filters import Filter

_TERMS = 8  # matched terms shown for a passage; JSON has all
_TERMS_IN_LIST = 4
_TEXT = 240  # characters of a passage; JSON has all
_PASSAGE = 72  # characters of title and text in a list


def explained_search(
    opened: Workspace,
    name: str,
    query: str,
    *,
    limit: int,
    fusion: str,
    wanted: str | None,
    where: Filter,
    as_json: bool,
) -> None:
    """Search under the settings and show why the result is as it is.

    Args:
        wanted: a passage whose absence is to be explained, too; None for none.

    Raises:
        KnowledgeAssistantError: as `explain` and `why_not`.
    """
    index, retrieval = opened.index(name), opened.settings.retrieval
    found = explain(
        index,
        query,
        depth=retrieval.depth,
        weights=retrieval.weights,
        fusion=fusion,
        limit=limit,
        where=where,
    )
    lost = None
    if wanted is not None:  # told of the whole index: what a filter leaves out is no riddle
        lost = why_not(
            index,
            query,
            wanted,
            depth=retrieval.depth,
            weights=retrieval.weights,
            fusion=fusion,
            limit=limit,
        )
    if as_json:
        write_json(explanation_json(found) | ({"why_not": why_not_json(lost)} if lost else {}))
        return
    _show_explanation(found)
    if lost is not None:
        _show_why_not(lost)


# -- JSON -------------------------------------------------------------------------------------


def explanation_json(found: Explanation) -> dict[str, Any]:
    """An explanation of a search with one query."""
    return {
        "query": found.queries[0].text,
        "fusion": found.fusion,
        "depth": found.depth,
        "weights": found.weights,
        "stages": [own.stage for own in found.lists if own.weight > 0],
        "missing": found.missing,
        "hits": [_hit_json(hit) for hit in found.hits],
        "lists": {
            own.stage: {
                "weight": own.weight,
                "candidates": own.candidates,
                "hits": [
                    {
                        "rank": hit.rank,
                        "score": round(hit.score, 6),
                        **_passage_json(hit.passage),
                        **_match_json(hit.match),
                    }
                    for hit in own.hits
                ],
            }
            for own in found.lists
        },
    }


def why_not_json(lost: WhyNot) -> dict[str, Any]:
    """What became of a passage in a search with one query."""
    return {
        "how": lost.location.how,
        "note": lost.location.note,
        "passage": None if lost.passage is None else _passage_json(lost.passage),
        "found": lost.found,
        "rank": lost.rank,
        "rank_without_limit": lost.rank_without_limit,
        "score": round(lost.score, 6),
        "last_score": round(lost.last_score, 6),
        "stages": {
            one.stage: {
                "rank": one.rank,
                "of": one.of,
                "score": one.score,
                "last": one.last,
                "weight": one.weight,
                "reached": one.reached,
                "given": one.given,
                "share": round(one.share, 6),
                "reason": one.reason,
            }
            for one in lost.stages
        },
        **(_match_json(lost.matches[0]) if lost.matches else {}),
        "verdict": lost.verdict,
    }


def _hit_json(hit: ExplainedHit) -> dict[str, Any]:
    (part,) = hit.queries
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        **_passage_json(hit.passage),
        "stages": part.stages,
        **_match_json(part.match),
    }


def _passage_json(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "title": passage.title,
        "uri": passage.uri,
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "words": [_term_json(term) for term in match.words],
        "terms": [_term_json(term) for term in match.terms],
        "similarity": match.similarity,
    }


def _term_json(term: MatchedTerm) -> dict[str, Any]:
    return {
        "term": term.term,
        "query_weight": round(term.query_weight, 6),
        "passage_weight": round(term.passage_weight, 6),
        "share": round(term.share, 6),
    }


# -- for reading ------------------------------------------------------------------------------


def _show_explanation(found: Explanation) -> None:
    out = console()
    _show_missing(found.missing)
    weights = ", ".join(f"{stage} {weight:.2f}" for stage, weight in found.weights.items())
    out.print(f"{found.fusion} fusion of {weights}; {found.depth:,} candidates a stage\n")
    if not found.hits:
        out.print("nothing found")
    for hit in found.hits:
        (part,) = hit.queries
        out.print(f"[bold]{hit.rank}. {escape(_titled(hit.passage))}[/bold]  {hit.score:.3f}")
        out.print("   " + " ".join(hit.passage.text.split())[:_TEXT], markup=False)
        columns = ("   stage", "rank", "score", "scaled", "share")
        rows = [
            (f"   {stage}", own.rank, f"{own.score:.3f}", f"{own.scaled:.3f}", f"{own.share:.3f}")
            for stage, own in part.stages.items()
        ]
        out.print(table("", columns, rows))
        _show_match(part.match)
        out.print(f"   {hit.passage.uri}\n", markup=False, style="dim")
    for own in found.lists:
        _show_list(own)


def _show_list(own: StageList) -> None:
    """What one stage would have returned alone."""
    out = console()
    out.print(f"[bold]{own.stage} alone[/bold]  ({own.candidates:,} candidates)")
    columns = ("", "score", "passage", "" if own.stage == "dense" else "matched")
    rows = [
        (
            hit.rank,
            f"{hit.score:.3f}",
            f"{_titled(hit.passage)}: {' '.join(hit.passage.text.split())}"[:_PASSAGE],
            _matched(own, hit.match),
        )
        for hit in own.hits
    ]
    out.print(table("", columns, rows))
    out.print()


def _show_why_not(lost: WhyNot) -> None:
    out = console()
    out.print("[bold]The passage that was asked about[/bold]")
    if lost.passage is not None:
        out.print(f"{_titled(lost.passage)} ({lost.location.note})", markup=False)
        out.print("   " + " ".join(lost.passage.text.split())[:_TEXT], markup=False)
        rows = [
            (
                one.stage,
                "–" if one.rank is None else f"{one.rank:,} of {one.of:,}",
                _number(one.score),
                _number(one.last),
                "yes" if one.given else "no",
                f"{one.share:.3f}",
            )
            for one in lost.stages
        ]
        fused = "–" if lost.rank is None else f"{lost.rank:,}"
        rows.append(
            ("fused", fused, f"{lost.score:.3f}", f"{lost.last_score:.3f}",
             "yes" if lost.found else "no", "")
        )  # fmt: skip
        out.print(table("", ("stage", "rank", "score", "last taken", "taken", "share"), rows))
        for match in lost.matches:
            _show_match(match)
    out.print(lost.verdict, markup=False)


def _show_match(match: Match) -> None:
    out = console()
    if match.words:
        out.print(f"   words: {_in_words(match.words)}", markup=False)
    if match.terms:
        out.print(f"   terms: {_in_words(match.terms)}", markup=False)
    if match.similarity is not None:
        out.print(f"   similarity: {match.similarity:.3f}", markup=False)


def _show_missing(missing: Mapping[str, str]) -> None:
    for stage, why in missing.items():
        messages().print(f"[yellow]without the {stage} stage: {escape(why)}[/yellow]")


def _matched(own: StageList, match: Match) -> str:
    """The terms of the stage with their parts of its score, on one line."""
    terms = {"lexical": match.words, "sparse": match.terms}.get(own.stage, ())
    return ", ".join(f"{one.term} {one.share:.2f}" for one in terms[:_TERMS_IN_LIST])


def _in_words(terms: Iterable[MatchedTerm]) -> str:
    """`kelp 3.21 (1.00 × 3.21), …`: each term's part of the score, and what made it."""
    every = list(terms)
    shown = [
        f"{one.term} {one.share:.2f} ({one.query_weight:.2f} × {one.passage_weight:.2f})"
        for one in every[:_TERMS]
    ]
    more = f", {len(every) - _TERMS} more" if len(every) > _TERMS else ""
    return ", ".join(shown) + more


def _titled(passage: Passage) -> str:
    page = f", page {passage.page}" if passage.page else ""
    return f"{passage.title}{page}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
