"""A plain teacher and a tuned one on the same passages: quality and diversity of what is kept.

Nothing enters the store. Diversity is the mean cosine distance between the texts of all pairs of
kept entries, and distinct-2: different pairs of neighbouring words over all of them (Li et al.,
NAACL 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.knowledge.choosing import Chooser
from assistant.knowledge.entries import Candidate, KnowledgeEntry, normal
from assistant.knowledge.styles import StyleChooser
from assistant.knowledge.teacher import Teacher, TeacherFailedError
from indexes.documents import Passage
from indexes.encoders import DenseEncoder
from indexes.progress import OnProgress, Progress


@dataclass(frozen=True, slots=True)
class StyleReport:
    """What one way of teaching brought.

    Attributes:
        kept: entries; `asked` as many could have been kept.
        likelihood: mean log-probability per token (nats); None where none was told.
        grounding, novelty, score: means over the kept entries; 0 where there are none.
        distance: mean of 1 − cosine over pairs of kept entries; None without an embedder.
        distinct_2: in [0, 1].
        pulls: how often each style was used.
    """

    name: str
    kept: int
    asked: int
    failed: int
    likelihood: float | None
    grounding: float
    novelty: float
    score: float
    distance: float | None
    distinct_2: float
    pulls: dict[str, int]


def compare(
    passages: Sequence[Passage],
    teacher: Teacher,
    encoder: DenseEncoder | None,
    names: Iterable[str],
    *,
    samples: int,
    on_progress: OnProgress = lambda progress: None,
) -> list[StyleReport]:
    """Let each way of `names` ("plain", "tuned", a style) teach the same passages.

    Each begins knowing nothing: neither entries nor rewards of earlier builds.

    Raises:
        ModelMissingError, ModelCorruptError: there is no usable teacher.
    """
    ways = list(names)
    reports = []
    done = 0
    for name in ways:
        chooser, styles = Chooser(encoder, set()), StyleChooser(name, {})
        kept: list[KnowledgeEntry] = []
        failed, pulls = 0, dict[str, int]()
        for passage in passages:
            style = styles.next()
            pulls[style] = pulls.get(style, 0) + 1
            candidates, misses = _write(teacher, passage, style, samples)
            failed += misses
            choice = chooser.choose(
                passage,
                candidates,
                questions=teacher.questions,
                statements=teacher.statements,
                teacher=teacher.name,
            )
            kept += choice.entries
            wanted = teacher.questions + teacher.statements
            styles.learn(style, sum(entry.score for entry in choice.entries) / wanted)
            done += 1
            on_progress(Progress("write", done, len(ways) * len(passages), "passages", 0.0))
        asked = len(passages) * (teacher.questions + teacher.statements)
        reports.append(_report(name, kept, asked, failed, pulls, encoder))
    return reports


def distinct(texts: Iterable[str], size: int = 2) -> float:
    """Different runs of `size` neighbouring words over all such runs; 0 where there are none."""
    runs = []
    for text in texts:
        words = normal(text).split()
        runs += [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0


def mean_distance(texts: Sequence[str], encoder: DenseEncoder) -> float | None:
    """Mean of 1 − cosine over all pairs of texts; None for fewer than two."""
    if len(texts) < 2:
        return None
    total = np.asarray(encoder.encode(list(texts)), dtype=np.float64).sum(axis=0)
    count = len(texts)
    # Σᵢⱼ cos = |Σᵢ vᵢ|², of which the diagonal is `count`.
    mean_cosine = (float(total @ total) - count) / (count * (count - 1))
    return 1.0 - mean_cosine


def _write(
    teacher: Teacher, passage: Passage, style: str, samples: int
) -> tuple[list[Candidate], int]:
    candidates: list[Candidate] = []
    failed = 0
    for sample in range(samples):
        try:
            candidates += teacher.write(passage, sample=sample, style=style).candidates
        except TeacherFailedError:
            failed += 1
    return candidates, failed


def _report(
    name: str,
    kept: Sequence[KnowledgeEntry],
    asked: int,
    failed: int,
    pulls: dict[str, int],
    encoder: DenseEncoder | None,
) -> StyleReport:
    told = [entry.likelihood for entry in kept if entry.likelihood is not None]
    texts = [entry.text for entry in kept]
    distance = mean_distance(texts, encoder) if encoder is not None else None
    return StyleReport(
        name=name,
        kept=len(kept),
        asked=asked,
        failed=failed,
        likelihood=round(_mean(told), 4) if told else None,
        grounding=round(_mean([entry.grounding for entry in kept]), 4),
        novelty=round(_mean([entry.novelty for entry in kept]), 4),
        score=round(_mean([entry.score for entry in kept]), 4),
        distance=round(distance, 4) if distance is not None else None,
        distinct_2=round(distinct(texts), 4),
        pulls=pulls,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
