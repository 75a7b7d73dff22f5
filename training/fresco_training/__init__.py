"""Makes the bundled model: data, autoencoder, U-Net with ControlNet, evaluation and export."""
