"""When a sync runs, how often it is tried, and the only place that knows the queue's worker."""
