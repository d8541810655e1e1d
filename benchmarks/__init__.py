"""Measure the pipeline against its own limits and against others, in CPU time: `make bench`."""
