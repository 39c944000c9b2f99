from .export import export_difference as export_difference
from .export import export_model as export_model
from .export import export_size as export_size
from .load import load_model as load_model
from .load import load_original_model as load_original_model
from .predict import ProbabilityMap as ProbabilityMap
from .predict import probability as probability
from .predict import probability_maps as probability_maps
