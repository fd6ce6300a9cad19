"""The connector: a child process that holds one connection, decodes its bytes, and speaks frames with its parent."""
