"""Gateway targets: one file per product, found because it ends in ``EXPORTER``."""
