"""From source values to IT values and messages: transforms, evaluation, delivery."""
