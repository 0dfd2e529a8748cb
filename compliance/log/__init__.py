"""Each organization's append-only Merkle log: tree, signed checkpoints, proof files."""
