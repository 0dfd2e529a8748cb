"""People of an organization: members, rosters they come from, their sessions and what they agreed to."""
