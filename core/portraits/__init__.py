"""From uploaded photos to delivered headshots: what is kept of each and what is given out."""
