"""Find, verify, download and decode CIFAR-10 once; open it in milliseconds; draw Shapes-10.

dataset    Dataset and Split: arrays, counts, statistics, held-out validation
locate     where CIFAR-10 is looked for;  sources: the forms it comes in
parts      a decoded split: sorted, fingerprinted, judged
store      decoded data under the content fingerprint in the user's cache
download   where it can be had;  transfer, partial: downloads that resume
shapes     Shapes-10, drawn by code;  shape_outlines, shape_paint: form and surface
"""

from cifar_core.data.dataset import CLASSES, Dataset, Split, split_indices
from cifar_core.data.store import is_ready, open_dataset, prepare

__all__ = ["CLASSES", "Dataset", "Split", "is_ready", "open_dataset", "prepare", "split_indices"]
