"""Components of the pages; only they and the pages import streamlit.

session/       boot guard, caches, the URL, the draft of the form
components/    shared by several pages: images, tiles, curves, jobs
evaluation/    which checkpoint and images; epochs, embedding, selections
gradcam/       maps, comparisons, uploads, the ranking
training/      the form, Start, the live run, the table of runs
augmentation/  the builder, the preview, import and export
home/          a trained model at a glance, the machine, Train a model now
data/          download and import
"""
