"""Find, verify, download and decode CIFAR-10 once; open it in milliseconds; draw Shapes-10.

dataset    Dataset and Split: arrays, counts, statistics, held-out validation
sources    the forms CIFAR-10 comes in, and what is recognised in a folder
store      decoded data under the content fingerprint in the user's cache
download   resumable downloads
shapes     Shapes-10, drawn by code
"""

from cifar_core.data.dataset import CLASSES, Dataset, Split, split_indices
from cifar_core.data.store import is_ready, open_dataset, prepare

__all__ = ["CLASSES", "Dataset", "Split", "is_ready", "open_dataset", "prepare", "split_indices"]
