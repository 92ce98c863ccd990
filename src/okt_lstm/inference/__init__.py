"""A folder or Hub id in, labels out."""
