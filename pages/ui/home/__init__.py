"""Components of Home.

machine   hardware and data in one line; getting the data where they are missing
showcase  a trained model: its confusion matrix, and its most confident errors with their maps
start     Train a model now: a run sized for about a minute on this machine
"""
