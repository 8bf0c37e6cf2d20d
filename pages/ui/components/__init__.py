"""Parts that several pages show.

parts      headings, sentences for errors, empty states, durations
images     pixels as HTML
tiles      a grid of images that can be selected and opened
widgets    a widget for each kind of setting
job        a job under way: progress, Stop
curves     the live charts of one or several runs
"""
