"""Reading and writing clips: codecs, exact time, colour tags, sound."""
