"""Figures as ratios: the product against small scripts that do the same without guarantees, in turns, in one run."""
