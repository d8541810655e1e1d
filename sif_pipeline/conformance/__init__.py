"""What a vendor's agent does in a sandbox, held against the standard: asking it, judging the record, reporting."""
