"""What a session holds and what all sessions share.

boot             first line of every page
warm             heavy imports in the background
state            names of what a session keeps; the draft of the form
url              what stands in the address
cache            data, runs and predictions, read once for all
cache_analysis   models, maps, features and embeddings, computed once for all
"""
