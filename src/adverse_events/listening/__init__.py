"""The listener: a stream whose posts land first, durably, are assessed at once, and reach the lake window by window."""
