"""Jobs on disk: one folder each.

store       Run and its kinds; list, find and read them
files       the types of start.json, status.json, name.json, stop
requests    the type of request.json for each kind of job
states      what a job is doing, computed: running, interrupted, …
index       the list of jobs, read once and kept up to date
lifecycle   create, name (with notes), stop and delete jobs
dedup       one press of Start, one run
pace        how far a run is, and the time left
"""
