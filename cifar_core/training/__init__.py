"""The training step and the loop around it; records come out, nothing is written.

engine          train(): the loop; train_epoch(): the steps
batches         training batches, a function of (seed, epoch, step)
loss            cross-entropy, focal loss
optim           optimizers, schedules (the OneCycle formula), EMA
state           model, optimizer, EMA and counters: all that changes
inference       log-probabilities, loss and accuracy on a split
checkpointing   write and restore checkpoints; writes manifest.json
"""
