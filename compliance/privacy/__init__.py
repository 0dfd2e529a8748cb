"""What a company says of itself as the one that is responsible for its people's data: in versions, each in the log."""
