"""Backups that can be restored and have been: made, restored into empty places, and tried."""
