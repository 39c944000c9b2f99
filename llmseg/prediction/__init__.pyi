from .export import choose_export_size as choose_export_size
from .export import compare_export as compare_export
from .export import export_model as export_model
from .load import load_model as load_model
from .load import load_original_model as load_original_model
from .predict import ProbabilityMap as ProbabilityMap
from .predict import predict_image as predict_image
from .predict import predict_maps as predict_maps
