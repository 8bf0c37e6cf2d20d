"""Parts of Train, Runs and LR finder.

form          the form of all settings
estimate      time, memory and disk before Start
start_once    one press of Start, one run
run_view      the live run
actions       stop, resume, extend, delete, rename, notes
lr_handoff    a learning rate on its way into the form
lr_test       the LR test on the page
batch_replay  a batch as training saw it
run_table     the table of runs
"""
