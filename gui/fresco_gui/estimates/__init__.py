"""What a restyle will cost."""
