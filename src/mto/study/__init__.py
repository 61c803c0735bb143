"""Studies: grids of runs, and what is learnt from them."""
