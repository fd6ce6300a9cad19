"""The only place of pyqtgraph, imported when the first plot is shown."""
