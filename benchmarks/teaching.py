"""What a passage costs the teacher, by how many calls are made at once.

    python -m benchmarks.teaching INDEX [--slots 1 --slots 4] [--passages 8]

The same passages for each number of slots, by fresh weights; the fixed beginning of the prompt has
been read by every slot before the clock starts. CPU seconds are those of the whole process, so the
comparison holds on a machine that is busy with other things; seconds do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Annotated

import typer

from assistant.knowledge.filling import local_index, order_of
from assistant.knowledge.teacher import Teacher, TeacherFailedError
from assistant.knowledge.teachers import teaching_model
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.documents import Passage


def main(
    index: Annotated[str, typer.Argument(help="an index that exists")],
    slots: Annotated[list[int] | None, typer.Option(help="calls at once")] = None,
    passages: Annotated[int, typer.Option(help="how many")] = 8,
    teacher: Annotated[str, typer.Option(help="as in `assistant knowledge build`")] = "answerer",
) -> None:
    """Measure the teacher with each number of slots."""
    report: Callable[[str], None] = print
    workspace = Workspace(load_settings())
    opened = local_index(workspace, index)
    rows = list(islice(order_of(workspace, opened, range(opened.manifest.passages), ()), passages))
    chosen = opened.store.by_rows(rows)
    for count in slots or [1, 2, 4]:
        model, name = teaching_model(workspace.settings, workspace.models, teacher, count)
        asked = Teacher(model, name)

        def write(passage: Passage, asked: Teacher = asked) -> int:
            try:
                return asked.write(passage).tokens
            except TeacherFailedError:
                return 0

        with ThreadPoolExecutor(count) as pool:
            list(pool.map(write, [chosen[0]] * count))
            began, cpu = time.monotonic(), time.process_time()
            tokens = sum(pool.map(write, chosen))
            seconds, used = time.monotonic() - began, time.process_time() - cpu
        model.close()  # type: ignore[attr-defined]
        report(
            f"{count} slots: {used / len(chosen):.1f} CPU seconds and {seconds / len(chosen):.1f} "
            f"seconds a passage, {tokens / len(chosen):.0f} tokens written"
        )


if __name__ == "__main__":
    typer.run(main)
