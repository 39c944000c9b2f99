"""Statistics of scores per case. Nothing here loads torch or monai."""
