"""Drawing the network of a recipe.

- ``trace`` runs the network without numbers and notes every step; ``words`` names the steps;
- ``path`` finds the way from image to output with the most layers, ``pieces`` cuts it where maps change their size, and
  ``planning`` makes ``stages`` and skips of it;
- ``oddities`` says what is unusual about them;
- ``rows``, ``ground``, ``labels``, ``skip_lines``, ``notes`` and ``placing`` make ``shapes`` of it;
- ``drawing`` does all of this for a recipe.
"""
