"""The neighbor embedding of a split. Like evaluation it waits for no device."""

from typing import TYPE_CHECKING

from cifar_core.jobs.tasks.shared import record_progress, subject_of
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext
    from cifar_core.runs.requests import AnalysisRequest


def embed_split(job: "JobContext", request: "AnalysisRequest") -> RunState:
    """Embeds the features that the evaluation of the request's checkpoint and split kept."""
    import numpy as np

    from cifar_core.evaluation.features import (
        find_values,
        read_values,
        tsne_embedding,
        write_values,
    )
    from cifar_core.evaluation.predictions import eval_split
    from cifar_core.runs.store import derived_dir

    job.start()
    run, config, checkpoint, data = subject_of(job, request)
    examples = eval_split(data, config, request.split)
    path = find_values(run, checkpoint.name, request.split, "features")
    features = read_values(path, checkpoint, examples, "features")
    places = np.empty((len(features), 2), np.float32)
    if not record_progress(job, tsne_embedding(features, places)):
        return RunState.STOPPED
    write_values(derived_dir(run), checkpoint, examples, "embedding", places)
    return RunState.COMPLETED
