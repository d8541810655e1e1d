"""Messages as files: received, cut to size, looked into before they are sent, or turned into Parquet."""
