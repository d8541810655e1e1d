"""Receive, validate, fold, load and report SIF messages; everything but what is stored."""
