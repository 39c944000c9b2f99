"""Records for pipelines written for Keras: networks, losses and scores that follow its defaults."""
