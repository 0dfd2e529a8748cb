"""The register of breaches of personal data: what happened, the 72 hours, what was decided, and drafts of the notices."""
