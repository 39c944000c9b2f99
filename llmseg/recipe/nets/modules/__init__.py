"""The torch modules that the network records of :mod:`llmseg.recipe.nets` build, each in a file of the same name."""
