"""State of a session, and caches shared by all sessions.

boot             first line of every page
warm             heavy imports in the background
state            session keys; the draft of the training form
messages         errors, warnings, notes; people's own text as plain text
chosen           run, checkpoint, split and images looked at last
url              widgets whose value is in the URL; links to other pages
cache            data and runs, loaded once for all sessions
cache_analysis   predictions, models, maps and embeddings, computed once for all sessions
"""
