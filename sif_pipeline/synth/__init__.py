"""A synthetic state: districts, schools, students and their SIF messages, deterministic by seed."""
