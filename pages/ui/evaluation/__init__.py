"""Parts of Evaluation, Gallery, One image and Compare.

checkpoint_picker  run, checkpoint, split; where a click on a matrix cell leads
predictions        predictions and features; offered to be made where they are missing
summary            metrics and plots of the predictions
epochs             the matrix and the classes along the epochs
embedding          PCA and t-SNE of the features; lasso
filters            true, predicted, correct or wrong, possible label errors
selections         images that were picked; saved selections
report             the button that generates a report
"""
