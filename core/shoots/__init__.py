"""Shoots: who takes part, how they are invited and how far everybody is."""
