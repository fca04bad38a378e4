"""What the tests stand on: a private site (Slurm and server), clients, and the HTTP contract."""
