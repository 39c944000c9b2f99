"""Downloads: archives and folders as they are published, read into one store."""
