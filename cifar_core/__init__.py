"""CIFAR-10 from the data to a trained model, and to why it errs; the library behind the app.

    errors          exceptions shown to the user as one sentence
    validation      what a field accepts; validation errors as sentences
    system/         files, processes, locks, hardware, memory, seeds
    models/         the networks by name, and their layer tables
    records/        the file names of a run's folder; metrics.jsonl
    data/           find, verify, download, decode CIFAR-10; draw Shapes-10
    augment/        one AugmentSpec for the preview and for training
    config/         every setting, once: type, default, bounds, help
    checkpoints/    what a run keeps of a model: find, verify, load
    training/       the training step and the loop around it
    lr_finder/      the learning-rate range test and what its curve suggests
    forecast/       what a run will take in time, memory and disk
    runs/           jobs on disk: list, state, name, stop, delete
    evaluation/     predictions of a checkpoint, and every metric made from them
    explain/        Grad-CAM and its relatives
    plots/          records and arrays to Plotly figures
    report/         a run on one HTML page, and the commands that repeat it
    jobs/           the worker process: queue, start, what each kind of job does
    cli/            python -m cifar_core
    serve           what make run starts: the app on a port
    __main__        python -m cifar_core

Shapes in docstrings: B batch, C channels, H height, W width, K classes, N images.
Importing this package imports nothing heavy; neither does listing runs or drawing curves.
Who may import whom is a table in tests/test_architecture.py; CONTRIBUTING.md explains it.
"""

__version__ = "0.1.0"
