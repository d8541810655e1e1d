"""One file per SIF object: its table, element paths, meaning and privacy."""
