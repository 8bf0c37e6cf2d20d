"""Predictions of a checkpoint on a split, and everything computed from them.

predictor            a checkpoint's model, ready to predict; TTA; features
predictions          the stored table of log-probabilities; what follows from it
files                the types of the files that evaluations leave
metrics              confusion matrix, precision/recall/F1, Wilson, calibration, McNemar
history              predictions after every epoch; forgetting events
features             penultimate features, nearest neighbours, PCA, t-SNE
label_issues         possible label errors, by confident learning
sorting              the orders of the gallery (confidence, loss, smallest margin, …)
filters              which images a filter leaves
selections           images that somebody picked, saved with the run
augmentation_effect  what an augmentation does to a trained model's accuracy
export               images and predictions as a ZIP
"""
