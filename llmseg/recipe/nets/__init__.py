"""Networks: records with their fields here, the torch modules they build in ``modules``."""
