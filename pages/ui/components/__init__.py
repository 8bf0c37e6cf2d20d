"""Components that several pages use.

parts      headings, errors, empty states, number formats
images     pixels as HTML
tiles      a grid of images to select and open
widgets    the widget for each type of setting
job        start a job, its progress
stop       the Stop button
curves     charts of one or several runs
"""
