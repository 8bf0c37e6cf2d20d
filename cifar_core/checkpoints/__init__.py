"""What a run keeps of a model.

checkpoint   list, find, verify, load and delete checkpoints; the manifest's type
"""
