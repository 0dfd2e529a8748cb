"""Small local servers in place of what lies outside the machine, which fail as they are told."""
