"""Figures over time, for people: what each cycle adds, how cycles become buckets, how trends are read from them."""
