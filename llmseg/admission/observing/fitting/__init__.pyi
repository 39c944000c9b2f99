from .recipe import FittedRecipe as FittedRecipe
from .recipe import fit_recipe as fit_recipe
