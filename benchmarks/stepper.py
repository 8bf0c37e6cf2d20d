"""python -m benchmarks.stepper KIND MODEL STEPS CHANGES: takes steps at each line it is given.

A process of its own, since a worker's memory is set up before it starts.
"""

import json
import sys

from benchmarks.training import bare_steps, engine_steps


def main() -> None:
    """Says "done" when it is ready, and after each time."""
    kind, model, num_steps, changes = sys.argv[1:]
    if kind == "engine":
        steps, _ = engine_steps(model, int(num_steps), **json.loads(changes))
    else:
        steps = bare_steps(model, int(num_steps))
    _say_done()
    for _ in sys.stdin:
        steps()
        _say_done()


def _say_done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
