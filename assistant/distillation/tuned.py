"""A teacher of whom a small part is trained beside the student, towards what it can follow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from assistant.distillation.beside import Beside
from assistant.distillation.foreign import ForeignModel
from assistant.distillation.losses.base import kl, student_logprobs
from assistant.distillation.prompted import Prompted
from assistant.distillation.recipe_models import Adapter, TeacherSpec
from assistant.distillation.students import adapted
from assistant.distillation.tasks.base import Batch, Task, weighted_mean
from assistant.distillation.teachers import ModelTeacher, require_same_rows
from assistant.distillation.terms import LossInput
from assistant.errors import UsageError

FILE = "tuned-teacher.pt"


class TunedTeacher(ModelTeacher):
    """A model with an adapter, or with a prompt of its own, that learns while it teaches.

    Of a row with the right choice y, the student's distribution q, the teacher's p and p′ with the
    tuned part in it, that part minimises the weighted mean of

        adapter   −log p′(y) + KL(p′ ‖ q)
        prompt    KL(p′ ‖ q) + (1 − progress) · KL(p′ ‖ p)

    and the student learns from p′ as it was before the step. The adapter is after PESF-KD, Rao et
    al., 2022, arXiv 2205.15308: only an adapter of the teacher is updated, so that its soft labels
    are as smooth as the student can follow. The prompt is after PromptKD, Kim et al., 2024, arXiv
    2402.12842: vectors before the text are all that is trained, on what the student wrote
    (`sampling`), and at first the teacher is held to what it says without them. Of both papers the
    abstracts could be read and of the second the authors' code, which has these divergences in
    these directions; there the prompt takes its step before the student learns in the same step.
    The adapter's terms and weights are this project's. Of completions that the student wrote itself
    the adapter has no right choice, and its first term is left out.

    Attributes:
        beside: the trained part, at its start without any effect (adapter) or a small one (prompt).
        loss: its own loss of the batch before.

    Raises:
        UsageError: the teacher has another tokenizer, or a target is no module of the model.
    """

    def __init__(self, task: Task, model: Any, spec: TeacherSpec, *, name: str = "") -> None:
        tune = spec.tune
        assert tune is not None
        if isinstance(model, ForeignModel):
            raise UsageError(
                "a teacher with another tokenizer cannot be tuned",
                remedy="take out 'teacher.tune', or name a teacher of the student's family",
            )
        self._plain = model
        self._prompt = tune.part == "prompt"
        if self._prompt:
            model = Prompted(model, tune.length)
        else:
            adapter = Adapter(rank=tune.rank, alpha=2.0 * tune.rank, targets=tune.targets)
            model = adapted(model, adapter, where="teacher.tune", heads=False).eval()
        super().__init__(task, [model], spec.top_k, name=f"{name}-tuned")
        trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.beside = Beside(trained, tune.learning_rate, FILE)
        self.loss = torch.zeros(())

    def teach(self, batch: Batch, student: LossInput) -> LossInput:
        """The student's rows with what is taught; in training the tuned part learns as well."""
        [model] = self.models
        rows = self._task.teacher_rows(model, batch)
        require_same_rows(rows.logits, student.logits, "the tuned teacher")
        if torch.is_grad_enabled():
            loss = self._own_loss(rows.logits, batch, student)
            (loss / self._task.recipe.loop.accumulate).backward()  # type: ignore[no-untyped-call]
            self.loss = loss.detach()
        return self._taught(student, rows.detach())

    def _own_loss(self, logits: Tensor, batch: Batch, student: LossInput) -> Tensor:
        tuned = student_logprobs(logits)
        values = kl(tuned, student_logprobs(student.logits.detach()))
        if not self._prompt:
            right = tuned.gather(-1, student.targets[:, None])[:, 0]
            values = values - right * ~student.sampled
        elif student.progress < 1:
            with torch.no_grad():
                plain = student_logprobs(self._task.teacher_rows(self._plain, batch).logits)
            values = values + (1 - student.progress) * kl(tuned, plain)
        return weighted_mean(values, student.weights)
