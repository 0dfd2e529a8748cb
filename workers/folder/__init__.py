"""The same without a database: a folder of photos in, a folder of headshots out."""
