"""Worker processes: started warm, one job after another, and the scheduler that gives work its time."""
