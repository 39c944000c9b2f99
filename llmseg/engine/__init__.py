"""What makes the training loop fast and safe without changing what is learnt."""
