"""Which images a filter leaves."""
