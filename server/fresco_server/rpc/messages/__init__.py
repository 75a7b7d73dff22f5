"""Messages of the contract to and from the values that the daemon works with."""
