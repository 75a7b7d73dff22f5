"""Networks that find structure in pictures, for the controls that need more than the pixels."""
