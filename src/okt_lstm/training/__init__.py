"""Options in, a finished folder out."""
