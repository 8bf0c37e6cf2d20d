"""Components of Train, Runs and LR finder.

form          the form of all settings
estimate      time, memory and disk before Start
start_once    Start: pressed twice, it starts one run
run_view      the live run
actions       stop, resume, extend, delete, rename, notes
lr_handoff    a learning rate from an LR test to the form
lr_test       an LR test: progress, curve, suggestion
batch_replay  replay of a training batch
run_table     the table of runs
"""
