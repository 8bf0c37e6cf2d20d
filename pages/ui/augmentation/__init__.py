"""Parts of the Augmentation page.

builder        operations, order, parameters
preview_grid   originals and what training will see
effect         the effect on a trained model
import_export  JSON, YAML and Python, in and out
"""
