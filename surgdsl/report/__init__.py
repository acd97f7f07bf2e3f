"""Reports: plans, axes and results as people and programs read them."""
