"""The auditor's bundle: everything that a log proves, with a verifier that uses nothing of ours."""
