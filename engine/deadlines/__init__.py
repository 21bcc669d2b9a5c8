"""When something is due: targets, business time, rosters."""
