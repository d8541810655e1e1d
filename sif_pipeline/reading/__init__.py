"""From the bytes of a message to the rows of its objects: pure functions, without database and state."""
