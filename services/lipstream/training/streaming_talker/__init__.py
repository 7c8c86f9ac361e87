"""The autoregressive diffusion generator: its network, its two stages of training, its export."""
