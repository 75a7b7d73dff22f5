"""Prompts as people write them: the syntax of web front ends, long texts, files named in words."""
