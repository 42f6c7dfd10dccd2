"""How far each word of an answer leans on the documents or on what the model knows by itself.

CK-PLUG (Bi et al., 2025, arXiv 2503.15888), written from its formulas. At each token there are two
distributions: p(x | question), the model's own, and p(x | passages, question). In logarithms

    q_para = log p(x | question)
    q_cont = log p(x | passages, question) − q_para

that is, what the model knows and what the passages add to it. Where the two conflict, the token is
taken by α·q_para + (1 − α)·q_cont; elsewhere by p(x | passages, question), among its candidates.
α = 0 leans on the documents, α = 1 on the model, α = ½ orders tokens as plain decoding does.

Candidates are the tokens among the ten likeliest of either distribution that are at least a
hundredth as likely as its likeliest. H_para and H_cont are the entropies, in nats, of the two
distributions over their own candidates. They conflict when H_para < (1 + k)·H_cont: reading left
the model less sure than it was. (The paper compares normalised entropies with a threshold ε, which
for ε ≤ −1 can never be met; hence this form.)

All vectors have shape (V,), natural logarithms over the same V tokens; a token that cannot occur
has −inf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.answering.dial import Share
from assistant.errors import UsageError

Vector = NDArray[np.floating[Any]]

TOP = 10
PLAUSIBLE = 0.01  # of the likeliest token's probability
# Chosen by `assistant eval reliance --half choosing --constants` (table in docs/answering.md): a
# conflict is seen at every token. A model that copies from a passage is sure of it, H_cont is 0,
# and with any finite k the dial would not reach it.
CONFLICT_K = float("inf")
_IMPOSSIBLE = -50.0  # stands for log 0: far below any candidate, and finite


@dataclass(frozen=True, slots=True)
class Mixed:
    """What the next token is chosen from.

    Attributes:
        ids: (C,) the tokens in question, ascending.
        scores: (C,) the higher the better.
        alpha: the share of the model's own knowledge; None where there is no conflict and the
            scores are the log-probabilities given the passages.
        own_entropy, context_entropy: H_para and H_cont, in nats.
    """

    ids: NDArray[np.int64]
    scores: Vector
    alpha: float | None
    own_entropy: float
    context_entropy: float

    @property
    def best(self) -> int:
        """The token with the highest score; of equal ones that with the lowest id."""
        return int(self.ids[int(np.argmax(self.scores))])

    def logprobs(self, temperature: float = 1.0) -> Vector:
        """(C,) log-probabilities for sampling.

        A mixture is taken twice, 2α·q_para + 2(1 − α)·q_cont: with weights that add up to one,
        α = ½ would be the plain distribution at temperature 2.
        """
        scale = 1.0 if self.alpha is None else 2.0
        scores = scale * self.scores / temperature
        highest = scores.max()
        return np.asarray(scores - highest - np.log(np.exp(scores - highest).sum()))

    def sample(self, temperature: float, generator: np.random.Generator) -> int:
        """A token at random; temperature 0 takes the best."""
        if temperature <= 0:
            return self.best
        return int(generator.choice(self.ids, p=np.exp(self.logprobs(temperature))))


def mixed(
    own: Vector,
    context: Vector,
    reliance: Share,
    *,
    k: float = CONFLICT_K,
    plausible: float = PLAUSIBLE,
) -> Mixed:
    """Weigh what the model knows against what the passages say, for one token.

    Args:
        own: log p(x | question).
        context: log p(x | passages, question).
        reliance: α; "auto" takes H_cont / (H_para + H_cont): the surer source counts more.
        k: how readily a conflict is seen; inf sees one everywhere.
        plausible: a candidate is at least so likely, compared with the likeliest.

    Raises:
        UsageError: the vectors differ in length, or α does not lie between 0 and 1.
    """
    if own.shape != context.shape or own.ndim != 1:
        raise UsageError(f"cannot weigh {own.shape} against {context.shape} log-probabilities")
    if reliance != "auto" and not 0 <= reliance <= 1:
        raise UsageError(f"the reliance {reliance} does not lie between 0 and 1")
    own_ids, context_ids = candidates(own, plausible), candidates(context, plausible)
    own_entropy, context_entropy = entropy(own[own_ids]), entropy(context[context_ids])
    if not in_conflict(own_entropy, context_entropy, k):
        return Mixed(context_ids, context[context_ids], None, own_entropy, context_entropy)
    alpha = adaptive(own_entropy, context_entropy) if reliance == "auto" else float(reliance)
    ids = np.union1d(own_ids, context_ids)
    para = np.maximum(own[ids], _IMPOSSIBLE)
    cont = np.maximum(context[ids], _IMPOSSIBLE) - para
    return Mixed(ids, alpha * para + (1 - alpha) * cont, alpha, own_entropy, context_entropy)


def candidates(logprobs: Vector, plausible: float = PLAUSIBLE) -> NDArray[np.int64]:
    """The plausible tokens among the ten likeliest, ascending. Shape (C,), 1 ≤ C ≤ 10."""
    size = min(TOP, len(logprobs))
    top = np.argpartition(-logprobs, size - 1)[:size]
    floor = logprobs[top].max() + np.log(plausible)
    return np.sort(top[logprobs[top] >= floor]).astype(np.int64)


def entropy(logprobs: Vector) -> float:
    """Entropy in nats of a distribution given by unnormalised log-probabilities (C,)."""
    weights = np.exp(logprobs - logprobs.max())
    p = weights / weights.sum()
    p = p[p > 0]
    return float(max(0.0, -(p * np.log(p)).sum()))


def in_conflict(own_entropy: float, context_entropy: float, k: float) -> bool:
    """H_para < (1 + k)·H_cont; k = inf: always."""
    return bool(np.isinf(k)) or own_entropy < (1 + k) * context_entropy


def adaptive(own_entropy: float, context_entropy: float) -> float:
    """α = H_cont / (H_para + H_cont); ½ where both are sure."""
    whole = own_entropy + context_entropy
    return 0.5 if whole <= 0 else context_entropy / whole
