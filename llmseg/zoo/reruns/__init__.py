"""Ten answers each of two language models to the same prompt, as entries ``gpt-4o@run-01`` and so on."""
