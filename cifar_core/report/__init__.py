"""A run on one HTML page that opens offline.

card        what a trained model is and how good, for programs and for people
html        the page: metrics, plots, worst errors, settings
commands    the command lines that reproduce a run
publish     a small, read-only copy of a run that ships with the app
templates/  its HTML, and the card's text
"""
