"""Number of torch threads while another process uses the CPU."""

import contextlib
from collections.abc import Iterator

from cifar_core.system.locks import device_lock_path, is_locked


@contextlib.contextmanager
def reduced_threads() -> Iterator[None]:
    """Halves torch's threads inside the block if another process holds the CPU's lock.

    Two processes with a thread on each core wait for each other at every barrier: on two cores
    two trainings kept 2% of their speed each; two threads beside one kept 70% of both. The number
    is per process, so only one of its threads may be inside the block.
    """
    import torch

    num_threads = torch.get_num_threads()
    torch.set_num_threads(
        max(1, num_threads // 2) if is_locked(device_lock_path("cpu")) else num_threads
    )
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)
