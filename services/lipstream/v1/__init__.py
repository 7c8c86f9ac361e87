"""The stages' gRPC interface, generated from protos/ by `make protos`."""
