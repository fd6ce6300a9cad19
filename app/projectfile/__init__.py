"""The project file: strict reading, atomic and durable writing, its JSON Schema, migrations."""
