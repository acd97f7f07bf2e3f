"""Planning: what a program does to a model, resolved into concrete steps before anything is changed."""
