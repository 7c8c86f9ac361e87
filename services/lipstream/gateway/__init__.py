"""The REST interface in front of the stages. It computes nothing and imports no numerics."""
