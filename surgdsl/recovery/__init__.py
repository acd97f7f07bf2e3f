"""Recovery: training that heals what surgery hurt."""
