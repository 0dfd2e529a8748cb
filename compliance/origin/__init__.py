"""Where a delivered picture comes from, as it says itself: signed credentials (C2PA), IPTC's fields, and a watermark."""
