"""A run on one HTML page that opens offline.

html        the page: metrics, plots, worst errors, settings
commands    the command lines that reproduce a run
templates/  its HTML
"""
