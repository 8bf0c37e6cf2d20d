"""Components of the Augmentation page.

builder        operations, order, parameters
preview_grid   originals beside augmented samples
effect         the effect on a trained model
import_export  specs as JSON, YAML and Python
"""
