"""The learning-rate range test.

range_test   torch-lr-finder on a run's own model, data and loss
curve        the points of a test, and of several seeds, as one curve
noise        how far a loss may seem to fall by chance
suggest      four rules that read a learning rate off the curve
"""
