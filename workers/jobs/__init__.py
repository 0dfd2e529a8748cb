"""One thin module a job; `workers.process.runner` runs `run` and, when a job is given up, `failed`."""
