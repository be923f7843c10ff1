"""Everything that is Redis: the progress stream and the one door to the queue."""
