from monai.networks.nets import UNet


def build_model():
    return UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        channels=(16, 32, 64),
        strides=(2, 2),
        num_res_units=1,
        norm="BATCH",
    )
