"""The diffusion engine: a personal model in minutes; the only place where torch, diffusers and peft are imported."""
