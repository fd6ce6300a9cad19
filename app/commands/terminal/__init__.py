"""What commands share: the stable forms of output, errors and exit codes, progress, the ENDPOINT argument, the choice of tags."""
