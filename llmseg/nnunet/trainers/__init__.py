"""The folder in which nnU-Net finds the trainer, through ``nnUNet_extTrainer``."""
