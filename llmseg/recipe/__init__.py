"""The recipe: seven parts that decide a result, as values."""
