"""Qt item models over the core. They hold rows and read values; they know no rule of the domain."""
