"""The portrait style as a value: what it says, its file, presets and framing. Knows no database."""
