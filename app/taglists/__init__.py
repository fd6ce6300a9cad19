"""One file per format of tag lists."""
