"""From one person's photos to measured headshots: engines, gates, likeness and the team as a whole."""
