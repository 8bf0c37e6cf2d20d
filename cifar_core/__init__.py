"""CIFAR-10 from the data to a trained model, and to why it errs; the library behind the app.

    config      every setting, once: type, default, bounds, help text
    data        find, verify, download, decode once; splits; Shapes-10
    augment     one AugmentSpec for the preview and for the run
    models      the networks and their layer tables
    optim       optimizers, learning-rate schedules, weight averaging
    engine      the training step and the loop around it; yields records
    lr_finder   the learning-rate test;  suggest: what its curve says
    evaluation  log-probabilities, loss and accuracy of a model on a split
    tables      log-probabilities as they are kept;  metrics: figures from them
    gradcam     maps of where a model looked;  explain, layers, sheet, own_image: around them
    checkpoint  what a run keeps of a model;  saving, space: how it stays whole and has room
    runs        what is on disk of each job;  states: what it is doing, as far as can be known
    launch      start, resume, extend jobs, each once;  claims, turns: who may, and when
    worker      the process that does a job;  jobs: what each kind does;  memory: what is left
    forecast    what a run will take;  preflight, measuring: how that is measured
    runtime     device, precision and memory format, each with its reason
    plots       records to Plotly figures
    cli         python -m cifar_core

Shapes in docstrings: B batch, C channels, H height, W width, K classes, N images.
Importing this package imports nothing heavy; neither does listing runs or drawing curves.
"""

__version__ = "0.1.0"
