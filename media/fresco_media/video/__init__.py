"""What a video file holds and its frames: containers, packets, exact time, decoding."""
