"""What travels beside a checkpoint: every file here is copied to the Hub, and imports nothing outside this folder."""
