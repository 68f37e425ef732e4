"""Jobs: how they are asked for, run, settled and explained."""
