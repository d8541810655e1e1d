"""What a vendor's agent does in a sandbox, held against the standard: recording, judging, reporting."""
