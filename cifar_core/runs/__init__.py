"""Runs and other jobs on disk: one folder each.

store       Run and its kinds; list, find and read them
files       the types of name.json (name and notes), start.json, status.json, stop
requests    the type of request.json for each kind of job
names       what may be a run's name, and which are free
folders     which folders are jobs, one's own and those that came with the app
states      what a job is doing, computed: running, interrupted, …
index       the list of jobs, read once and kept up to date
lifecycle   create, name (with notes), stop and delete jobs
dedup       the run that a form has started already
pace        how far a run is, and the time left
"""
