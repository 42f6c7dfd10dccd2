"""The inner loops of sparse search, compiled by numba when this module is first imported.

Only `indexes.sparse.index` imports it, and only for a search: importing numba costs half a second.
Compiled code is kept beside this file or in the person's cache; where neither can be written it
is compiled again in every process (about two seconds).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(function, cache=True, nogil=True)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for the cache can be written
        return numba.njit(function, nogil=True)  # type: ignore[no-any-return]


@_compiled
def add_up(scores: Any, starts: Any, rows: Any, weights: Any, columns: Any, values: Any) -> None:
    """Add value × weight to the score of every row in the columns' postings.

    Columns ascending: the sums are then, bit for bit, those of a row-wise inner product.
    """
    size = len(scores)
    for c in range(len(columns)):
        value = values[c]
        for i in range(starts[columns[c]], starts[columns[c] + 1]):
            row = rows[i]
            if 0 <= row < size:  # a damaged file must not write outside the scores
                scores[row] += value * weights[i]


@_compiled
def take_best(scores: Any, allowed: Any, filtered: bool, best_rows: Any, best_scores: Any) -> int:
    """The best rows with a score above 0, unordered; returns how many. Sets all scores to 0.

    A heap whose root is the worst one kept. Rows come ascending and only a better score takes
    the root's place; among equal scores the root is the highest row. So lower rows win ties.
    """
    depth = len(best_rows)
    count = 0
    worst = np.float32(0.0)
    for row in range(len(scores)):
        score = scores[row]
        scores[row] = np.float32(0.0)
        if not score > worst or (filtered and not allowed[row]) or depth == 0:
            continue
        if count < depth:
            i = count
            count += 1
            while i > 0:
                up = (i - 1) >> 1
                if not (
                    score < best_scores[up] or (score == best_scores[up] and row > best_rows[up])
                ):
                    break
                best_scores[i], best_rows[i] = best_scores[up], best_rows[up]
                i = up
        else:
            i = 0
            while True:
                down = 2 * i + 1
                if down >= depth:
                    break
                other = down + 1
                if other < depth and (
                    best_scores[other] < best_scores[down]
                    or (
                        best_scores[other] == best_scores[down]
                        and best_rows[other] > best_rows[down]
                    )
                ):
                    down = other
                if not (
                    best_scores[down] < score
                    or (best_scores[down] == score and best_rows[down] > row)
                ):
                    break
                best_scores[i], best_rows[i] = best_scores[down], best_rows[down]
                i = down
        best_scores[i], best_rows[i] = score, row
        if count == depth:
            worst = best_scores[0]
    return count


@_compiled
def find_row(starts: Any, rows: Any, row: int, places: Any) -> None:
    """Where each column's postings have a row, -1 where they have not; `places` is filled."""
    for column in range(len(places)):
        low, high = starts[column], starts[column + 1]
        end = high
        while low < high:
            middle = (low + high) >> 1
            if rows[middle] < row:
                low = middle + 1
            else:
                high = middle
        places[column] = low if low < end and rows[low] == row else -1
