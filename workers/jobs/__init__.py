"""One thin module a job; `workers.runner` runs `run` and, when a job is given up, `failed`."""
