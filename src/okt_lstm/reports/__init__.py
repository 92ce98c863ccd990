"""What was measured, for people: metrics, error analysis, plots and model cards."""
