"""What the pages are built of; streamlit lives here and in the pages alone.

session/       boot guard, caches, the URL, the draft of the form
components/    parts that several pages show: images, tiles, curves, jobs
evaluation/    which checkpoint and images; epochs, embedding, selections
gradcam/       maps, comparisons, uploads, the ranking
training/      the form, Start, the live run, the table of runs
augmentation/  the builder, the preview, import and export
data/          download and import
"""
