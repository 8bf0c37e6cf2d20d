"""CIFAR-10 from the data to a trained model, and to why it errs; the library behind the app.

    config      every setting, once: type, default, bounds, help text
    data        find, verify, download, decode once; splits; Shapes-10
    augment     one AugmentSpec for the preview and for the run
    models      the networks and their layer tables
    optim       optimizers, learning-rate schedules, weight averaging
    engine      the training step and the loop around it; yields records
    evaluation  log-probabilities, loss and accuracy of a model on a split
    checkpoint  what a run keeps of a model, and how it stays whole
    runs        what is on disk of each job, and what state it is in
    launch      start, stop and queue jobs;  worker: the process that does one
    runtime     device, precision and memory format, each with its reason
    plots       records to Plotly figures
    cli         python -m cifar_core

Shapes in docstrings: B batch, C channels, H height, W width, K classes, N images.
Importing this package imports nothing heavy; neither does listing runs or drawing curves.
"""

__version__ = "0.1.0"
