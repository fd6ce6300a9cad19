"""This laptop's side: settings, recent projects, reach-as, browse cache. Never project content."""
