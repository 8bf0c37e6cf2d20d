"""Ours beside others, interleaved in one run; results compared before times. Not timed tests."""
