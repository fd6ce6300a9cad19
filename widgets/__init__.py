"""Qt only: turns core objects into windows. Holds no rule of the domain."""
