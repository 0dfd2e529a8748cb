"""The employee's side: invitation, consent, upload, progress, results, privacy; and the public promises."""
