"""Begin a new SIF object: its declaration, its schema and two examples, drafted from the standard."""
