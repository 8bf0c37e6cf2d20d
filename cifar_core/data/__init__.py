"""Find, verify, download and decode CIFAR-10 once; open it in milliseconds; draw Shapes-10.

arrays          names for array types: Pixels, Indices, Floats
dataset         Dataset and Split: images, counts, mean and std, held-out validation
locate          where CIFAR-10 is looked for
sources         the formats it comes in: Parquet, archive, batches, folders
store           the decoded copy in the cache, by fingerprint
split_build     sort a decoded split, fingerprint it, compare it with the official one
download        where CIFAR-10 is downloaded from
transfer        resumable downloads
partial_file    a partly downloaded file and its metadata
shapes          Shapes-10, drawn by code
shape_outlines  their outlines
shape_paint     their colours and textures
upload          an uploaded image resized for the models
encode          images as data URIs
"""

from cifar_core.data.dataset import CLASSES, Dataset, Split, split_indices
from cifar_core.data.store import is_ready, open_dataset, prepare

__all__ = ["CLASSES", "Dataset", "Split", "is_ready", "open_dataset", "prepare", "split_indices"]
