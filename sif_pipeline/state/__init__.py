"""The state's own traffic: what it asks of districts, and how it compares the answers with what it has."""
