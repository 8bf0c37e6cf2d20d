"""The process that does a job, and how it is started.

launch            start, resume and extend training; start LR tests and downloads
launch_checks     what is checked of a config before a job is started
launch_analysis   start evaluations, embeddings, rankings, reports
starting_weights  the checkpoint to fine-tune from, and which images it was trained on
worker            python -m cifar_core.jobs.worker RUN_DIR
context           the job as its task sees it: stop, status, records
events            TensorBoard event files of a training
queue             whose turn it is on a device
tasks/            what each kind of job does
"""
