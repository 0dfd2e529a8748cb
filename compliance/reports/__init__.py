"""Reports: what is held about a person, and how a company handles what it holds; as a tagged PDF and as JSON."""
