"""What is held about a person, answered in words: GDPR Art. 15(1)(a) to (h), (2) and (3)."""
