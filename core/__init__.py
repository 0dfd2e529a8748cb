"""Nouns, storage and shared verbs; imports none of the other folders."""
