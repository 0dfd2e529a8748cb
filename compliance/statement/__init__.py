"""Monthly statements: what ended without a certificate of its own, counted, read again and signed."""
