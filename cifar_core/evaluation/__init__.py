"""Predictions of a checkpoint on a split, and everything computed from them.

predictor            a checkpoint's model, ready to predict; TTA; features
predictions          stored log-probabilities; predicted classes, losses, margins
available            predictions that are there already, of an evaluation or of an epoch
files                the types of the JSON files that evaluations leave
metrics              confusion matrix, precision/recall/F1, Wilson, calibration, McNemar
history              predictions after every epoch; forgetting events
features             penultimate features, nearest neighbors, PCA, t-SNE
label_issues         possible label errors, by confident learning
sorting              sort orders of the gallery (confidence, loss, margin, …)
filters              true/predicted class, errors, confidence: the rows that are left
selections           selected images, saved with the run
augmentation_effect  accuracy of a trained model on augmented images
export               images and predictions as a ZIP, or on one PNG
"""
