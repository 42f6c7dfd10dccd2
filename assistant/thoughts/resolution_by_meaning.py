"""Which names mean the same thing, by their meaning, and by a model's judgement for what is left.

Only named entities of one known type are compared; every merge says how near the names are, and
can be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from assistant.errors import KnowledgeAssistantError
from assistant.thoughts.model import Node
from assistant.thoughts.resolution import Merge, group

_BLOCK = 512  # names compared at a time

Encode = Callable[[Sequence[str]], np.ndarray]  # texts → unit vectors, shape (n, d)
Same = Callable[[Node, Node], bool]  # a model's judgement


def by_meaning(
    nodes: Sequence[Node],
    encode: Encode,
    *,
    new: frozenset[str] | None = None,
    merge_from: float = 0.92,
    ask_from: float = 0.80,
    same: Same | None = None,
    most_calls: int = 20,
) -> tuple[list[Merge], list[tuple[str, str]]]:
    """Merges of names with nearly the same meaning, among entities of one known type.

    Args:
        nodes: named entities; those without a type, and values, are left alone.
        new: only pairs with one of these; None compares all.
        merge_from: cosine from which two are one without asking.
        ask_from: cosine from which `same` is asked, the nearest pairs first, `most_calls` times.

    Returns:
        The merges, and the pairs (keep, drop) that `same` refused.
    """
    pairs: list[tuple[float, Node, Node]] = []
    for one in sorted({group(n.type) for n in nodes} - {"", "date"}):
        members = sorted(
            (n for n in nodes if n.kind == "entity" and group(n.type) == one),
            key=lambda n: n.id,
        )
        pairs += _near(members, encode, new, ask_from)
    pairs.sort(key=lambda pair: (-pair[0], pair[1].id, pair[2].id))
    merges: list[Merge] = []
    refused: list[tuple[str, str]] = []
    gone: set[str] = set()
    calls = 0
    for cosine, first, second in pairs:
        # The longer name says more.
        keep, drop = sorted((first, second), key=lambda n: (-len(n.label), n.id))
        if keep.id in gone or drop.id in gone:
            continue
        why = f"cosine {cosine:.2f} between '{keep.label}' and '{drop.label}'"
        if cosine >= merge_from:
            merges.append(Merge(keep.id, drop.id, "meaning", why))
            gone.add(drop.id)
        elif same is not None and calls < most_calls:
            calls += 1
            try:
                decided = same(keep, drop)
            except KnowledgeAssistantError:
                continue  # a model that fails has decided nothing
            if decided:
                merges.append(Merge(keep.id, drop.id, "model", why, "model"))
                gone.add(drop.id)
            else:
                refused.append((keep.id, drop.id))
    return merges, refused


def _near(
    members: Sequence[Node], encode: Encode, new: frozenset[str] | None, threshold: float
) -> list[tuple[float, Node, Node]]:
    if len(members) < 2 or (new is not None and not any(n.id in new for n in members)):
        return []
    vectors = np.asarray(encode([n.label for n in members]), dtype=np.float32)
    rows = [i for i, n in enumerate(members) if new is None or n.id in new]
    found = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        cosines = vectors[block] @ vectors.T
        for i, j in np.argwhere(cosines >= threshold):
            first, second = block[int(i)], int(j)
            # Each pair once; numbers in names ("Boeing 737", "Boeing 747") make them different.
            once = first < second or (new is not None and members[second].id not in new)
            if once and first != second and _numbers(members[first]) == _numbers(members[second]):
                found.append((float(cosines[i, j]), members[first], members[second]))
    return found


def _numbers(node: Node) -> list[str]:
    return sorted(re.findall(r"\d+|\b[ivx]+\b", node.label.casefold()))
