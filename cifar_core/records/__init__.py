"""What lies in a run's folder, by name, and the records that training yields.

layout    every file name of a run's folder
records   one line of metrics.jsonl per record; reading them
steps     step records in columns
csv       records as a CSV file
"""
