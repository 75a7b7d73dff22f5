"""The daemon: jobs that survive it, one worker process per device, gRPC."""
