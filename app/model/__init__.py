"""What a project consists of: frozen elements, the project that holds them, ids, values. Imports nothing of ours but errors."""
