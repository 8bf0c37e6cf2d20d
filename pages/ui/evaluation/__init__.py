"""Parts of Evaluation, Gallery, One image and Compare.

checkpoint_picker  run, checkpoint, split, TTA; the run to compare with
predictions        predictions and features, or the button that computes them
error_tiles        images as tiles, and the most confident errors of a run
summary            metrics, per-class plots, confusion matrix: a click on a cell opens the gallery
epochs             confusion matrix and class accuracy over the epochs
embedding          PCA and t-SNE of the features; lasso
filters            true and predicted class, correct or incorrect, possible label errors
selections         selected images; saved selections
report             the button that generates a report
"""
