"""What an adaptation begins with: packages that train, and the embedder in force for the index."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from assistant.adapting.installed import FOLDER, InstalledStore
from assistant.adapting.weights import require_adaptable
from assistant.errors import ModelRuntimeError, UsageError
from assistant.models.shipped import SMALL_EMBEDDER
from assistant.workspace import Workspace

_PACKAGES = ("accelerate", "peft", "yaml")  # of the extra `distill`, those that training needs


def require_training() -> None:
    """Refuse to begin what could not be trained.

    Raises:
        ModelRuntimeError: the `distill` extra is not installed.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ModelRuntimeError(
            f"training needs packages that are not installed: {', '.join(missing)}",
            remedy="install them: pip install 'knowledge-assistant[distill]'",
        )


def starting_embedder(workspace: Workspace, index_folder: Path) -> tuple[Path, int]:
    """Its folder of sentence-transformers, and how many tokens of a text it reads.

    Raises:
        UsageError: it cannot be adapted; the small one would lose its teacher for queries.
        ModelMissingError, ModelCorruptError: it is not there, or damaged.
    """
    installed = InstalledStore(index_folder).read().embedder
    if installed is not None:
        place = index_folder / FOLDER / installed.folder
        return place, require_adaptable(place, workspace.adapted.writing(index_folder).dense())
    models = workspace.settings.models
    if models.embedder == SMALL_EMBEDDER:
        raise UsageError(
            f"the queries of {SMALL_EMBEDDER} are MiniLM's, and an adapted embedder has its own",
            remedy="adapt an index of models.embedder=minilm, or the reranker alone",
        )
    place = workspace.models.path(models.embedder)
    if models.int8 or models.backend != "torch":
        from indexes.encoders.dense import SentenceTransformerEncoder

        # Training is in float32, and what comes out of it runs in float32 by torch.
        return place, require_adaptable(place, SentenceTransformerEncoder(place))
    return place, require_adaptable(place, workspace.encoders.dense())
