"""How many threads torch takes beside another process."""

import contextlib
from collections.abc import Iterator

from cifar_core.system.locks import device_lock_path, is_locked


@contextlib.contextmanager
def reduced_threads() -> Iterator[None]:
    """Inside, torch takes half its threads if another process holds the turn on the CPU.

    Two processes with a thread on each core wait for one another at every barrier: on two cores
    two trainings kept 2 % of their speed each; two threads beside one kept 70 % of both. The
    number belongs to the process, so that only one of its threads may be inside.
    """
    import torch

    every = torch.get_num_threads()
    torch.set_num_threads(max(1, every // 2) if is_locked(device_lock_path("cpu")) else every)
    try:
        yield
    finally:
        torch.set_num_threads(every)
