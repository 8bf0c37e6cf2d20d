"""What a run keeps of a model.

checkpoint   list, find, verify, load and delete checkpoints
manifest     what a checkpoint is of, and the sums of its files
"""
