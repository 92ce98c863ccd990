"""The recipe `auto`: compare an encoder, a linear n-gram model and both on the user's rows, and keep what is best."""
