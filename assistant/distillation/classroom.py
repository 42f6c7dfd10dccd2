"""Several mentors, of whom each row hears those that know better than the student."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from assistant.distillation.tasks.base import Batch
from assistant.distillation.teachers import TeachingModels, require_same_rows
from assistant.distillation.terms import LossInput, TeacherRows


class ClassroomTeacher(TeachingModels):
    """Mentors chosen and weighed anew for every row.

    After ClassroomKD, Sarode et al., 2024, arXiv 2409.20237. Of a row with the right choice y, the
    student's distribution q and the mentors' p₁ … p_M:

        A  = {m : pₘ(y) > q(y)}                      who may teach (the knowledge filter)
        aₘ = pₘ(y) / Σ over A of p(y)                how much each of them counts
        p  = Σ over A of aₘ · pₘ                     what is learnt; with A empty nothing is

    Only the abstract and the authors' code could be read, and not the paper's equations. That code
    ranks whole batches, by the mean probability of the right choice, and adds up the divergences
    of the mentors above the student, weighed by rank in one version and in another by that
    probability over the sum of all, the student's too. A forward KL at temperature 1 has the same
    gradient against the mixture here as its weighted sum has, and the mixture serves every other
    loss. The authors' temperatures, one for each mentor by its lead over the student, are not here.
    """

    def rows(self, batch: Batch, student: LossInput) -> TeacherRows:
        """What each row of the student learns.

        Raises:
            UsageError: a mentor is of another form than the student.
        """
        with torch.no_grad():
            mentors = [self._task.teacher_rows(model, batch).logits for model in self.models]
            for mentor in mentors:
                require_same_rows(mentor, student.logits, "a mentor")
            taught = heard(mentors, student.logits, student.targets)
            return TeacherRows.from_logits(taught, self._top_k)


def heard(mentors: Sequence[Tensor], student: Tensor, targets: Tensor) -> Tensor:
    """What each row learns, as log-probabilities (N, V); −∞ where nobody knows better.

    Args:
        mentors: logits of each, (N, V).
        student: its logits, (N, V).
        targets: (N,) the right choices.
    """
    at = targets[:, None]
    every = torch.stack([torch.log_softmax(part.float(), dim=-1) for part in mentors])  # (M, N, V)
    right = every.gather(-1, at.expand(len(every), -1, -1))[..., 0]  # (M, N)
    own = torch.log_softmax(student.float(), dim=-1).gather(-1, at)[:, 0]
    better = right > own
    # a row without a mentor is NaN here, which the fill after it takes away
    shares = right.masked_fill(~better, -torch.inf).log_softmax(0).masked_fill(~better, -torch.inf)
    return (every + shares[..., None]).logsumexp(0)
