"""Find, verify, download and decode CIFAR-10 once; open it in milliseconds; draw Shapes-10.

dataset         Dataset and Split: arrays, counts, mean and std, held-out validation
locate          where CIFAR-10 is looked for
sources         the forms it comes in: Parquet, archive, batches, folders
store           the decoded copy in the cache, by fingerprint
split_build     sort a decoded split, fingerprint it, compare it with the official one
download        where it can be had
transfer        downloads that resume
partial_file    the bytes that have arrived
shapes          Shapes-10, drawn by code
shape_outlines  their outlines
shape_paint     their surfaces
upload          an uploaded picture made fit for a model
encode          pixels inside a link
"""

from cifar_core.data.dataset import CLASSES, Dataset, Split, split_indices
from cifar_core.data.store import is_ready, open_dataset, prepare

__all__ = ["CLASSES", "Dataset", "Split", "is_ready", "open_dataset", "prepare", "split_indices"]
