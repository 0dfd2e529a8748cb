"""What a company hands to its counsel, its auditor or a buyer: filled from what is configured, signed, in versions."""
