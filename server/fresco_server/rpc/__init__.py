"""The contract served: messages in, dataclasses to the jobs, statuses and streams out."""
