"""Pictures of nets: what stands together, what repeats, where it goes, and how that is written."""
