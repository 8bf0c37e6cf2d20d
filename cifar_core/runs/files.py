"""The types of the files of a run."""
