"""Every file name of a run's folder."""
