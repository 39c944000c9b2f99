"""The networks: records with the fields of each here, the torch modules they build under the same names in ``modules``.

==========================  ===========================================================================================
``unet``                    the U-Net of two convolutions per block, which most pipelines have
``keras_unet``              U-Nets as the TensorFlow variants build them
``pooled_skip_unet``        the U-Net whose skips are pooled
``encoder_decoder``         networks without concatenated skips
``references``              the networks of the references, which MONAI, timm and nnU-Net's package build
``net``                     what a recipe asks of any network
``modules.blocks``          layers that several networks share
==========================  ===========================================================================================

``UNet(...).build(in_channels=1)`` gives the module. Records do not import torch, so a recipe can be read without it.
"""
