"""The TensorFlow variants of the models of 2024, as entries ``gpt-4@tensorflow`` and so on."""
