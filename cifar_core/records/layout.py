"""Every file name of a run's folder, once; who writes each, and which type it has.

One writer each. The launcher writes `REQUEST` and `START`; app and command line `NAME` and `STOP`;
the worker all others, of those about a checkpoint the job that makes them.
"""

# Of every job; types in `runs.files`.
REQUEST = "request.json"  # what was asked for, and when
START = "start.json"  # when a worker was last asked for, and which process that is
STATUS = "status.json"  # identity, phase, hardware, progress, how it ended
NAME = "name.json"  # name and notes
STOP = "stop"  # please stop
METRICS = "metrics.jsonl"  # one record a line; types in `records.records`
LOG = "worker.log"  # what the worker printed
LOCK = "worker.lock"  # held by the worker as long as it lives
MEMORY = "memory.json"  # only while the system has little left; type in `system.memory`
RESERVE = ".reserve"  # space in which a full disk can still be told
TENSORBOARD = "tensorboard"  # event files, if asked for

# Of a training: a folder <role>-<step> per checkpoint; types in `checkpoints.checkpoint`.
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"  # those that are evaluated: averaged ones with EMA
SHARD = "weights-{number:05d}-of-{total:05d}.safetensors"  # the same in parts, of shipped runs
SHARD_PATTERN = "weights-*-of-*.safetensors"
SHARDS = "weights.safetensors.index.json"  # which tensor lies in which part
RAW_WEIGHTS = "raw.safetensors"  # with EMA, to resume from
TRAIN_STATE = "state.pt"  # optimizer and counters, to resume from
EPOCHS = "epochs"  # <epoch>.npz: predictions for the test images; type in `evaluation.history`

# A folder among the runs, with a folder for each shipped run: what was made from it here.
OF_SHIPPED = ".shipped"

# Made from a training later; types in `evaluation` and `explain`.
PREDICTIONS = "tables"  # <checkpoint>-<split>: predictions, features, embedding
SELECTIONS = "selections"  # <id>.json: images that somebody selected
EFFECT = "effect.npz"  # an augmentation on a trained model
RANKING = "road.json"  # layers and methods by ROAD
REPORT = "report.html"

# Of a shipped run; types in `report.card` and `explain.error_maps`.
CARD = "card.json"  # what the model is and how good; `CARD_TEXT` the same for people
CARD_TEXT = "README.md"
ERROR_MAPS = "maps.npz"  # of its most confident errors
