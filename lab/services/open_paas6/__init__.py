"""The services of open_paas in the code line of 6.x, as far as they differ from those of 5.x."""
