"""Speech corpora with phone times: synthesised, and real by forced alignment."""
