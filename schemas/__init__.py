"""The standard and the state as data: XSDs and code sets; no Python but this line, so that they install."""
