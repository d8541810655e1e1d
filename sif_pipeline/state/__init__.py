"""The state's own traffic: what it asks of districts, how it compares the answers, and what it tells their agents."""
