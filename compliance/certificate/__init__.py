"""Deletion certificates: facts, page, signed document, and how one is issued."""
